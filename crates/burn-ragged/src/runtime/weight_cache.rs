//! A value derived from weights, kept until the weights change.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use burn::{
    backend::{TensorMetadata, tensor::FloatTensor},
    tensor::Shape,
};

use super::cpu_backend::CpuBackend;

/// Keeps the value that was last derived from some tensors. Clones share it.
pub(crate) struct WeightCache<T>(Arc<Mutex<Option<Entry<T>>>>);

struct Entry<T> {
    keys: Vec<TensorKey>,
    /// Holding the tensors keeps their addresses from being reused and prevents in-place updates.
    _tensors: Box<dyn Any + Send>,
    value: Arc<T>,
}

/// Identifies a tensor among all live tensors. Two views of the same memory differ in shape.
#[derive(PartialEq)]
struct TensorKey {
    address: usize,
    shape: Shape,
}

impl<T: Default> WeightCache<T> {
    /// The value of these tensors: the cached value if it was derived from them, else a new one, which replaces it.
    pub fn of<B: CpuBackend>(&self, tensors: &[&FloatTensor<B>]) -> Arc<T> {
        let key = |tensor: &&FloatTensor<B>| Some(TensorKey { address: B::address(tensor)?, shape: tensor.shape() });
        let Some(keys) = tensors.iter().map(key).collect::<Option<Vec<TensorKey>>>() else {
            return Arc::default(); // values are copied at every call, so there is no address
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(entry) if entry.keys == keys => entry.value.clone(),
            _ => {
                let tensors: Vec<FloatTensor<B>> = tensors.iter().map(|&tensor| tensor.clone()).collect();
                let value = Arc::<T>::default();
                *kept = Some(Entry { keys, _tensors: Box::new(tensors), value: value.clone() });
                value
            }
        }
    }
}

impl<T> Clone for WeightCache<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for WeightCache<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> fmt::Debug for WeightCache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeightCache")
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::{
        backend::{Flex, Slice, ops::FloatTensorOps},
        tensor::TensorData,
    };

    use super::*;

    fn tensor(value: f32) -> FloatTensor<Flex> {
        Flex::float_from_data(TensorData::from([value, 2.0]), &Default::default())
    }

    #[test]
    fn the_value_is_kept_for_the_same_tensors() {
        let cache = WeightCache::<Vec<f32>>::default();
        let (a, b) = (tensor(1.0), tensor(1.0));
        let first = cache.of::<Flex>(&[&a, &b]);
        assert!(Arc::ptr_eq(&first, &cache.clone().of::<Flex>(&[&a.clone(), &b])));
        assert!(!Arc::ptr_eq(&first, &cache.of::<Flex>(&[&b, &a])));
    }

    #[test]
    fn another_view_of_the_same_memory_misses() {
        let whole = Flex::float_from_data(TensorData::from([[1.0f32, 2.0], [3.0, 4.0]]), &Default::default());
        let views = [
            whole.clone(),
            Flex::float_slice(whole.clone(), &[Slice::from(0..1), Slice::from(0..2)]), // shorter
            Flex::float_reshape(whole.clone(), Shape::new([1, 4])),                    // of the same size
            Flex::float_reshape(whole.clone(), Shape::new([4])),
        ];
        assert!(views.iter().all(|view| Flex::address(view) == Flex::address(&whole)), "views of one memory");
        for (i, a) in views.iter().enumerate() {
            for (j, b) in views.iter().enumerate() {
                let cache = WeightCache::<Vec<f32>>::default();
                assert_eq!(Arc::ptr_eq(&cache.of::<Flex>(&[a]), &cache.of::<Flex>(&[b])), i == j, "{i}, {j}");
            }
        }
    }

    #[test]
    fn addresses_of_cached_tensors_are_not_reused() {
        let cache = WeightCache::<Vec<f32>>::default();
        let mut last = cache.of::<Flex>(&[&tensor(0.0)]);
        for i in 0..100 {
            let next = cache.of::<Flex>(&[&tensor(i as f32)]);
            assert!(!Arc::ptr_eq(&last, &next));
            last = next;
        }
    }
}
