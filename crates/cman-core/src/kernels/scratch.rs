//! Buffers that are used again. What a pass needs for itself alone it takes from those that earlier passes have left, so
//! that memory is neither asked for nor cleared every time.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt,
    ops::{Deref, DerefMut},
};

/// Numbers in the free buffers of a thread, at most (64 MiB).
const LIMIT: usize = 1 << 24;

thread_local! {
    static FREE: RefCell<Free> = const { RefCell::new(Free { by_size: BTreeMap::new(), total: 0 }) };
}

/// Buffers that wait to be used again.
struct Free {
    by_size: BTreeMap<usize, Vec<Vec<f32>>>,
    /// Numbers in all of them.
    total: usize,
}

impl Free {
    /// The smallest buffer for `n` numbers that is no more than twice as large.
    fn take(&mut self, n: usize) -> Option<Vec<f32>> {
        let (&size, buffers) = self.by_size.range_mut(n..=2 * n).next()?;
        let buffer = buffers.pop();
        if buffers.is_empty() {
            self.by_size.remove(&size);
        }
        self.total -= size;
        buffer
    }

    fn keep(&mut self, buffer: Vec<f32>) {
        if self.total + buffer.len() > LIMIT {
            self.by_size.clear();
            self.total = 0;
        }
        self.total += buffer.len();
        self.by_size.entry(buffer.len()).or_default().push(buffer);
    }
}

/// Numbers whose place is kept for others when they are dropped.
pub(super) struct Scratch {
    buffer: Vec<f32>,
    n: usize,
}

impl Scratch {
    /// `n` numbers of any value: each is to be set before it is read.
    pub fn new(n: usize) -> Self {
        let free = FREE.try_with(|free| free.borrow_mut().take(n));
        // Of few sizes, so that the next batch, a little longer, finds one that fits.
        let size = || n.next_multiple_of((n.next_power_of_two() / 8).max(1));
        Self { buffer: free.ok().flatten().unwrap_or_else(|| vec![0.0; size()]), n }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        if buffer.is_empty() || buffer.len() > LIMIT {
            return;
        }
        // Where the thread is ending there is nothing to keep it in.
        let _ = FREE.try_with(|free| free.borrow_mut().keep(buffer));
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.buffer[..self.n]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.buffer[..self.n]
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scratch({})", self.n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_fits_is_used_again_and_no_other() {
        let first = Scratch::new(1000);
        let place = first.as_ptr();
        drop(first);
        assert_ne!(Scratch::new(300).as_ptr(), place);
        let again = Scratch::new(990);
        assert_eq!((again.as_ptr(), again.len()), (place, 990));
        assert_ne!(Scratch::new(990).as_ptr(), place);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        drop((0..5).map(|_| Scratch::new(LIMIT / 4)).collect::<Vec<_>>());
        drop(Scratch::new(2 * LIMIT));
        drop(Scratch::new(0));
        let (kept, total) =
            FREE.with_borrow(|free| (free.by_size.values().flatten().map(Vec::len).sum::<usize>(), free.total));
        assert!(kept > 0 && kept <= LIMIT && kept == total);
    }
}
