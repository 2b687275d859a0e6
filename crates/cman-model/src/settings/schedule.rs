//! Learning-rate schedules.

use serde::{Deserialize, Serialize};

/// A learning-rate schedule. It depends on the progress of training alone, so a resumed run needs no schedule state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// How the rate decreases after the warm-up.
    pub kind: ScheduleKind,
    /// Epochs of linear warm-up from 0.
    pub warmup_epochs: f64,
    /// The factor per epoch of `exponential`.
    pub decay: f64,
}

/// How the learning rate decreases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleKind {
    /// It stays constant.
    #[default]
    Constant,
    /// By the factor `decay` per epoch.
    Exponential,
    /// Linearly to 0 at the end of the last epoch.
    Linear,
    /// Along half a cosine to 0 at the end of the last epoch.
    Cosine,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { kind: ScheduleKind::Constant, warmup_epochs: 0.0, decay: 1.0 }
    }
}

impl Schedule {
    /// The factor on the learning rate after `at` (fractional) of `epochs` epochs.
    pub fn factor(&self, at: f64, epochs: f64) -> f64 {
        if at < self.warmup_epochs {
            return at / self.warmup_epochs;
        }
        let decayed = at - self.warmup_epochs;
        let part = (decayed / (epochs - self.warmup_epochs).max(f64::MIN_POSITIVE)).min(1.0);
        match self.kind {
            ScheduleKind::Constant => 1.0,
            ScheduleKind::Exponential => self.decay.powf(decayed),
            ScheduleKind::Linear => 1.0 - part,
            ScheduleKind::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * part).cos()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_warm_up_and_decrease_as_defined() {
        let schedule = |kind| Schedule { kind, warmup_epochs: 2.0, decay: 0.5 };
        for kind in [ScheduleKind::Constant, ScheduleKind::Exponential, ScheduleKind::Linear, ScheduleKind::Cosine] {
            assert_eq!(schedule(kind).factor(0.0, 10.0), 0.0);
            assert_eq!(schedule(kind).factor(1.0, 10.0), 0.5);
            assert_eq!(schedule(kind).factor(2.0, 10.0), 1.0);
        }
        assert_eq!(schedule(ScheduleKind::Constant).factor(10.0, 10.0), 1.0);
        assert_eq!(schedule(ScheduleKind::Exponential).factor(4.0, 10.0), 0.25);
        assert_eq!(schedule(ScheduleKind::Linear).factor(6.0, 10.0), 0.5);
        assert!((schedule(ScheduleKind::Cosine).factor(6.0, 10.0) - 0.5).abs() < 1e-12);
        assert_eq!(schedule(ScheduleKind::Linear).factor(11.0, 10.0), 0.0);
    }
}
