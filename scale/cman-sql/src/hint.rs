//! Hints: how to resolve an error.

use crate::error::SqlError;

/// What a message contains, and the hint for it.
const HINTS: [(&str, &str); 7] = [
    (
        ": no such file",
        "a pattern such as 'docs/*.parquet' must match; a folder must contain files with a known extension",
    ),
    (
        "cman_extract: model",
        "the path of a model is one on the machine that runs the function: on a cluster, on each executor",
    ),
    (
        "no object store for",
        "s3:// and http:// are read with settings of the environment; for gs:// and az:// build with `--features gs,az`",
    ),
    ("Invalid function 'cman_extract'", "the processes of the cluster must be `cman-scheduler` and `cman-executor`"),
    ("no UDF named \"cman_extract\"", "the processes of the cluster must be `cman-scheduler` and `cman-executor`"),
    ("ConnectError", "is a scheduler running there? `cman-scheduler` starts one, on port 50050"),
    ("transport error", "is a scheduler running there? `cman-scheduler` starts one, on port 50050"),
];

/// How to resolve an error, if it is known.
pub fn hint(error: &SqlError) -> Option<&'static str> {
    let text = error.to_string();
    if let SqlError::Plan(_) = error
        && text.contains("table '")
        && text.contains("not found")
    {
        return Some("a file name needs single quotes: FROM 'docs.parquet'");
    }
    match error {
        SqlError::Exists { .. } => Some("give a folder that is new or empty"),
        _ => HINTS.iter().find(|(part, _)| text.contains(part)).map(|(_, hint)| *hint),
    }
}
