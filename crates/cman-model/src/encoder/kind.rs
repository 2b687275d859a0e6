//! Detects the kind of an encoder from the files of its folder.

use std::{fs, path::Path};

use cman_encoder::{Bert, Elmo};

use super::name::is_hub_name;
use crate::{error::ModelError, settings::EncoderKind};

/// Number of file names in an error message.
const SHOWN: usize = 6;

impl EncoderKind {
    /// The kind of the encoder at this path, from the files of the folder. A name on the hub is a BERT.
    ///
    /// # Errors
    /// A folder that cannot be read, or does not contain the files of exactly one encoder.
    pub fn find(path: &str) -> Result<Self, ModelError> {
        let folder = Path::new(path);
        if !folder.is_dir() && is_hub_name(path) {
            return Ok(Self::Bert);
        }
        let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let entries = entries.map_err(|source| ModelError::io(folder, source))?;
        let is_bert = Bert::FILES.iter().all(|name| folder.join(name).is_file());
        match (is_bert, Elmo::files(folder).is_ok()) {
            (true, false) => Ok(Self::Bert),
            (false, true) => Ok(Self::Elmo),
            _ => {
                let bert = Bert::FILES.join(", ");
                let expected = format!(
                    "the files of one encoder: {bert} for a BERT, *options.json and *weights.hdf5 (or \
                     weights.safetensors) for an ELMo"
                );
                let names = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
                Err(ModelError::Encoder { path: folder.into(), expected, found: list(names) })
            }
        }
    }
}

/// The first of these names, and how many more there are.
fn list(mut names: Vec<String>) -> String {
    names.sort();
    match names.len() {
        0 => "no file".into(),
        n if n > SHOWN => format!("{} and {} more", names[..SHOWN].join(", "), n - SHOWN),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_folder_determine_the_kind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let find = || EncoderKind::find(path);
        let refused = || find().unwrap_err().to_string();
        let add = |name: &str| fs::write(folder.path().join(name), "").unwrap();
        let remove = |name: &str| fs::remove_file(folder.path().join(name)).unwrap();
        let expected = format!(
            "{path}: expected the files of one encoder: config.json, tokenizer.json, model.safetensors for a BERT, \
             *options.json and *weights.hdf5 (or weights.safetensors) for an ELMo, found "
        );
        assert_eq!(refused(), expected.clone() + "no file");
        add("elmo_options.json");
        assert_eq!(refused(), expected.clone() + "elmo_options.json");
        add("elmo_weights.hdf5");
        assert_eq!(find().unwrap(), EncoderKind::Elmo);
        add("other_weights.hdf5");
        assert_eq!(refused(), expected.clone() + "elmo_options.json, elmo_weights.hdf5, other_weights.hdf5");
        add("weights.safetensors");
        assert_eq!(find().unwrap(), EncoderKind::Elmo, "converted weights take precedence");
        Bert::FILES.iter().for_each(|name| add(name));
        let found = "config.json, elmo_options.json, elmo_weights.hdf5, model.safetensors, other_weights.hdf5, \
                     tokenizer.json and 1 more";
        assert_eq!(refused(), expected + found, "two encoders");
        remove("elmo_options.json");
        assert_eq!(find().unwrap(), EncoderKind::Bert);
        remove("tokenizer.json");
        assert!(find().is_err());
    }

    #[test]
    fn a_name_on_the_hub_is_a_bert() {
        assert_eq!(EncoderKind::find("org/name@main").unwrap(), EncoderKind::Bert);
        let missing = EncoderKind::find("/no/such/folder").unwrap_err().to_string();
        assert!(missing.starts_with("/no/such/folder: No such file"), "{missing}");
        for kind in [EncoderKind::Bert, EncoderKind::Elmo] {
            assert_eq!(EncoderKind::of_name(kind.name()), Some(kind));
        }
        assert_eq!(EncoderKind::of_name("cache"), None);
    }
}
