//! The corpora, vectors and fixtures that are not part of the repository. Every test that needs them asks here; the
//! crates include this file by its path.

use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
};

/// A file or folder below `data/` of the folder that `CMAN_SHARED` names, `../shared` beside the checkout by default. A
/// relative folder starts at the root of the workspace.
///
/// Where the variable is not set and the data are not there, it says so on stderr, past the capturing of the test
/// harness, and returns `None`.
///
/// # Panics
/// If the variable is set and the data are not there: whoever sets it wants the test to run.
pub fn real_data(path: &str) -> Option<PathBuf> {
    let named = env::var_os("CMAN_SHARED");
    match find(path, named.as_ref().map(Path::new)) {
        Ok(path) => Some(path),
        Err(missing) if named.is_some() => panic!("CMAN_SHARED is set, but there is no {}", missing.display()),
        Err(missing) => {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            // A closed stderr is no reason to fail.
            _ = writeln!(
                std::io::stderr(),
                "skipped: {test}: CMAN_SHARED is not set and there is no {}",
                missing.display()
            );
            None
        }
    }
}

/// The path if something is there, else the path as an error.
fn find(path: &str, shared: Option<&Path>) -> Result<PathBuf, PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."); // of a crate in `crates/`
    let path = root.join(shared.unwrap_or(Path::new("../shared"))).join("data").join(path);
    if path.exists() { Ok(path) } else { Err(path) }
}
