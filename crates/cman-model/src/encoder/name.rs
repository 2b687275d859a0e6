//! Names of encoders on the Hugging Face hub.

/// Whether `name` has the form of a name on the hub: `org/name`, optionally with `@revision`.
pub fn is_hub_name(name: &str) -> bool {
    let (name, revision) = name.split_once('@').unwrap_or((name, "main"));
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let is_revision = !revision.is_empty() && revision.split('/').all(is_part);
    name.split_once('/').is_some_and(|(org, name)| is_part(org) && is_part(name)) && is_revision
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_hub_are_distinguished_from_paths() {
        for name in ["sentence-transformers/all-MiniLM-L6-v2", "a/b@main", "a/b@refs/pr/3", "a.b/c_d@0123abc"] {
            assert!(is_hub_name(name), "{name}");
        }
        for path in ["minilm", "/models/minilm", "./minilm", "../a/b", "a/b/c", "a/b@", "a/", "a b/c", "C:/models"] {
            assert!(!is_hub_name(path), "{path}");
        }
    }
}
