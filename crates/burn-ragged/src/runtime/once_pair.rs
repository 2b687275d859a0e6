//! Two values that concurrent callers initialise together.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

/// Two values, each initialised once. Two concurrent callers initialise one value each; later callers block until both
/// exist.
#[derive(Debug)]
pub(crate) struct OncePair<T> {
    values: [OnceLock<T>; 2],
    /// Whether a caller has started to initialise it.
    is_claimed: [AtomicBool; 2],
}

impl<T> OncePair<T> {
    /// Both values. `init` makes the value of this index. It must not hand work to other threads, which may be blocked
    /// here.
    pub fn get(&self, init: impl Fn(usize) -> T) -> [&T; 2] {
        for (i, (value, is_claimed)) in self.values.iter().zip(&self.is_claimed).enumerate() {
            if !is_claimed.swap(true, Ordering::Relaxed) {
                value.get_or_init(|| init(i));
            }
        }
        [0, 1].map(|i| self.values[i].get_or_init(|| init(i)))
    }
}

impl<T> Default for OncePair<T> {
    fn default() -> Self {
        Self { values: Default::default(), is_claimed: Default::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Barrier, atomic::AtomicUsize},
        thread,
    };

    use super::*;

    #[test]
    fn two_threads_initialise_one_value_each() {
        let (pair, barrier, n_made) = (OncePair::default(), Barrier::new(2), AtomicUsize::new(0));
        let init = |i: usize| {
            barrier.wait(); // both threads are here
            n_made.fetch_add(1, Ordering::Relaxed);
            (i, thread::current().id())
        };
        let found = || pair.get(init).map(|&value| value);
        let [a, b] = thread::scope(|scope| [scope.spawn(found), scope.spawn(found)].map(|t| t.join().unwrap()));
        assert_eq!((a, [a[0].0, a[1].0], n_made.into_inner()), (b, [0, 1], 2));
        assert_ne!(a[0].1, a[1].1);
    }

    #[test]
    fn a_value_whose_thread_panicked_is_initialised_by_another() {
        let pair = OncePair::default();
        let failed = thread::scope(|scope| scope.spawn(|| *pair.get(|_| panic!("no {}", 1))[0]).join());
        assert!(failed.is_err());
        assert_eq!(pair.get(|i| i), [&0, &1]);
    }
}
