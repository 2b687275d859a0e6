//! Two clocks: the wall's, and the processor's for this thread, which does not run while others use the core.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use serde::Serialize;

/// What a piece of work took, in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Took {
    /// By the wall clock.
    wall: f64,
    /// Of the processor, by this thread alone: with one thread, all there is. None where the system does not tell.
    cpu: Option<f64>,
}

/// Does the work, and says what it took.
pub fn time<T>(work: impl FnOnce() -> T) -> (T, Took) {
    let cpu_start = cpu();
    let start = Instant::now();
    let result = work();
    let wall = start.elapsed().as_secs_f64();
    let took = Took { wall, cpu: cpu().zip(cpu_start).map(|(end, start)| end - start) };
    (result, took)
}

fn cpu() -> Option<f64> {
    // The system brings the count up to date when the thread goes to sleep.
    thread::sleep(Duration::from_nanos(1));
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}
