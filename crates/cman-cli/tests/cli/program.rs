//! Running the program.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use serde_json::Value;

/// Settings of the smallest network that still has every part.
pub const SMALL: [&str; 8] = [
    "--set",
    "model.hidden=8",
    "--set",
    "model.character.width=8",
    "--set",
    "model.relation.hidden=8",
    "--set",
    "model.word.width=8",
];

/// What a run of the program left.
pub struct Run {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The standard output of a run without a failure or anything to complain about.
    #[track_caller]
    pub fn quiet(self) -> String {
        assert_eq!((self.status, self.stderr.as_str()), (Some(0), ""));
        self.stdout
    }

    /// The one line on the standard error of a run that failed.
    #[track_caller]
    pub fn failure(self) -> String {
        assert_eq!(self.status, Some(1), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        self.stderr.trim_end().strip_prefix("error: ").expect("a line that starts with `error: `").to_owned()
    }
}

/// Runs the program.
pub fn cman(args: &[&str]) -> Run {
    cman_reading(b"", args)
}

/// Runs the program with this standard input.
pub fn cman_reading(input: &[u8], args: &[&str]) -> Run {
    let mut child = command(args).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // A program that does not read its input to the end is no fault of the test.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    });
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The program with pipes at both ends.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cman"));
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A file of the sample corpus.
pub fn sample(name: &str) -> String {
    format!("{}/../cman-data/sample/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A model that was trained for an epoch, and what the training printed.
pub fn model() -> (&'static str, &'static str) {
    static MODEL: LazyLock<(String, String)> = LazyLock::new(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cman-cli-model");
        let _ = fs::remove_dir_all(&folder);
        let folder = folder.to_str().unwrap().to_owned();
        let args = [&["train", "--sample", "--epochs", "1", "--out", &folder], &SMALL[..]].concat();
        (folder.clone(), cman(&args).quiet())
    });
    (&MODEL.0, &MODEL.1)
}

/// A copy of the model that may be spoilt.
pub fn model_copy(folder: &Path) -> String {
    for entry in fs::read_dir(model().0).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

/// A JSON file.
pub fn json(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}
