//! The process that holds a lock, as other processes read it in the lock file.

use std::{
    fmt, fs,
    path::Path,
    process::{self, Command},
    thread,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

/// The process that holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// Process id.
    pub process: u32,
    /// Name of its machine.
    pub host: String,
    /// When it took the lock, such as `2026-11-28 06:30:12 UTC`.
    pub since: String,
}

impl LockHolder {
    /// The calling process, since now.
    pub(crate) fn this_process() -> Self {
        let since = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs());
        Self { process: process::id(), host: host(), since: utc(since) }
    }

    /// Whether it is the calling process.
    pub fn is_this_process(&self) -> bool {
        self.process == process::id() && self.host == host()
    }

    /// Reads a lock file. A new holder may not have written its name yet: the file is then empty, or names a process that
    /// was killed. Some systems let no other process read a locked file.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let mut holder: Option<Self> = None;
        for attempt in 0..10 {
            thread::sleep(Duration::from_millis(10 * attempt));
            holder = fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok());
            if holder.as_ref().is_some_and(|holder| !holder.has_ended()) {
                break;
            }
        }
        holder
    }

    /// Whether the process has ended, as far as this machine knows. Only Linux lists its processes as files.
    fn has_ended(&self) -> bool {
        let processes = Path::new("/proc");
        self.host == host() && processes.join("self").exists() && !processes.join(self.process.to_string()).exists()
    }
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process, host, since } = self;
        write!(f, "process {process} on host {host} has been writing here since {since}")
    }
}

/// The name of this machine.
fn host() -> String {
    let of_program = || Command::new("hostname").output().map(|output| String::from_utf8_lossy(&output.stdout).into());
    let name: String = fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| of_program()).unwrap_or_default();
    name.trim().to_owned()
}

/// A time in seconds since 1970 as `2026-11-28 06:30:12 UTC`, by the calendar algorithm of Howard Hinnant
/// (`civil_from_days`). Its years start in March, so that leap days are at their ends.
fn utc(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = 400 * era + year + u64::from(month <= 2);
    let day = day - (153 * from_march + 2) / 5 + 1;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_killed_holder_is_not_named_while_the_next_one_writes_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        let write = |holder: &LockHolder| fs::write(&path, serde_json::to_vec(holder).unwrap()).unwrap();
        let next = LockHolder::this_process();
        let killed = LockHolder { process: u32::MAX, ..next.clone() }; // above the largest process id
        write(&killed);
        assert_eq!(LockHolder::read(&path), Some(killed), "there is no other name");
        let found = thread::scope(|scope| {
            let reader = scope.spawn(|| LockHolder::read(&path));
            thread::sleep(Duration::from_millis(30));
            write(&next);
            reader.join().unwrap()
        });
        assert_eq!(found, Some(next));
    }

    #[test]
    fn times_are_dates_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_799, "2000-02-29 23:59:59 UTC"),
            (1_709_251_200, "2024-03-01 00:00:00 UTC"),
            (1_795_847_412, "2026-11-28 06:30:12 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(utc(seconds), expected);
        }
    }
}
