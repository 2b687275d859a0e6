//! What is made once by whichever threads need it first.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

/// Two halves of something. Of two threads that come at once each makes one half; whoever comes later waits, if it has to.
#[derive(Debug)]
pub(super) struct Halves<T> {
    made: [OnceLock<T>; 2],
    /// Whether a thread has set out to make it.
    is_taken: [AtomicBool; 2],
}

impl<T> Halves<T> {
    /// Both halves. `make` makes the one with this index, and must not hand work to other threads: they may be waiting
    /// for it.
    pub fn get(&self, make: impl Fn(usize) -> T) -> [&T; 2] {
        for (i, (made, is_taken)) in self.made.iter().zip(&self.is_taken).enumerate() {
            if !is_taken.swap(true, Ordering::Relaxed) {
                made.get_or_init(|| make(i));
            }
        }
        [0, 1].map(|i| self.made[i].get_or_init(|| make(i)))
    }
}

impl<T> Default for Halves<T> {
    fn default() -> Self {
        Self { made: Default::default(), is_taken: Default::default() }
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
    fn two_threads_make_a_half_each() {
        let (halves, barrier, n_made) = (Halves::default(), Barrier::new(2), AtomicUsize::new(0));
        let make = |i: usize| {
            barrier.wait(); // nobody leaves before the other is here too
            n_made.fetch_add(1, Ordering::Relaxed);
            (i, thread::current().id())
        };
        let found = || halves.get(make).map(|&half| half);
        let [a, b] = thread::scope(|scope| [scope.spawn(found), scope.spawn(found)].map(|t| t.join().unwrap()));
        assert_eq!((a, [a[0].0, a[1].0], n_made.into_inner()), (b, [0, 1], 2));
        assert_ne!(a[0].1, a[1].1);
    }

    #[test]
    fn what_one_thread_failed_to_make_another_makes() {
        let halves = Halves::default();
        let failed = thread::scope(|scope| scope.spawn(|| *halves.get(|_| panic!("no {}", 1))[0]).join());
        assert!(failed.is_err());
        assert_eq!(halves.get(|i| i), [&0, &1]);
    }
}
