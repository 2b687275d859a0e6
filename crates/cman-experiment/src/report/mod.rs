//! The report of an experiment: one self-contained HTML page, and the same content in Markdown.
//!
//! The report reads `results.json` and, for the error browser, the predictions. The `data-path` of every number in a
//! table is a JSON pointer to its value in `results.json`.

mod browser;
mod page;
mod plots;
mod sections;
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
};

use browser::Browser;

use crate::{error::ExperimentError, results::Results, storage::replace};

/// Writes `report.html`, `report.md` and `plots/*.svg` to the folder of an experiment. Returns the paths of the first
/// two.
///
/// # Errors
/// Results or predictions that cannot be read; files that cannot be written.
pub fn write_report(folder: &Path) -> Result<[PathBuf; 2], ExperimentError> {
    let results = Results::load(folder)?;
    let browser = Browser::read(&results, folder)?;
    let sections = sections::sections(&results);
    let plots = folder.join("plots");
    fs::create_dir_all(&plots).map_err(|source| ExperimentError::io(&plots, source))?;
    for plot in sections.iter().flat_map(|section| &section.plots) {
        replace(&plots.join(format!("{}.svg", plot.name)), plot.svg.as_bytes())?;
    }
    let [html, markdown] = ["report.html", "report.md"].map(|name| folder.join(name));
    replace(&html, page::html(&results, &sections, &browser).as_bytes())?;
    replace(&markdown, page::markdown(&results, &sections).as_bytes())?;
    Ok([html, markdown])
}
