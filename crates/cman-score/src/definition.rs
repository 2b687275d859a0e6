//! The published scorers, by name.

use std::{fmt, str::FromStr};

use crate::error::ScoreError;

/// The rules of a scorer.
///
/// All four agree on strict micro scores if all types are declared and no predicted entities overlap. They differ in
/// the macro average, in the treatment of undeclared types, and in the representation of predictions:
///
/// | | macro average over | undeclared types | predictions |
/// |---|---|---|---|
/// | `cman` | declared types | counted, in separate rows | unchanged |
/// | `multihead` | declared types | counted, in separate rows | converted to BIO tags and last tokens |
/// | `spert` | types that occur in gold or predictions | counted, in separate rows | unchanged |
/// | `sincere` | declared types | ignored | unchanged |
///
/// Metrics that a published scorer lacks (the strict macro average of `multihead`; entity boundaries of `spert` and
/// `sincere`) follow the rules of `cman`, over the same types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Definition {
    /// The rules of this library.
    #[default]
    Cman,
    /// Bekoulis et al. 2018 (multi-head selection): `strict` and `boundaries` are its BIO mode. `relaxed` is its EC
    /// mode, in which boundaries are given and the macro average excludes `Other`.
    Multihead,
    /// Eberts and Ulges 2020 (SpERT): for relations, `strict` is its score "with NEC" and `boundaries` its score without.
    Spert,
    /// Taillé et al. 2020, "Let's Stop Incorrect Comparisons in End-to-end Relation Extraction!"
    Sincere,
}

impl Definition {
    /// All definitions.
    pub const ALL: [Self; 4] = [Self::Cman, Self::Multihead, Self::Spert, Self::Sincere];

    /// The name, as in [`Display`](fmt::Display) and [`FromStr`].
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
    fn names_survive_a_round_trip() {
        for definition in Definition::ALL {
            assert_eq!(definition.to_string().parse(), Ok(definition));
        }
        let error = "SpERT".parse::<Definition>().unwrap_err();
        assert_eq!(error, ScoreError::Definition { found: "SpERT".into() });
    }
}
