//! Batches of sentences of similar length, for inference.

/// The largest size of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Sentences.
    pub sentences: usize,
    /// Tokens, padding included; 0: no limit. A longer sentence is a batch of its own.
    pub tokens: usize,
}

impl Limits {
    /// Cuts `order`, indices of sentences of these lengths, into batches.
    pub fn cut(self, order: &[usize], lengths: &[usize]) -> Vec<Vec<usize>> {
        let mut batches: Vec<Vec<usize>> = Vec::new();
        let mut longest = 0;
        for &sentence in order {
            let padded = lengths[sentence].max(longest);
            match batches.last_mut() {
                Some(batch)
                    if batch.len() < self.sentences
                        && (self.tokens == 0 || (batch.len() + 1) * padded <= self.tokens) =>
                {
                    batch.push(sentence);
                    longest = padded;
                }
                _ => {
                    batches.push(vec![sentence]);
                    longest = lengths[sentence];
                }
            }
        }
        batches
    }
}

/// Batches for inference: sentences sorted by length.
pub(crate) fn sorted(lengths: &[usize], limits: Limits) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&sentence| lengths[sentence]);
    limits.cut(&order, lengths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_respect_the_token_limit() {
        let lengths = [5, 30, 4, 200, 6, 6, 7, 29];
        let batches = sorted(&lengths, Limits { sentences: 3, tokens: 60 });
        assert_eq!(batches, [vec![2, 0, 4], vec![5, 6], vec![7, 1], vec![3]]);
    }
}
