//! The machine of an experiment.

use std::{env::consts, fs, thread};

use burn_ragged::DeviceKind;
use serde::{Deserialize, Serialize};

/// A machine and a backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor.
    pub cpu: String,
    /// Number of hardware threads.
    pub threads: usize,
    /// Operating system and architecture.
    pub system: String,
    /// The backend of burn.
    pub backend: String,
}

impl Machine {
    /// This machine.
    pub fn here(backend: DeviceKind) -> Self {
        // Only Linux has this file; other systems report the architecture.
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        Self {
            cpu: model.map_or(consts::ARCH, |(_, name)| name.trim()).into(),
            threads: thread::available_parallelism().map_or(1, usize::from),
            system: format!("{} {}", consts::OS, consts::ARCH),
            backend: backend.name().into(),
        }
    }
}
