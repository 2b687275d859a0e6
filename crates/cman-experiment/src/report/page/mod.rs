//! Renders the sections with the templates in this folder.

use minijinja::{AutoEscape, Environment, Value, context, syntax::SyntaxConfig, value::Serde};

use super::{browser::Browser, sections::Section};
use crate::results::Results;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// The HTML page.
pub(super) fn html(results: &Results, sections: &[Section], browser: &Browser) -> String {
    let data = (!browser.views.is_empty()).then(|| Value::from_safe_string(browser.to_json()));
    render("report.html", include_str!("report.html"), results, sections, data)
}

/// The Markdown page, without the error browser.
pub(super) fn markdown(results: &Results, sections: &[Section]) -> String {
    render("report.md", include_str!("report.md"), results, sections, None)
}

fn render(name: &str, template: &str, results: &Results, sections: &[Section], browser: Option<Value>) -> String {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the default delimiters are valid"));
    environment
        .set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    let finished = results.runs.iter().filter(|run| run.outcome.is_some()).count();
    let failed = results.runs.len() - finished;
    let context = context! {
        results => Value::from(Serde(results)),
        sections => Value::from(Serde(sections)),
        finished,
        failed,
        browser,
        style => Value::from_safe_string(STYLE.into()),
        script => Value::from_safe_string(SCRIPT.into()),
    };
    environment.render_named_str(name, template, context).expect("the templates match the results")
}
