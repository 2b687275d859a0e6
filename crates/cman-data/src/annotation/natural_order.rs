//! The order of file names in which `a9` comes before `a10`.

use std::{cmp::Ordering, path::Path};

/// Compares paths part by part. Runs of digits are compared as numbers.
pub(super) fn natural_order(a: &Path, b: &Path) -> Ordering {
    let parts = |path: &Path| path.iter().map(|part| part.to_string_lossy().into_owned()).collect::<Vec<_>>();
    let (own, other) = (parts(a), parts(b));
    for (own, other) in own.iter().zip(&other) {
        let order = names(own, other);
        if order != Ordering::Equal {
            return order;
        }
    }
    // Names that differ only in zeros before a number have an order too.
    own.len().cmp(&other.len()).then_with(|| a.cmp(b))
}

fn names(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let (Some(own), Some(other)) = (a.chars().next(), b.chars().next()) else { return a.len().cmp(&b.len()) };
        if own.is_ascii_digit() && other.is_ascii_digit() {
            let (number, rest) = digits(a);
            let (other_number, other_rest) = digits(b);
            let order = number.len().cmp(&other_number.len()).then_with(|| number.cmp(other_number));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (rest, other_rest);
            continue;
        }
        if own != other {
            return own.cmp(&other);
        }
        (a, b) = (&a[own.len_utf8()..], &b[other.len_utf8()..]);
    }
}

/// The digits at the start of a text, without zeros before them, and the rest.
fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].trim_start_matches('0'), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers() {
        let sorted =
            ["a", "a/1", "a/2x", "a/10", "a2", "a09", "a9", "a10b3", "a10b20", "b", "é1", "é123456789012345678901"];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(natural_order(a.as_ref(), b.as_ref()), i.cmp(&j), "{a} {b}");
            }
        }
    }
}
