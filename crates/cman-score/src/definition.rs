//! The scorers of the literature, by name.

use std::{fmt, str::FromStr};

use crate::ScoreError;

/// Whose rules to count by.
///
/// All four agree on strict micro figures as long as every type is declared and no predicted entities overlap. They differ
/// in the macro average, in what they do with undeclared types, and in what a prediction is:
///
/// | | macro average over | undeclared types | predictions |
/// |---|---|---|---|
/// | `cman` | the declared types | counted, in rows of their own | as they are |
/// | `multihead` | the declared types | counted, in rows of their own | read through BIO tags and last tokens |
/// | `spert` | the types that occur in gold or prediction | counted, in rows of their own | as they are |
/// | `sincere` | the declared types | left out | as they are |
///
/// A figure that a published scorer does not have (the macro average of `multihead`'s strict mode; the boundaries of
/// entities of `spert` and `sincere`) is filled in by our own rule, over the same types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Definition {
    /// The report of this library.
    #[default]
    Cman,
    /// Bekoulis et al. 2018 (multi-head selection): `strict` and `boundaries` of its BIO mode, and as `relaxed` its
    /// EC mode, in which boundaries are given and the macro average leaves `Other` out.
    Multihead,
    /// Eberts and Ulges 2020 (SpERT): `strict` relations are its scores "with NEC", `boundaries` those without.
    Spert,
    /// Taillé et al. 2020, "Let's Stop Incorrect Comparisons in End-to-end Relation Extraction!"
    Sincere,
}

impl Definition {
    /// All definitions.
    pub const ALL: [Self; 4] = [Self::Cman, Self::Multihead, Self::Spert, Self::Sincere];

    /// The name, as [`Display`](fmt::Display) writes and [`FromStr`] reads it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cman => "cman",
            Self::Multihead => "multihead",
            Self::Spert => "spert",
            Self::Sincere => "sincere",
        }
    }
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Definition {
    type Err = ScoreError;

    fn from_str(name: &str) -> Result<Self, ScoreError> {
        let found = Self::ALL.into_iter().find(|definition| definition.name() == name);
        found.ok_or_else(|| ScoreError::Definition { found: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        for definition in Definition::ALL {
            assert_eq!(definition.to_string().parse(), Ok(definition));
        }
        let error = "SpERT".parse::<Definition>().unwrap_err();
        assert_eq!(error, ScoreError::Definition { found: "SpERT".into() });
    }
}
