//! `generate`.

use std::fs;

use crate::program::cman;

#[test]
fn the_reference_in_the_book_is_what_help_prints() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CLI.md");
    let written = fs::read_to_string(page).unwrap();
    assert!(written == cman(&["generate", "reference"]).quiet(), "cman generate reference > docs/CLI.md");
}

#[test]
fn completions_and_man_pages_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = cman(&["generate", "completions", shell]).quiet();
        assert!(script.contains("predict") && script.contains("max-memory"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    let man = folder.path().join("man1");
    cman(&["generate", "man", man.to_str().unwrap()]).quiet();
    let page = fs::read_to_string(man.join("cman-predict.1")).unwrap();
    assert!(page.contains(".TH") && page.contains("entities and relations"), "{page}");
    assert!(man.join("cman.1").exists() && man.join("cman-train.1").exists());
}
