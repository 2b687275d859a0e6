//! The threads that compute.

use std::{
    mem, process,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::errors::{CmanError, StartError, exception};

/// As many threads as the process may use. Extractors without a number of their own share them.
static ALL: LazyLock<Arc<Threads>> = LazyLock::new(|| Arc::new(Threads::new(0)));

/// A number of threads. They start with the first work.
///
/// A process that is forked has none of the threads of its parent. It starts its own.
pub(crate) struct Threads {
    /// 0 for as many as the process may use.
    count: usize,
    /// The threads, and the process in which they run.
    pool: Mutex<Option<(u32, Arc<ThreadPool>)>>,
}

impl Threads {
    fn new(count: usize) -> Self {
        Self { count, pool: Mutex::new(None) }
    }

    /// This number of threads, or those that are shared.
    pub(crate) fn of(count: Option<u16>) -> PyResult<Arc<Self>> {
        match count {
            None => Ok(Arc::clone(&ALL)),
            Some(0) => Err(CmanError::new_err("threads: expected at least 1, found 0")),
            Some(count) => Ok(Arc::new(Self::new(count.into()))),
        }
    }

    /// The number that was asked for.
    pub(crate) fn count(&self) -> Option<u16> {
        u16::try_from(self.count).ok().filter(|&count| count > 0)
    }

    /// Runs `work` on the threads, while this thread waits for it.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, StartError> {
        Ok(self.pool().map_err(StartError)?.install(work))
    }

    /// Runs `work` on the threads, while other threads of Python run.
    pub(crate) fn detached<T: Send>(&self, py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
        py.detach(|| self.run(work)).map_err(|error| exception(&error))
    }

    fn pool(&self) -> Result<Arc<ThreadPool>, rayon::ThreadPoolBuildError> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((process, threads)) = &*pool
            && *process == process::id()
        {
            return Ok(Arc::clone(threads));
        }
        let threads = ThreadPoolBuilder::new().num_threads(self.count).thread_name(|i| format!("cman-{i}")).build()?;
        let threads = Arc::new(threads);
        // Dropping the threads of another process would wait for them.
        mem::forget(pool.replace((process::id(), Arc::clone(&threads))));
        Ok(threads)
    }
}
