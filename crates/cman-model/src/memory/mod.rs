//! Limits of memory, and whether a batch fits: known before the memory is taken, because an allocation that fails aborts
//! the process.

mod prediction;
mod process;

use std::{fmt, str::FromStr};

use cman_data::Sentence;
pub use prediction::PredictionMemory;

use crate::error::ModelError;

/// How much memory the process may take.
///
/// ```
/// use cman_model::MemoryLimit;
///
/// assert_eq!("1.5GB".parse(), Ok(MemoryLimit::Most(1_500_000_000)));
/// assert_eq!("4 GiB".parse(), Ok(MemoryLimit::Most(4 << 30)));
/// assert_eq!("none".parse(), Ok(MemoryLimit::None));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemoryLimit {
    /// What the machine has left, the control group and `ulimit -v` allow. On Linux alone; elsewhere no limit.
    #[default]
    System,
    /// So many bytes in all.
    Most(u64),
    /// No limit.
    None,
}

/// The memory that the process may still take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLeft {
    /// Bytes; `None` without a limit.
    bytes: Option<u64>,
    /// What limits it.
    bound: &'static str,
}

impl MemoryLimit {
    /// What the process may still take under this limit.
    pub fn left(self) -> MemoryLeft {
        match self {
            Self::System => process::left(),
            Self::Most(bytes) => {
                let bytes = Some(bytes.saturating_sub(process::resident().unwrap_or(0)));
                MemoryLeft { bytes, bound: "--max-memory" }
            }
            Self::None => MemoryLeft { bytes: None, bound: "no limit" },
        }
    }
}

impl MemoryLeft {
    /// Whether so many bytes fit.
    pub fn fits(self, bytes: f64) -> bool {
        self.bytes.is_none_or(|left| bytes <= left as f64)
    }

    /// Refuses a batch that does not fit. `task` needs `needed` bytes for it. Its longest sentence is the one with this index
    /// in the data `part`; by itself it needs `alone`.
    ///
    /// # Errors
    /// [`ModelError::Memory`].
    pub fn check(
        self,
        [needed, alone]: [f64; 2],
        task: &'static str,
        (part, index, sentence): (&str, usize, &Sentence),
    ) -> Result<(), ModelError> {
        if self.fits(needed) {
            return Ok(());
        }
        let (id, tokens) = (&sentence.id, sentence.len());
        let id = if id.as_str().is_empty() { String::new() } else { format!("id {id}, ") };
        Err(ModelError::Memory {
            place: format!("{part}: sentence {} ({id}{tokens} tokens)", index + 1),
            task,
            needed: size(needed),
            left: size(self.bytes.unwrap_or(u64::MAX) as f64),
            bound: self.bound,
            sentence_fits: self.fits(alone),
        })
    }
}

/// Text that is not an amount of memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a size such as 4GB or 512MiB, `none` or `system`")]
pub struct ParseMemoryError;

impl FromStr for MemoryLimit {
    type Err = ParseMemoryError;

    fn from_str(text: &str) -> Result<Self, ParseMemoryError> {
        match text {
            "none" => return Ok(Self::None),
            "system" => return Ok(Self::System),
            _ => {}
        }
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1.0,
            "kb" | "k" => 1e3,
            "mb" | "m" => 1e6,
            "gb" | "g" => 1e9,
            "tb" | "t" => 1e12,
            "kib" => 1024.0,
            "mib" => f64::from(1 << 20),
            "gib" => f64::from(1 << 30),
            "tib" => 1024.0 * f64::from(1 << 30),
            _ => return Err(ParseMemoryError),
        };
        let bytes = number.parse::<f64>().map_err(|_| ParseMemoryError)? * unit;
        if (1.0..1e18).contains(&bytes) { Ok(Self::Most(bytes as u64)) } else { Err(ParseMemoryError) }
    }
}

impl fmt::Display for MemoryLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Most(bytes) => f.write_str(&size(*bytes as f64)),
            Self::None => f.write_str("none"),
        }
    }
}

/// `1.5 GB`.
fn size(bytes: f64) -> String {
    let (unit, divisor) = if bytes < 1e9 { ("MB", 1e6) } else { ("GB", 1e9) };
    let amount = bytes / divisor;
    if amount < 100.0 { format!("{amount:.1} {unit}") } else { format!("{amount:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("7", 7), ("2kB", 2000), ("3MiB", 3 << 20), ("0.5 gb", 500_000_000), ("1TiB", 1 << 40)] {
            assert_eq!(text.parse(), Ok(MemoryLimit::Most(bytes)), "{text}");
        }
        for limit in [MemoryLimit::System, MemoryLimit::None, MemoryLimit::Most(2_000_000)] {
            assert_eq!(limit.to_string().parse(), Ok(limit));
        }
        for text in ["", "GB", "-1GB", "1 XB", "1..2GB", "0", "inf", "1e9"] {
            assert_eq!(text.parse::<MemoryLimit>(), Err(ParseMemoryError), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_bound() {
        let left = MemoryLeft { bytes: Some(2_000_000_000), bound: "test" };
        let sentence = Sentence::from_tokens("a7", ["x"; 9]);
        let check =
            |left: MemoryLeft, bytes| left.check([bytes, 1e9], "training on its batch", ("train", 2, &sentence));
        check(left, 2e9).unwrap();
        assert_eq!(
            check(left, 3.25e9).unwrap_err().to_string(),
            "train: sentence 3 (id a7, 9 tokens): training on its batch needs about 3.2 GB of memory, 2.0 GB are left \
             (test)"
        );
        check(MemoryLimit::None.left(), f64::MAX).unwrap();
        assert!(!MemoryLimit::Most(1).left().fits(2.0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_running_machine_has_some_memory_left() {
        let left = MemoryLimit::System.left();
        assert!(left.bytes.is_some() && left.fits(1e3) && !left.fits(1e15), "{left:?}");
    }
}
