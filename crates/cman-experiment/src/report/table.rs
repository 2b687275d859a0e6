//! Tables. Every number has a JSON pointer to its value in `results.json`.

use serde::Serialize;

use crate::summary::Moments;

/// A table.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Table {
    /// Caption.
    pub caption: String,
    /// Column headings.
    pub columns: Vec<String>,
    /// Number of leading text columns; the other columns are numbers.
    pub labels: usize,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell: text, or a number with an optional standard deviation.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Cell {
    pub text: String,
    /// JSON pointer to the number in `results.json`.
    pub path: Option<String>,
    /// The format of the number.
    pub unit: Option<Unit>,
    pub deviation: Option<Box<Cell>>,
    /// Whether the number is the best of its column.
    pub best: bool,
}

/// Format of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unit {
    /// A fraction of one, in percent with two decimals.
    Percent,
    /// Two decimals.
    Points,
    /// No decimals.
    Count,
    /// One decimal.
    Tenths,
    /// Four decimals.
    Probability,
}

impl Unit {
    fn format(self, value: f64) -> String {
        match self {
            Self::Percent => format!("{:.2}", 100.0 * value),
            Self::Points => format!("{value:.2}"),
            Self::Count => format!("{value:.0}"),
            Self::Tenths => format!("{value:.1}"),
            Self::Probability => format!("{value:.4}"),
        }
    }
}

impl Cell {
    /// A text cell.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A number cell; `path` is the JSON pointer to the number.
    pub fn number(value: f64, unit: Unit, path: impl Into<String>) -> Self {
        Self { text: unit.format(value), path: Some(path.into()), unit: Some(unit), ..Self::default() }
    }

    /// A count cell; `path` is the JSON pointer to the count.
    pub fn count(value: usize, path: impl Into<String>) -> Self {
        Self::number(value as f64, Unit::Count, path)
    }

    /// Mean and deviation; `path` is the JSON pointer to the moments.
    pub fn moments(moments: &Moments, unit: Unit, path: &str) -> Self {
        let deviation = |value| Box::new(Self::number(value, unit, format!("{path}/deviation")));
        Self { deviation: moments.deviation.map(deviation), ..Self::number(moments.mean, unit, format!("{path}/mean")) }
    }

    /// Mean and deviation in percent, or a dash.
    pub fn percent(moments: Option<&Moments>, path: &str) -> Self {
        moments.map_or_else(Self::none, |moments| Self::moments(moments, Unit::Percent, path))
    }

    /// A dash.
    pub fn none() -> Self {
        Self::text("–")
    }
}

impl Table {
    /// A table with text columns `labels` and number columns `numbers`.
    pub fn new(caption: &str, labels: &[&str], numbers: &[&str]) -> Self {
        let columns = labels.iter().chain(numbers).map(ToString::to_string).collect();
        Self { caption: caption.into(), columns, labels: labels.len(), rows: Vec::new() }
    }

    /// Marks the highest number of each column within each group of rows.
    pub fn mark_best(&mut self, groups: &[usize]) {
        for column in self.labels..self.columns.len() {
            for group in groups.iter().collect::<std::collections::BTreeSet<_>>() {
                let members: Vec<usize> = (0..self.rows.len()).filter(|&row| groups[row] == *group).collect();
                let value = |row: usize| self.rows[row][column].text.parse::<f64>().ok();
                let best = members.iter().filter_map(|&row| value(row)).max_by(f64::total_cmp);
                let winners: Vec<usize> =
                    members.iter().copied().filter(|&row| value(row) == best && best.is_some()).collect();
                if members.len() > 1 && winners.len() < members.len() {
                    winners.into_iter().for_each(|row| self.rows[row][column].best = true);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_format_numbers() {
        let cases = [
            (Unit::Percent, "81.25"),
            (Unit::Points, "0.81"),
            (Unit::Count, "1"),
            (Unit::Tenths, "0.8"),
            (Unit::Probability, "0.8125"),
        ];
        for (unit, text) in cases {
            assert_eq!(Cell::number(0.8125, unit, "/a").text, text);
        }
        let cell = Cell::moments(&Moments::of([0.5, 0.7]).unwrap(), Unit::Percent, "/a");
        let deviation = cell.deviation.unwrap();
        assert_eq!((cell.text.as_str(), cell.path.as_deref()), ("60.00", Some("/a/mean")));
        assert_eq!((deviation.text.as_str(), deviation.path.as_deref()), ("14.14", Some("/a/deviation")));
    }

    #[test]
    fn the_best_of_each_group_is_marked() {
        let mut table = Table::new("", &["system"], &["F1"]);
        let row = |value: f64| vec![Cell::text("s"), Cell::number(value, Unit::Points, "/a")];
        table.rows = [1.0, 2.0, 2.0, 9.0, 8.0].map(row).to_vec();
        table.mark_best(&[0, 0, 0, 1, 1]);
        assert_eq!(table.rows.iter().map(|row| row[1].best).collect::<Vec<_>>(), [false, true, true, true, false]);
    }
}
