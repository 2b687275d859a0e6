//! The files of a folder: which are read, how they are hashed, where a converted model goes.

use std::{fs, path::Path};

use cman_encoder::Elmo;

use crate::fixture::{TinyCopy, tiny};

#[test]
fn elmo_hashes_tell_files_of_other_content_apart() {
    let hash = |folder: &Path| Elmo::hash_dir(folder).unwrap();
    let copy = TinyCopy::new();
    let folder = copy.path();
    for file in ["options.json", "weights.hdf5"] {
        fs::rename(folder.join(file), folder.join(format!("elmo_tiny_{file}"))).unwrap();
    }
    assert_eq!(hash(folder), hash(&tiny()));
    assert_eq!(Elmo::files(folder).unwrap()[1], folder.join("elmo_tiny_weights.hdf5"));
    let converted = folder.join("converted");
    Elmo::convert(&tiny().join("options.json"), &tiny().join("weights.hdf5"), &converted).unwrap();
    let mut hashes = vec![hash(folder), hash(&converted)];
    for file in ["elmo_tiny_options.json", "elmo_tiny_weights.hdf5"] {
        let path = folder.join(file);
        fs::write(&path, [&fs::read(&path).unwrap()[..], b" "].concat()).unwrap();
        hashes.push(hash(folder));
    }
    for (i, hash) in hashes.iter().enumerate() {
        assert!(hash.len() == 64 && !hashes[..i].contains(hash), "{hashes:?}");
    }
    fs::copy(folder.join("elmo_tiny_weights.hdf5"), folder.join("other_weights.hdf5")).unwrap();
    assert!(Elmo::hash_dir(folder).unwrap_err().to_string().ends_with("'weights.hdf5', found several"));
}

#[test]
fn elmo_is_converted_beside_the_published_files() {
    let copy = TinyCopy::new();
    let folder = copy.path();
    let [options, weights] = Elmo::files(folder).unwrap();
    let text = fs::read(&options).unwrap();
    Elmo::convert(&options, &weights, folder).unwrap();
    assert_eq!(fs::read(&options).unwrap(), text, "under its own name");
    let published = folder.join("elmo_tiny_options.json");
    fs::rename(&options, &published).unwrap();
    Elmo::convert(&published, &weights, folder).unwrap();
    assert_eq!(Elmo::files(folder).unwrap(), [folder.join("options.json"), folder.join("weights.safetensors")]);
    copy.load().unwrap();
}
