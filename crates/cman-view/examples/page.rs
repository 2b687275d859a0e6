//! Writes the page of a corpus or of predictions, with the arguments of `cman view`.
//!
//! `cargo run -p cman-view --example page -- FILE --out PAGE.html [--gold FILE]`

use std::{env, error::Error, fs, path::Path};

use cman_view::{Page, read};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let option = |name: &str| arguments.iter().position(|own| own == name).and_then(|i| arguments.get(i + 1));
    let (Some(input), Some(out)) = (arguments.first(), option("--out")) else {
        return Err("usage: page FILE --out PAGE.html [--gold FILE]".into());
    };
    let mut page = Page::new(Path::new(input).file_name().unwrap_or_default().to_string_lossy(), read(input)?)?;
    if let Some(gold) = option("--gold") {
        page = page.gold(read(gold)?.into_iter().map(|annotated| annotated.sentence).collect())?;
    }
    fs::write(out, page.html())?;
    Ok(())
}
