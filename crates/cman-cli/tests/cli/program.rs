//! Runs the program.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::LazyLock,
};

use serde_json::Value;
use tempfile::TempDir;

/// Settings of a very small network that has every part.
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

/// The status and output of the program.
pub struct Run {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The standard output of a run that succeeded without messages.
    #[track_caller]
    pub fn quiet(self) -> String {
        assert_eq!((self.status, self.stderr.as_str()), (Some(0), ""));
        self.stdout
    }

    /// The one-line error of a run that failed without a hint.
    #[track_caller]
    pub fn failure(self) -> String {
        let (error, hint) = self.failure_with_hint();
        assert_eq!(hint, None, "{error}");
        error
    }

    /// The one-line error of a run that failed, and the one-line hint if there is one.
    #[track_caller]
    pub fn failure_with_hint(self) -> (String, Option<String>) {
        assert_eq!(self.status, Some(1), "{}{}", self.stdout, self.stderr);
        let stderr = self.stderr.strip_suffix('\n').expect("a complete line");
        let (error, hint) = match stderr.split_once("\n\n") {
            Some((error, rest)) => {
                (error, Some(rest.strip_prefix("hint: ").expect("a line that starts with `hint: `")))
            }
            None => (stderr, None),
        };
        assert!(!error.contains('\n') && hint.is_none_or(|hint| !hint.contains('\n')), "{stderr}");
        (error.strip_prefix("error: ").expect("a line that starts with `error: `").to_owned(), hint.map(str::to_owned))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// A temporary folder.
pub struct Folder(pub TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file, also in a folder that does not exist yet.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
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
        // Write errors are ignored: the program may exit before it has read all input.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    });
    output.into()
}

/// The program with piped input and output.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cman"));
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A file of the sample corpus.
pub fn sample(name: &str) -> String {
    format!("{}/../cman-data/sample/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A folder with the first sentences of the sample corpus: 320 for training, 60 each for dev and test.
pub fn small_corpus() -> &'static str {
    static FOLDER: LazyLock<String> = LazyLock::new(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cman-cli-corpus");
        fs::create_dir_all(&folder).unwrap();
        fs::copy(sample("types.json"), folder.join("types.json")).unwrap();
        for (part, count) in [("train", 320), ("dev", 60), ("test", 60)] {
            let sentences = json(sample(&format!("{part}.json")));
            let first = &sentences.as_array().unwrap()[..count];
            fs::write(folder.join(format!("{part}.json")), serde_json::to_vec(first).unwrap()).unwrap();
        }
        folder.to_str().unwrap().to_owned()
    });
    &FOLDER
}

/// The arguments that train on the small corpus.
pub fn small_data() -> &'static [&'static str] {
    static ARGUMENTS: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let file = |part: &str| &*format!("{}/{part}.json", small_corpus()).leak();
        let arguments = ["train", "dev", "test", "types"].map(|part| [&*format!("--{part}").leak(), file(part)]);
        arguments.concat()
    });
    &ARGUMENTS
}

/// The sample experiment of the repository, with the small corpus.
pub fn small_experiment() -> &'static str {
    static FILE: LazyLock<String> = LazyLock::new(|| {
        let file = format!("{}/../../experiments/sample.toml", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(file).unwrap();
        let (folder, corpus) = ("../crates/cman-data/sample", small_corpus());
        assert!(text.contains(folder), "{text}");
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cman-cli-experiment.toml");
        fs::write(&file, text.replace(folder, corpus)).unwrap();
        file.to_str().unwrap().to_owned()
    });
    &FILE
}

/// The demo model, which finds entities and relations.
pub fn demo() -> String {
    format!("{}/../cman-demo/demo.cman", env!("CARGO_MANIFEST_DIR"))
}

/// The folder of a model trained for one epoch, and the standard output of the training.
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

/// Copies the model to a folder.
pub fn model_copy(folder: &Path) -> String {
    for entry in fs::read_dir(model().0).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

/// Reads a JSON file.
pub fn json(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}
