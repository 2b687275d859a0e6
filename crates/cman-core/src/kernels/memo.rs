//! What is made of weights, kept for as long as they are the same.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use burn::backend::tensor::FloatTensor;

use super::raw::RawF32;

/// Keeps what was last made of some tensors. Clones share it.
pub(crate) struct Memo<T>(Arc<Mutex<Option<Entry<T>>>>);

struct Entry<T> {
    /// Where the numbers of the tensors lie.
    addresses: Vec<usize>,
    /// The tensors: while they are held, others come to lie elsewhere, and these are not changed in place.
    _tensors: Box<dyn Any + Send>,
    value: Arc<T>,
}

impl<T: Default> Memo<T> {
    /// What belongs to these tensors: what is kept, if it was kept for them, or else a new one, which is kept from now
    /// on.
    pub fn of<B: RawF32>(&self, tensors: &[&FloatTensor<B>]) -> Arc<T> {
        let address = |tensor: &&FloatTensor<B>| B::address(tensor);
        let Some(addresses) = tensors.iter().map(address).collect::<Option<Vec<usize>>>() else {
            return Arc::default(); // the numbers are copied at every call
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(entry) if entry.addresses == addresses => entry.value.clone(),
            _ => {
                let tensors: Vec<FloatTensor<B>> = tensors.iter().map(|&tensor| tensor.clone()).collect();
                let value = Arc::<T>::default();
                *kept = Some(Entry { addresses, _tensors: Box::new(tensors), value: value.clone() });
                value
            }
        }
    }
}

impl<T> Clone for Memo<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> fmt::Debug for Memo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::{
        backend::{Flex, ops::FloatTensorOps},
        tensor::TensorData,
    };

    use super::*;

    fn tensor(number: f32) -> FloatTensor<Flex> {
        Flex::float_from_data(TensorData::from([number, 2.0]), &Default::default())
    }

    #[test]
    fn it_is_kept_for_the_same_tensors_alone() {
        let memo = Memo::<Vec<f32>>::default();
        let (a, b) = (tensor(1.0), tensor(1.0));
        let first = memo.of::<Flex>(&[&a, &b]);
        assert!(Arc::ptr_eq(&first, &memo.clone().of::<Flex>(&[&a.clone(), &b])));
        assert!(!Arc::ptr_eq(&first, &memo.of::<Flex>(&[&b, &a])));
    }

    #[test]
    fn other_tensors_never_come_to_lie_at_the_place_of_those_it_is_kept_for() {
        let memo = Memo::<Vec<f32>>::default();
        let mut last = memo.of::<Flex>(&[&tensor(0.0)]);
        for i in 0..100 {
            let next = memo.of::<Flex>(&[&tensor(i as f32)]);
            assert!(!Arc::ptr_eq(&last, &next));
            last = next;
        }
    }
}
