//! The role of a corpus file, from its name.

use crate::digits::push_masked;

/// The role of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A part of a corpus.
    Part(Part),
    /// A corpus file that is not one part, and why.
    Other(&'static str),
    /// No corpus file, and why.
    None(&'static str),
}

/// A part of a corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Train,
    Dev,
    Test,
    Types,
}

/// What has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file, which may be a corpus.
    Corpus,
    /// A file, which may be a corpus or annotation.
    Annotation,
    /// A folder of annotation.
    Folder,
}

/// The role of a file or folder with this name.
pub(super) fn role(name: &str, kind: Kind) -> Role {
    let mut name = name.to_lowercase();
    if kind == Kind::Folder {
        name += ".";
    }
    let Some((stem, extension)) = name.rsplit_once('.') else { return Role::None("no extension") };
    let json = matches!(extension, "json" | "jsonl" | "parquet");
    match kind {
        _ if json || matches!(extension, "txt" | "conll") => {}
        Kind::Corpus => return Role::None("expected .json, .jsonl, .txt, .conll or .parquet"),
        Kind::Annotation if extension != "tsv" => {
            return Role::None("expected .json, .jsonl, .txt, .conll, .parquet or .tsv");
        }
        Kind::Annotation | Kind::Folder => {}
    }
    if extension == "json" && stem.contains("types") {
        return Role::Part(Part::Types);
    }
    let parts: Vec<&str> = stem.split(|char: char| !char.is_alphanumeric()).filter_map(word).collect();
    let has = |words: &[&str]| parts.iter().any(|part| words.contains(part));
    let roles = [
        (Part::Train, has(&["train", "training"])),
        (Part::Dev, has(&["dev", "devel", "development", "val", "valid", "validation"])),
        (Part::Test, has(&["test", "testing"])),
    ];
    let mut roles = roles.into_iter().filter_map(|(part, has)| has.then_some(part));
    match (roles.next(), roles.next()) {
        (Some(part), None) => Role::Part(part),
        (Some(_), Some(_)) => Role::Other("several of train, dev and test in its name"),
        (None, _) if json => Role::Other("none of train, dev and test in its name"),
        (None, _) => Role::None("none of train, dev and test in its name"),
    }
}

/// A part of a name without `set`, `data` or a number at its end; `None` if nothing remains.
fn word(part: &str) -> Option<&str> {
    let part = part.trim_end_matches(|char: char| char.is_ascii_digit());
    let part = part.strip_suffix("set").or_else(|| part.strip_suffix("data")).unwrap_or(part);
    Some(part).filter(|part| !part.is_empty())
}

/// The name with `0` for every number: equal for the folds of a corpus.
pub(super) fn without_numbers(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    name.to_lowercase().chars().for_each(|char| push_masked(&mut pattern, char));
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_roles() {
        for (name, part) in [
            ("train.json", Part::Train),
            ("conll-04-train.json", Part::Train),
            ("validated_train.json", Part::Train),
            ("Größe Trainingsdaten train.TXT", Part::Train),
            ("train_v2.json", Part::Train),
            ("trainset.jsonl", Part::Train),
            ("train-00000-of-00001.parquet", Part::Train),
            ("testimony dev.json", Part::Dev),
            ("devices_test2.conll", Part::Test),
            ("valid.jsonl", Part::Dev),
            ("conll04_types.json", Part::Types),
        ] {
            assert_eq!(role(name, Kind::Corpus), Role::Part(part), "{name}");
        }
        for name in ["train_dev.json", "all.jsonl", "validated.json"] {
            assert!(matches!(role(name, Kind::Corpus), Role::Other(_)), "{name}");
        }
        for name in ["notes.txt", "train.csv", "LICENSE", "train.json.gz"] {
            assert!(matches!(role(name, Kind::Corpus), Role::None(_)), "{name}");
        }
        assert_eq!(role("train.tsv", Kind::Annotation), Role::Part(Part::Train));
        assert!(matches!(role("train.tsv", Kind::Corpus), Role::None(_)));
        assert_eq!(role("dev.v2", Kind::Folder), Role::Part(Part::Dev));
        assert!(matches!(role("all", Kind::Folder), Role::None(_)));
    }

    #[test]
    fn folds_differ_only_in_their_numbers() {
        assert_eq!(without_numbers("ade_split_10_train.json"), without_numbers("ade_split_7_train.json"));
        assert_ne!(without_numbers("train.json"), without_numbers("train_2.json"));
    }
}
