//! Which waiting texts form the next batch.

use std::collections::VecDeque;

/// Something that waits to be read.
pub(super) trait Waiting {
    /// Whether nobody waits for the answer any more.
    fn is_gone(&self) -> bool;

    /// Its size.
    fn tokens(&self) -> usize;

    /// Whether it can be read together with the first of a batch.
    fn joins(&self, first: &Self) -> bool;
}

/// Limits of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    pub tokens: usize,
    pub texts: usize,
}

/// Takes the next batch: the first that waits, and all after it that can be read together with it and fit into the
/// budget. Those that fit no more stay in their order. The first one is taken however large it is, so everything is read
/// some time. The number of those that nobody waits for is added to `gone`.
pub(super) fn take<T: Waiting>(waiting: &mut VecDeque<T>, budget: Budget, gone: &mut usize) -> Vec<T> {
    let mut batch: Vec<T> = Vec::new();
    let mut tokens = 0;
    let mut rest = VecDeque::with_capacity(waiting.len());
    for one in waiting.drain(..) {
        if one.is_gone() {
            *gone += 1;
            continue;
        }
        let fits = batch.first().is_none_or(|first| {
            batch.len() < budget.texts && tokens + one.tokens() <= budget.tokens && one.joins(first)
        });
        if fits {
            tokens += one.tokens();
            batch.push(one);
        } else {
            rest.push_back(one);
        }
    }
    *waiting = rest;
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Text {
        name: char,
        kind: u8,
        tokens: usize,
        gone: bool,
    }

    impl Waiting for Text {
        fn is_gone(&self) -> bool {
            self.gone
        }
        fn tokens(&self) -> usize {
            self.tokens
        }
        fn joins(&self, first: &Self) -> bool {
            self.kind == first.kind
        }
    }

    fn text(name: char, kind: u8, tokens: usize) -> Text {
        Text { name, kind, tokens, gone: false }
    }

    /// The names of all batches, and how many were gone.
    fn batches(texts: &[Text], budget: Budget) -> (Vec<String>, usize) {
        let (mut waiting, mut gone, mut all) = (texts.iter().cloned().collect(), 0, Vec::new());
        loop {
            let batch = take(&mut waiting, budget, &mut gone);
            if batch.is_empty() {
                return (all, gone);
            }
            all.push(batch.iter().map(|text| text.name).collect());
        }
    }

    #[test]
    fn batches_keep_to_the_budget_and_lose_nothing() {
        let texts = [text('a', 0, 6), text('b', 0, 5), text('c', 0, 4), text('d', 0, 50), text('e', 0, 1)];
        let budget = Budget { tokens: 10, texts: 9 };
        assert_eq!(batches(&texts, budget).0, ["ac", "be", "d"]);
        assert_eq!(batches(&texts, Budget { texts: 1, ..budget }).0, ["a", "b", "c", "d", "e"]);
        assert_eq!(batches(&texts, Budget { tokens: 1000, texts: 3 }).0, ["abc", "de"]);
    }

    #[test]
    fn only_equal_models_and_options_are_together() {
        let texts = [text('a', 0, 1), text('b', 1, 1), text('c', 0, 1), text('d', 1, 1)];
        assert_eq!(batches(&texts, Budget { tokens: 10, texts: 9 }).0, ["ac", "bd"]);
    }

    #[test]
    fn what_nobody_waits_for_is_skipped() {
        let gone = |name| Text { gone: true, ..text(name, 0, 1) };
        let texts = [gone('a'), text('b', 0, 1), gone('c'), text('d', 0, 1)];
        assert_eq!(batches(&texts, Budget { tokens: 10, texts: 9 }), (vec!["bd".to_owned()], 2));
    }

    #[test]
    fn an_empty_text_is_read() {
        assert_eq!(batches(&[text('a', 0, 0)], Budget { tokens: 1, texts: 1 }).0, ["a"]);
    }
}
