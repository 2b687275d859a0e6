//! Wall-clock time and processor time of the current thread, which excludes the time that other processes use the core.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use serde::Serialize;

/// Time of a measurement, in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Took {
    /// Wall-clock time.
    wall: f64,
    /// Processor time of this thread alone; `None` if the system does not report it.
    cpu: Option<f64>,
}

/// Runs `work` and measures its time.
pub fn time<T>(work: impl FnOnce() -> T) -> (T, Took) {
    let cpu_start = cpu();
    let start = Instant::now();
    let result = work();
    let wall = start.elapsed().as_secs_f64();
    let took = Took { wall, cpu: cpu().zip(cpu_start).map(|(end, start)| end - start) };
    (result, took)
}

fn cpu() -> Option<f64> {
    // The system updates the counter when the thread sleeps.
    thread::sleep(Duration::from_nanos(1));
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}
