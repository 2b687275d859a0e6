//! Keyed randomness: every draw is a function of a key, never of what was drawn before.
//!
//! burn's own generator is one global per process whose state cannot be saved, so nothing that must resume, repeat or
//! run in parallel may use it. Here a [`Key`] is made from the seed and refined by where and when it is used (epoch,
//! batch, module); equal keys give equal draws.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Names one stream of random values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u64);

impl Key {
    /// The root key of a seed.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The key of a numbered part: an epoch, a batch, a sequence.
    pub fn with(self, part: u64) -> Self {
        Self(mix(self.0 ^ mix(part.wrapping_add(0x9e37_79b9_7f4a_7c15))))
    }

    /// The key of a named part: a module, a purpose.
    pub fn at(self, site: &str) -> Self {
        site.bytes().fold(self.with(site.len() as u64), |key, byte| key.with(byte.into()))
    }

    /// The generator of this key.
    pub fn rng(self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.0)
    }

    /// A permutation of `0..n`.
    pub fn permutation(self, n: usize) -> Vec<usize> {
        let mut rng = self.rng();
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, below(&mut rng, i + 1));
        }
        order
    }

    /// `n` values, uniform in [-bound, bound).
    pub fn uniform(self, n: usize, bound: f64) -> Vec<f32> {
        let mut rng = self.rng();
        (0..n).map(|_| ((2.0 * unit(&mut rng) - 1.0) * bound) as f32).collect()
    }
}

/// A number uniform in [0, 1).
pub fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A number uniform in `0..n`, without the bias of a remainder.
fn below(rng: &mut ChaCha8Rng, n: usize) -> usize {
    let n = n as u64;
    let limit = u64::MAX - u64::MAX % n;
    loop {
        let draw = rng.next_u64();
        if draw < limit {
            return (draw % n) as usize;
        }
    }
}

/// The finaliser of SplitMix64: spreads every bit of its argument over the result.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_draw_alike_and_others_do_not() {
        let key = Key::new(1).at("bsa.0").with(3);
        assert_eq!(key.uniform(8, 1.0), Key::new(1).at("bsa.0").with(3).uniform(8, 1.0));
        for other in [Key::new(2).at("bsa.0").with(3), Key::new(1).at("bsa.1").with(3), Key::new(1).at("bsa.0")] {
            assert_ne!(key.uniform(8, 1.0), other.uniform(8, 1.0));
        }
    }

    #[test]
    fn permutations_hold_every_index_once() {
        let mut order = Key::new(7).permutation(50);
        assert_ne!(order, (0..50).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..50).collect::<Vec<_>>());
        assert!(Key::new(7).permutation(0).is_empty());
    }

    #[test]
    fn uniform_draws_fill_their_range() {
        let draws = Key::new(3).uniform(10_000, 0.5);
        let mean = draws.iter().sum::<f32>() / 10_000.0;
        assert!(draws.iter().all(|x| (-0.5..0.5).contains(x)) && mean.abs() < 0.02);
        assert!(draws.iter().any(|&x| x > 0.49) && draws.iter().any(|&x| x < -0.49));
    }
}
