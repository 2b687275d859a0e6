//! Buffers that are used again. What a pass needs, for itself or for its results, it takes from what earlier passes
//! have left, so that memory is neither asked for nor cleared every time.
#![allow(unsafe_code)] // for what burn wants to know of a tensor's memory; see `Lent`

use std::{
    collections::BTreeMap,
    fmt,
    mem::{self, MaybeUninit},
    ops::{Deref, DerefMut},
    ptr::NonNull,
    slice,
    sync::{Arc, Mutex, PoisonError},
};

use burn::tensor::{DType, Shape, TensorData};
use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty, Bytes};

/// Numbers in the free buffers of a thread, at most (128 MiB).
const LIMIT: usize = 1 << 25;

thread_local! {
    static FREE: Arc<Mutex<Free>> = Arc::default();
}

/// Buffers that wait to be used again.
#[derive(Default)]
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

/// Numbers whose place is kept for others when they are dropped, on whatever thread: it goes back to the thread that
/// asked for it.
pub(crate) struct Buffer {
    /// As many numbers as there is room for.
    numbers: Vec<f32>,
    /// Those that count.
    n: usize,
    /// Nothing where the thread is ending.
    home: Option<Arc<Mutex<Free>>>,
}

impl Buffer {
    /// `n` numbers of any value: each is to be set before it is read.
    pub fn new(n: usize) -> Self {
        let home = FREE.try_with(Arc::clone).ok();
        let free = home.as_ref().and_then(|free| free.lock().unwrap_or_else(PoisonError::into_inner).take(n));
        // Of few sizes, so that the next batch, a little longer, finds one that fits.
        let size = || n.next_multiple_of((n.next_power_of_two() / 8).max(1));
        Self { numbers: free.unwrap_or_else(|| vec![0.0; size()]), n, home }
    }

    /// `n` zeros.
    pub fn zeros(n: usize) -> Self {
        let mut zeros = Self::new(n);
        zeros.fill(0.0);
        zeros
    }

    /// These numbers as those of a tensor, which they come back from when it is dropped.
    pub fn into_data(self, shape: impl Into<Shape>) -> TensorData {
        TensorData::from_bytes(self.into_bytes(), shape, DType::F32)
    }

    fn into_bytes(self) -> Bytes {
        let size = size_of_val(&*self);
        // SAFETY: all numbers of the buffer are initialized, and `size` bytes are no more than it has.
        unsafe { Bytes::from_controller(Box::new(Lent(self)), size) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let numbers = mem::take(&mut self.numbers);
        if numbers.is_empty() || numbers.len() > LIMIT {
            return;
        }
        if let Some(home) = &self.home {
            home.lock().unwrap_or_else(PoisonError::into_inner).keep(numbers);
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.numbers[..self.n]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.numbers[..self.n]
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({})", self.n)
    }
}

/// A buffer while it is a tensor's memory.
struct Lent(Buffer);

impl AllocationController for Lent {
    fn alloc_align(&self) -> usize {
        align_of::<f32>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Native
    }

    unsafe fn memory_mut(&mut self, _policy: AccessPolicy) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let numbers = &mut *self.0.numbers;
        let size = size_of_val(numbers);
        // SAFETY: the bytes of the borrowed numbers, borrowed for as long; any bytes make numbers, and the caller
        // writes initialized ones alone.
        Ok(unsafe { slice::from_raw_parts_mut(numbers.as_mut_ptr().cast(), size) })
    }

    fn memory(&self, _policy: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let numbers = &*self.0.numbers;
        // SAFETY: the bytes of the borrowed numbers, borrowed for as long.
        Ok(unsafe { slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) })
    }

    /// A vector's memory, which becomes one again, as large as [`memory`](Self::memory) says.
    fn try_detach(&mut self) -> Option<NonNull<u8>> {
        if self.0.numbers.capacity() != self.0.numbers.len() {
            return None;
        }
        Some(NonNull::from(mem::take(&mut self.0.numbers).leak()).cast())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_buffer_that_fits_is_used_again_and_no_other() {
        let first = Buffer::new(1000);
        let place = first.as_ptr();
        drop(first);
        assert_ne!(Buffer::new(300).as_ptr(), place);
        let again = Buffer::new(990);
        assert_eq!((again.as_ptr(), again.len()), (place, 990));
        assert_ne!(Buffer::new(990).as_ptr(), place);
    }

    #[test]
    fn a_buffer_comes_home_from_a_tensor_on_another_thread() {
        let mut first = Buffer::new(3000);
        let place = first.as_ptr();
        first.fill(1.5);
        let mut bytes = first.into_bytes();
        thread::spawn(move || {
            assert_eq!(bytes.len(), 12_000);
            bytes[..4].copy_from_slice(&2.5f32.to_ne_bytes());
            assert_eq!(
                (bytes[..4].to_vec(), bytes[4..8].to_vec()),
                (2.5f32.to_ne_bytes().into(), 1.5f32.to_ne_bytes().into())
            );
        })
        .join()
        .unwrap();
        assert_eq!(Buffer::new(3000).as_ptr(), place);
    }

    #[test]
    fn a_tensors_memory_becomes_a_vector_without_a_copy() {
        let mut first = Buffer::new(1025);
        first.fill(1.5);
        let place = first.as_ptr();
        let vector = first.into_bytes().try_into_vec::<f32>().unwrap();
        assert_eq!((vector.as_ptr(), &vector), (place, &vec![1.5; 1025]));
        assert_ne!(Buffer::new(1025).as_ptr(), place);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        drop((0..5).map(|_| Buffer::new(LIMIT / 4)).collect::<Vec<_>>());
        drop(Buffer::new(2 * LIMIT));
        drop(Buffer::new(0));
        let (kept, total) = FREE.with(|free| {
            let free = free.lock().unwrap();
            (free.by_size.values().flatten().map(Vec::len).sum::<usize>(), free.total)
        });
        assert!(kept > 0 && kept <= LIMIT && kept == total);
    }
}
