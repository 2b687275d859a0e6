//! Paths from one folder to another.

use std::path::{Component, Path, PathBuf};

/// The path from the folder `from` to `to`, both absolute and without links; `None` if they share no folder.
///
/// ```
/// use cman_data::path::relative;
///
/// assert_eq!(relative("/a/b".as_ref(), "/a/c/d".as_ref()), Some("../c/d".into()));
/// ```
pub fn relative(from: &Path, to: &Path) -> Option<PathBuf> {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    (shared > 0).then(|| up.chain(to.components().skip(shared)).collect())
}
