//! Signals, such as Ctrl-C, during long work.

use std::{
    panic,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use pyo3::prelude::*;

/// Time between two looks at signals.
const INTERVAL: Duration = Duration::from_millis(50);

/// Runs `work` in another thread, while Python handles signals in this one and other threads of Python run. What a handler
/// raises sets `stop`, and is the result once the work has ended.
pub(super) fn watched<T: Send>(py: Python<'_>, stop: &AtomicBool, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    py.detach(|| {
        thread::scope(|scope| {
            let this = thread::current();
            let worker = scope.spawn(move || {
                let done = work();
                this.unpark();
                done
            });
            let mut raised = None;
            while !worker.is_finished() {
                thread::park_timeout(INTERVAL);
                if let Err(error) = Python::attach(|py| py.check_signals()) {
                    stop.store(true, Ordering::Relaxed);
                    raised.get_or_insert(error);
                }
            }
            let done = worker.join().unwrap_or_else(|reason| panic::resume_unwind(reason));
            raised.map_or(Ok(done), Err)
        })
    })
}
