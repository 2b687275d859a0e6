//! Where the files of an encoder are looked for.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use cman_data::path::relative;

use super::name::is_hub_name;
use crate::error::ModelError;

/// The folders in which a relative path is looked for. The last one is always the working directory.
///
/// ```
/// use cman_model::SearchPath;
///
/// let places = SearchPath::new(["configs".into(), "data".into()]);
/// let error = places.find("no such encoder").unwrap_err();
/// assert!(error.to_string().contains("configs/no such encoder, data/no such encoder"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct SearchPath {
    folders: Vec<PathBuf>,
    model: Option<PathBuf>,
}

impl SearchPath {
    /// These folders, then the working directory.
    pub fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { folders: folders.into_iter().collect(), model: None }
    }

    /// The places of the encoder of a model: relative to its directory, inside of its directory as `encoder` or under the
    /// last part of the path, then the working directory.
    pub(crate) fn of_model(folder: &Path) -> Self {
        Self { folders: vec![folder.into()], model: Some(folder.into()) }
    }

    /// The same places after another folder.
    pub(crate) fn after(&self, folder: &Path) -> Self {
        let folders = [folder.to_owned()].into_iter().chain(self.folders.clone());
        Self { folders: folders.collect(), model: self.model.clone() }
    }

    /// The file or folder at `path`, in the first place that has it. A path that starts with `/` has one place.
    ///
    /// # Errors
    /// [`ModelError::NotFound`] with all places.
    pub fn find(&self, path: &str) -> Result<PathBuf, ModelError> {
        let tried = self.places(Path::new(path));
        match tried.iter().find(|place| place.exists()) {
            Some(found) => Ok(found.clone()),
            None => Err(ModelError::NotFound { path: path.into(), tried: list(&tried) }),
        }
    }

    /// [`find`](Self::find), except that a name on the hub that is in no place stays as it is.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn find_encoder(&self, path: &str) -> Result<PathBuf, ModelError> {
        match self.find(path) {
            Err(_) if is_hub_name(path) => Ok(path.into()),
            found => found,
        }
    }

    fn places(&self, path: &Path) -> Vec<PathBuf> {
        let mut places: Vec<PathBuf> = self.folders.iter().map(|folder| folder.join(path)).collect();
        if let Some(model) = &self.model {
            places.push(model.join("encoder"));
            places.extend(path.file_name().map(|name| model.join(name)));
        }
        places.push(path.into());
        let mut seen = Vec::new();
        places.retain(|place| {
            !seen.contains(place) && {
                seen.push(place.clone());
                true
            }
        });
        places
    }
}

/// The path of an encoder as a model in `folder` refers to it: relative to `folder` if `path` is relative, so that both can
/// be moved together. Names on the hub and absolute paths do not change.
pub(crate) fn relative_to(folder: &Path, path: &str) -> String {
    if Path::new(path).is_absolute() || !Path::new(path).exists() {
        return path.into();
    }
    let (Ok(to), Ok(from)) = (absolute(Path::new(path)), fs::canonicalize(folder)) else { return path.into() };
    relative(&from, &to).unwrap_or(to).to_string_lossy().into_owned()
}

/// The absolute path without links, except that the last part may be one.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok(fs::canonicalize(Path::new(".").join(parent))?.join(name)),
        _ => fs::canonicalize(path),
    }
}

/// The places of an error message; nothing if the only one is the path itself.
fn list(tried: &[PathBuf]) -> String {
    if tried.len() < 2 {
        return String::new();
    }
    let places: Vec<String> = tried.iter().map(|place| place.display().to_string()).collect();
    format!(" (looked for {})", places.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_with_the_path_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let [config, model] = ["config", "model"].map(|name| root.path().join(name));
        let places = SearchPath::of_model(&model).after(&config);
        let make = |place: &Path| fs::create_dir_all(place).unwrap();
        let find = || places.find("a/enc").unwrap();
        let tried =
            [config.join("a/enc"), model.join("a/enc"), model.join("encoder"), model.join("enc"), "a/enc".into()];
        let expected = format!("a/enc: no such file or folder{}", list(&tried));
        assert_eq!(places.find("a/enc").unwrap_err().to_string(), expected);
        assert_eq!(places.find_encoder("a/enc").unwrap(), Path::new("a/enc"), "a name on the hub");
        for place in tried[..4].iter().rev() {
            make(place);
            assert_eq!(find(), *place);
        }
        let absolute = model.join("enc").to_string_lossy().into_owned();
        assert_eq!(places.find(&absolute).unwrap(), Path::new(&absolute));
    }

    #[test]
    fn a_model_refers_to_a_relative_path_from_its_own_directory() {
        let root = tempfile::tempdir_in(".").unwrap();
        let relative = Path::new(root.path().file_name().unwrap());
        for folder in ["a/model", "b/encoder"] {
            fs::create_dir_all(relative.join(folder)).unwrap();
        }
        let encoder = relative.join("b/encoder").to_string_lossy().into_owned();
        assert_eq!(relative_to(&relative.join("a/model"), &encoder), "../../b/encoder");
        for unchanged in ["", "/models/minilm", "sentence-transformers/all-MiniLM-L6-v2"] {
            assert_eq!(relative_to(&relative.join("a/model"), unchanged), unchanged);
        }
    }
}
