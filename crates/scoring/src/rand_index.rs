//! How well clusters agree with known classes.

use std::collections::BTreeMap;

/// Adjusted Rand index (Hubert & Arabie 1985, eq. 5): 1 for equal partitions, around 0 for unrelated ones, possibly negative.
/// NaN where chance alone would agree perfectly (a single observation, or one class and one cluster).
///
/// # Panics
/// If the partitions are of different lengths.
#[must_use]
pub fn adjusted_rand_index<A: Ord, B: Ord>(first: &[A], second: &[B]) -> f64 {
    assert_eq!(first.len(), second.len(), "two partitions of the same observations");
    let mut rows: BTreeMap<&A, f64> = BTreeMap::new();
    let mut columns: BTreeMap<&B, f64> = BTreeMap::new();
    let mut cells: BTreeMap<(&A, &B), f64> = BTreeMap::new();
    for (a, b) in first.iter().zip(second) {
        *rows.entry(a).or_default() += 1.0;
        *columns.entry(b).or_default() += 1.0;
        *cells.entry((a, b)).or_default() += 1.0;
    }
    fn pairs<'a>(counts: impl Iterator<Item = &'a f64>) -> f64 {
        counts.map(|count| 0.5 * count * (count - 1.0)).sum()
    }
    let n = first.len() as f64;
    let together = pairs(cells.values());
    let (in_rows, in_columns) = (pairs(rows.values()), pairs(columns.values()));
    let expected = in_rows * in_columns / (0.5 * n * (n - 1.0));
    (together - expected) / (0.5 * (in_rows + in_columns) - expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_matter_but_groups_do() {
        assert_eq!(adjusted_rand_index(&[0, 0, 1, 1, 2], &["b", "b", "c", "c", "a"]), 1.0);
        // Worked by hand: cells 2,1 / 0,1 / 0,2; row pairs 3+0+1 = 4, column pairs 1+6 = 7, together 1+0+0+1 = 2.
        let index = adjusted_rand_index(&[0, 0, 0, 1, 2, 2], &[0, 0, 1, 1, 1, 1]);
        let expected = 4.0 * 7.0 / 15.0;
        assert!((index - (2.0 - expected) / (5.5 - expected)).abs() < 1e-15);
    }

    #[test]
    fn without_pairs_there_is_no_index() {
        assert!(adjusted_rand_index(&[0], &[0]).is_nan());
    }
}
