//! Work on all threads. The result never depends on how many threads there are.

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

/// Calls `f` with every task: on all threads if the work `is_large` enough to be worth waking them, else on this one.
pub fn for_each<T: Send>(is_large: bool, tasks: Vec<T>, f: impl Fn(T) + Sync + Send) {
    if is_large && tasks.len() > 1 {
        tasks.into_par_iter().with_max_len(1).for_each(f);
    } else {
        tasks.into_iter().for_each(f);
    }
}

/// Both results, computed in parallel if the work `is_large` enough.
pub fn join<A: Send, B: Send>(is_large: bool, a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    if is_large { rayon::join(a, b) } else { (a(), b()) }
}
