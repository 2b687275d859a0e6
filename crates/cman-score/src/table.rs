//! The scores as tables for a terminal.

use std::fmt;

use crate::scores::{Prf, Scores, Section, Task};

impl fmt::Display for Scores {
    /// Writes a table per task and matching mode, in percent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks = [("entities", &self.entities), ("relations", &self.relations)];
        let sections = || tasks.iter().flat_map(|(name, task)| task.sections().map(move |(mode, s)| (*name, mode, s)));
        let titles = sections().map(|(name, mode, _)| name.len() + mode.len() + 2);
        let names = sections().flat_map(|(_, _, section)| section.types.keys().map(|name| name.chars().count() + 2));
        let width = titles.chain(names).max().unwrap_or(0);
        for (i, (name, mode, section)) in sections().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            let title = format!("{name}, {mode}");
            writeln!(f, "{title:width$}       P       R      F1     TP     FP     FN  support")?;
            for (name, prf) in &section.types {
                row(f, width, name, prf)?;
            }
            row(f, width, "micro", &section.micro)?;
            row(f, width, "macro", &section.macro_)?;
        }
        Ok(())
    }
}

impl Task {
    /// The sections with their names.
    fn sections(&self) -> impl Iterator<Item = (&'static str, &Section)> {
        let relaxed = self.relaxed.iter().map(|section| ("relaxed", section));
        [("strict", &self.strict), ("boundaries", &self.boundaries)].into_iter().chain(relaxed)
    }
}

fn row(f: &mut fmt::Formatter<'_>, width: usize, name: &str, prf: &Prf) -> fmt::Result {
    let [p, r, f1] = [prf.precision, prf.recall, prf.f1].map(|fraction| 100.0 * fraction);
    let width = width - 2;
    let (tp, fp, fn_, support) = (prf.tp, prf.fp, prf.fn_, prf.support);
    writeln!(f, "  {name:width$} {p:7.2} {r:7.2} {f1:7.2} {tp:6} {fp:6} {fn_:6} {support:8}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut scores = Scores::default();
        let prf = Prf::from_counts(2, 1, 2);
        scores.entities.strict = Section { micro: prf, macro_: prf, types: [("Peop".into(), prf)].into() };
        let text = scores.to_string();
        let first: Vec<&str> = text.lines().take(4).collect();
        assert_eq!(
            first,
            [
                "entities, strict            P       R      F1     TP     FP     FN  support",
                "  Peop                  66.67   50.00   57.14      2      1      2        4",
                "  micro                 66.67   50.00   57.14      2      1      2        4",
                "  macro                 66.67   50.00   57.14      2      1      2        4",
            ]
        );
        let titles: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once("  P ")?.0.trim())).collect();
        assert_eq!(titles, ["entities, strict", "entities, boundaries", "relations, strict", "relations, boundaries"]);
        let widths = text.lines().filter(|line| !line.is_empty()).map(str::len);
        assert!(widths.clone().all(|width| width == first[0].len()), "{text}");
    }
}
