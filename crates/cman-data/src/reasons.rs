//! Reasons why records were left out, grouped.

use std::fmt;

use serde::Serialize;

use crate::digits::push_masked;

/// Reasons why records were left out. Reasons that differ only in numbers and quoted text are one group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Reasons(Vec<Reason>);

/// A group of equal reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Number of records.
    pub count: usize,
    /// The message of the first record, with its location.
    pub first: String,
    #[serde(skip)]
    pattern: String,
}

impl Reasons {
    /// Most groups. Records with further reasons are counted in the last group.
    const MAX_GROUPS: usize = 100;

    /// Counts a record that is left out for `reason`. `message` is the reason with its location.
    pub fn add(&mut self, reason: &str, message: impl Into<String>) {
        let pattern = pattern(reason);
        let known = self.0.iter().position(|group| group.pattern == pattern);
        let full = (self.0.len() == Self::MAX_GROUPS).then_some(Self::MAX_GROUPS - 1);
        match known.or(full) {
            Some(group) => self.0[group].count += 1,
            None => self.0.push(Reason { count: 1, first: message.into(), pattern }),
        }
    }

    /// The groups, in the order of their first records.
    pub fn groups(&self) -> &[Reason] {
        &self.0
    }

    /// Number of records of all groups.
    pub fn total(&self) -> usize {
        self.0.iter().map(|group| group.count).sum()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => f.write_str(&self.first),
            count => write!(f, "{count} records, the first is {}", self.first),
        }
    }
}

impl fmt::Display for Reasons {
    /// Writes one line per group, each after a line end and two spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|group| write!(f, "\n  {group}"))
    }
}

/// The reason with `0` for each number and `""` for quoted text.
fn pattern(reason: &str) -> String {
    let mut pattern = String::with_capacity(reason.len());
    let (mut in_quotes, mut escaped) = (false, false);
    for char in reason.chars() {
        match char {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' => {
                in_quotes = !in_quotes;
                pattern.push('"');
            }
            _ if in_quotes => {}
            _ => push_masked(&mut pattern, char),
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_differ_in_numbers_and_quotes_are_one_group() {
        let mut reasons = Reasons::default();
        for (i, reason) in [
            r#"tokens[3]: expected a type, found "a \" 1""#,
            "entities[0].end: expected at most 12",
            r#"tokens[17]: expected a type, found "b""#,
        ]
        .into_iter()
        .enumerate()
        {
            reasons.add(reason, format!("record {i}, {reason}"));
        }
        assert_eq!(reasons.groups().iter().map(|group| group.count).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(reasons.total(), 3);
        assert_eq!(
            reasons.to_string(),
            "\n  2 records, the first is record 0, tokens[3]: expected a type, found \"a \\\" 1\"\
             \n  record 1, entities[0].end: expected at most 12"
        );
    }

    #[test]
    fn the_number_of_groups_is_bounded() {
        let mut reasons = Reasons::default();
        (0..300).for_each(|i| reasons.add(&"x".repeat(i), ""));
        assert_eq!((reasons.groups().len(), reasons.total()), (Reasons::MAX_GROUPS, 300));
    }
}
