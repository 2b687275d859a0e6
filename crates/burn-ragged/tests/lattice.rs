//! Decoding and probabilities of a CRF by hand: small lattices whose paths can be counted.

use burn_ragged::crf::Lattice;

/// Three elements, two tags, every path equally good.
fn even() -> Lattice {
    Lattice::new(&[0.0; 2], &[0.0; 12], &[0.0; 2])
}

/// The scores `pair[t][from][to]`, of three elements and two tags.
fn pair(scores: [(usize, usize, usize, f64); 2]) -> Vec<f64> {
    let mut pair = vec![0.0; 12];
    for (t, from, to, score) in scores {
        pair[(t * 2 + from) * 2 + to] = score;
    }
    pair
}

#[test]
fn of_equally_good_paths_the_one_with_the_lowest_last_tags_is_decoded() {
    assert_eq!(even().viterbi(), [0, 0, 0]);
    // 0 -> 1 and 1 -> 0 are equally good at the last place; then 1, 0, .. and 0, 1, .. at the first.
    let tied = Lattice::new(&[0.0; 2], &pair([(2, 0, 1, 1.0), (2, 1, 0, 1.0)]), &[0.0; 2]);
    assert_eq!(tied.viterbi(), [0, 1, 0]);
    let tied = Lattice::new(&[0.0; 2], &pair([(1, 0, 1, 1.0), (1, 1, 1, 1.0)]), &[0.0; 2]);
    assert_eq!(tied.viterbi(), [0, 1, 0]);
}

#[test]
fn scores_of_start_and_end_decide_where_nothing_else_does() {
    assert_eq!(Lattice::new(&[0.0, 1.0], &[0.0; 12], &[0.0; 2]).viterbi(), [1, 0, 0]);
    assert_eq!(Lattice::new(&[0.0; 2], &[0.0; 12], &[0.0, 1.0]).viterbi(), [0, 0, 1]);
    let lattice = Lattice::new(&[0.0, 2.0], &[0.0; 12], &[0.0, 3.0]);
    assert_eq!(lattice.score(&[1, 0, 1]), 5.0);
    assert!((lattice.marginals().tag(0, 1) - 1.0 / (1.0 + (-2.0f64).exp())).abs() < 1e-12);
    assert!((lattice.marginals().tag(2, 1) - 1.0 / (1.0 + (-3.0f64).exp())).abs() < 1e-12);
}

#[test]
fn a_step_runs_from_the_earlier_tag_to_the_later_one() {
    let lattice = Lattice::new(&[0.0; 2], &pair([(1, 0, 1, 5.0), (2, 1, 1, 5.0)]), &[0.0; 2]);
    assert_eq!(lattice.viterbi(), [0, 1, 1]);
    assert_eq!(lattice.score(&[0, 1, 1]), 10.0);
    assert_eq!(lattice.score(&[1, 0, 1]), 0.0);
}

#[test]
fn probabilities_are_shares_of_the_paths() {
    let (lattice, close) = (even(), |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}"));
    let marginals = lattice.marginals();
    close(marginals.log_partition(), 8f64.ln());
    close(marginals.tag(1, 1), 0.5);
    close(marginals.pair(2, 0, 1), 0.25);
    // 0, 1 at the first two places and no 1 after them: one path of eight. Nothing follows the last place.
    close(marginals.span(0..2, &[0, 1], 1), 0.125);
    close(marginals.span(1..3, &[0, 1], 1), 0.25);
    close(marginals.span(0..1, &[0], 1), 0.25);
}

#[test]
fn the_best_paths_are_those_of_all_paths_by_score() {
    // A fixed sequence of scores that differ, with one forbidden step.
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 22)
    };
    for (n, k) in [(1, 3), (2, 2), (4, 3)] {
        let (first, end): (Vec<f64>, Vec<f64>) = (0..k).map(|_| (next(), next())).unzip();
        let mut pair: Vec<f64> = (0..n * k * k).map(|_| next()).collect();
        if n > 1 {
            pair[k * k + 1] = f64::NEG_INFINITY; // tag 0, then tag 1
        }
        let lattice = Lattice::new(&first, &pair, &end);
        let path = |code: usize| -> Vec<u32> { (0..n).map(|t| (code / k.pow(t as u32) % k) as u32).collect() };
        let mut all: Vec<Vec<u32>> = (0..k.pow(n as u32)).map(path).collect();
        all.retain(|tags| lattice.score(tags) > f64::NEG_INFINITY);
        all.sort_by(|a, b| lattice.score(b).total_cmp(&lattice.score(a)));
        assert_eq!(lattice.n_best(1), [lattice.viterbi()]);
        assert_eq!(lattice.n_best(5), all[..all.len().min(5)], "{n} elements, {k} tags");
        assert_eq!(lattice.n_best(1000).len(), all.len());
    }
    assert_eq!(even().n_best(1), [even().viterbi()]);
    assert!(even().n_best(0).is_empty());
}
