//! Atomic output files.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use cman_data::file::Draft;
use serde::Serialize;

/// Whether the path stands for standard output.
pub fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// Whether two paths lead to one file that exists.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Refuses an output file that is one of the inputs.
pub fn refuse_inputs(out: &Path, inputs: &[&Path]) -> Result<()> {
    if inputs.iter().any(|input| is_same_file(out, input)) {
        bail!("{}: the output is an input file", out.display());
    }
    Ok(())
}

/// Refuses a folder to write that contains an input file.
pub fn refuse_inputs_in(folder: &Path, inputs: &[PathBuf]) -> Result<()> {
    let Ok(folder) = folder.canonicalize() else { return Ok(()) };
    for input in inputs {
        if input.canonicalize().is_ok_and(|input| input.parent() == Some(&folder)) {
            bail!("{}: an input file in the folder to write", input.display());
        }
    }
    Ok(())
}

/// Writes to `path` with the function `content`; `-` is standard output. A file is written under a temporary name and
/// renamed when it is complete; a device or pipe is written directly.
pub fn write(path: &Path, content: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let (mut writer, draft) = open(path)?;
    content(&mut writer)?;
    writer.flush().with_context(|| path.display().to_string())?;
    publish(path, draft)
}

/// Opens `path` as [`write`] does. [`publish`] gives the file its name when it is complete.
pub fn open(path: &Path) -> Result<(Box<dyn Write>, Option<Draft>)> {
    if is_stdout(path) {
        return Ok((Box::new(BufWriter::new(io::stdout().lock())), None));
    }
    let destination = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => bail!("{}: expected a file, found a directory", path.display()),
        Ok(metadata) if metadata.is_file() => path.canonicalize().with_context(|| path.display().to_string())?,
        Ok(_) => {
            let file = File::options().write(true).open(path).with_context(|| path.display().to_string())?;
            return Ok((Box::new(BufWriter::new(file)), None));
        }
        Err(_) => path.to_owned(),
    };
    let draft = Draft::of(destination);
    let file = draft.create().with_context(|| path.display().to_string())?;
    Ok((Box::new(BufWriter::new(file)), Some(draft)))
}

/// Gives a complete file its name.
pub fn publish(path: &Path, draft: Option<Draft>) -> Result<()> {
    draft.map_or(Ok(()), Draft::publish).with_context(|| path.display().to_string())
}

/// Writes `value` as JSON.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let json = serde_json::to_string_pretty(value)?;
    write(path, |writer| writeln!(writer, "{json}").with_context(|| path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_complete_file_replaces_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write(&path, |writer| Ok(writer.write_all(b"old")?)).unwrap();
        let failed = write(&path, |writer| {
            writer.write_all(b"half")?;
            bail!("no more")
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        write_json(&path, &[1]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[\n  1\n]\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the draft is removed");
    }

    #[test]
    fn a_folder_is_not_a_valid_destination() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(folder.path(), |_| Ok(())).unwrap_err();
        assert!(error.to_string().ends_with("expected a file, found a directory"));
        let error = write(&folder.path().join("none/a"), |_| Ok(())).unwrap_err();
        assert!(error.to_string().ends_with("none/a"));
    }
}
