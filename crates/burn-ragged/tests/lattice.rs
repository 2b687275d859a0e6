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
