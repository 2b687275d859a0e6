//! Pooled buffers. A pass takes its intermediate values and its results from buffers that earlier passes have dropped,
//! so that memory is neither allocated nor cleared every time.
//!
//! Allocation: [`Buffer::new`] allocates only if the pool of its thread has no buffer of a fitting size.
#![allow(unsafe_code)] // to give burn a tensor whose memory returns to the pool; see `PooledBytes`

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

/// Values in the free buffers of one thread, at most (128 MiB).
const LIMIT: usize = 1 << 25;

thread_local! {
    static FREE: Arc<Mutex<FreeList>> = Arc::default();
}

/// Buffers that can be reused.
#[derive(Default)]
struct FreeList {
    by_size: BTreeMap<usize, Vec<Vec<f32>>>,
    /// Values in all of them.
    total: usize,
}

impl FreeList {
    /// The smallest buffer for `n` values that is at most twice as large.
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

/// A pooled buffer. Dropping it, on any thread, returns its memory to the thread that allocated it.
pub(crate) struct Buffer {
    /// All values that fit.
    values: Vec<f32>,
    /// How many of them are in use.
    n: usize,
    /// `None` if the thread is ending.
    home: Option<Arc<Mutex<FreeList>>>,
}

impl Buffer {
    /// `n` arbitrary values. The caller sets each before it reads it.
    pub fn new(n: usize) -> Self {
        let home = FREE.try_with(Arc::clone).ok();
        let free = home.as_ref().and_then(|free| free.lock().unwrap_or_else(PoisonError::into_inner).take(n));
        // Sizes are rounded up, so that the next, slightly longer batch finds a buffer that fits.
        let size = || n.next_multiple_of((n.next_power_of_two() / 8).max(1));
        Self { values: free.unwrap_or_else(|| vec![0.0; size()]), n, home }
    }

    /// `n` zeros.
    pub fn zeros(n: usize) -> Self {
        let mut zeros = Self::new(n);
        zeros.fill(0.0);
        zeros
    }

    /// The values of a tensor. When the tensor is dropped, they return to the pool.
    pub fn into_data(self, shape: impl Into<Shape>) -> TensorData {
        TensorData::from_bytes(self.into_bytes(), shape, DType::F32)
    }

    fn into_bytes(self) -> Bytes {
        let size = size_of_val(&*self);
        // SAFETY: all values of the buffer are initialized, and it has at least `size` bytes.
        unsafe { Bytes::from_controller(Box::new(PooledBytes(self)), size) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = mem::take(&mut self.values);
        if values.is_empty() || values.len() > LIMIT {
            return;
        }
        if let Some(home) = &self.home {
            home.lock().unwrap_or_else(PoisonError::into_inner).keep(values);
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[..self.n]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[..self.n]
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({})", self.n)
    }
}

/// A buffer that is the memory of a tensor.
struct PooledBytes(Buffer);

impl AllocationController for PooledBytes {
    fn alloc_align(&self) -> usize {
        align_of::<f32>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Native
    }

    unsafe fn memory_mut(&mut self, _policy: AccessPolicy) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let values = &mut *self.0.values;
        let size = size_of_val(values);
        // SAFETY: these are the bytes of the borrowed values, borrowed for the same lifetime. Any bytes are valid f32
        // values, and the caller writes initialized bytes only.
        Ok(unsafe { slice::from_raw_parts_mut(values.as_mut_ptr().cast(), size) })
    }

    fn memory(&self, _policy: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let values = &*self.0.values;
        // SAFETY: these are the bytes of the borrowed values, borrowed for the same lifetime.
        Ok(unsafe { slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) })
    }

    /// The memory of a vector, which the caller turns into a vector of the size of [`memory`](Self::memory).
    fn try_detach(&mut self) -> Option<NonNull<u8>> {
        if self.0.values.capacity() != self.0.values.len() {
            return None;
        }
        Some(NonNull::from(mem::take(&mut self.0.values).leak()).cast())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_buffer_that_fits_is_reused_and_no_other() {
        let first = Buffer::new(1000);
        let place = first.as_ptr();
        drop(first);
        assert_ne!(Buffer::new(300).as_ptr(), place);
        let again = Buffer::new(990);
        assert_eq!((again.as_ptr(), again.len()), (place, 990));
        assert_ne!(Buffer::new(990).as_ptr(), place);
    }

    #[test]
    fn a_buffer_returns_from_a_tensor_on_another_thread() {
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
    fn the_pool_is_bounded() {
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
