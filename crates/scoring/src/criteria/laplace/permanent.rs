//! The permanent of a matrix of overlaps: the sum over all permutations of the product of the entries that each picks.

use gmm_sampler::graph::connected_components;

/// Largest block of a matrix whose permanent is computed: some ten million products.
pub(super) const LARGEST: usize = 20;

/// Entries below this join nothing: a permutation that picks one adds no more than that to a sum of at least 1.
const NEGLIGIBLE: f64 = 1e-12;

/// Log permanent of a symmetric matrix (row-major) with a diagonal of ones and no entry outside 0 to 1: at least 0, where there
/// is nothing else, at most log n!, where all entries are ones. Rows that overlap, directly or by way of others, make a block,
/// and blocks multiply.
///
/// # Errors
/// The size of a block beyond [`LARGEST`].
pub(super) fn log_permanent(n: usize, matrix: &[f64]) -> Result<f64, usize> {
    let mut log_permanent = 0.0;
    for block in connected_components(n, |i, j| matrix[i * n + j] > NEGLIGIBLE) {
        if block.len() > LARGEST {
            return Err(block.len());
        }
        let part: Vec<f64> =
            block.iter().flat_map(|&i| block.iter().map(move |&j| matrix[i * n + j])).collect();
        // Rounding must not take what the diagonal alone gives.
        log_permanent += libm::log(permanent(block.len(), &part).max(1.0));
    }
    Ok(log_permanent)
}

/// Ryser (1963): Σ over sets S of columns of (−1)^(n − |S|) Π_i Σ_{j ∈ S} a_ij, the sets in the order of a Gray code, so that
/// each differs from the one before by a column.
fn permanent(n: usize, matrix: &[f64]) -> f64 {
    let mut sums = vec![0.0; n];
    let mut permanent = 0.0;
    for step in 1u32..1 << n {
        let (before, set) = ((step - 1) ^ ((step - 1) >> 1), step ^ (step >> 1));
        let column = (before ^ set).trailing_zeros() as usize;
        let sign = if set > before { 1.0 } else { -1.0 };
        sums.iter_mut().enumerate().for_each(|(i, sum)| *sum += sign * matrix[i * n + column]);
        let product: f64 = sums.iter().product();
        permanent += if (n as u32 - set.count_ones()).is_multiple_of(2) { product } else { -product };
    }
    permanent
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// Over all permutations, by taking the first row's column out.
    fn by_definition(n: usize, matrix: &[f64]) -> f64 {
        if n == 0 {
            return 1.0;
        }
        let minor = |column: usize| -> Vec<f64> {
            (1..n)
                .flat_map(|i| (0..n).filter(move |&j| j != column).map(move |j| matrix[i * n + j]))
                .collect()
        };
        (0..n).map(|column| matrix[column] * by_definition(n - 1, &minor(column))).sum()
    }

    #[test]
    fn permanents_are_sums_over_permutations() {
        for n in 1..=6 {
            let matrix: Vec<f64> = (0..n * n).map(|i| libm::sin(i as f64).abs()).collect();
            assert_relative_eq!(permanent(n, &matrix), by_definition(n, &matrix), max_relative = 1e-12);
        }
    }

    #[test]
    fn rows_that_are_all_alike_count_every_permutation_and_others_none() {
        let ones = |n: usize| vec![1.0; n * n];
        assert_relative_eq!(log_permanent(12, &ones(12)).unwrap(), libm::lgamma(13.0), max_relative = 1e-9);
        assert_eq!(log_permanent(LARGEST + 1, &ones(LARGEST + 1)), Err(LARGEST + 1));
        // Two pairs, far from one another, in a matrix that is larger than any block may be.
        let n = LARGEST + 5;
        let mut matrix = vec![0.0; n * n];
        (0..n).for_each(|i| matrix[i * n + i] = 1.0);
        for (i, j) in [(0, 7), (3, 20)] {
            (matrix[i * n + j], matrix[j * n + i]) = (0.5, 0.5);
        }
        assert_relative_eq!(log_permanent(n, &matrix).unwrap(), 2.0 * libm::log(1.25), max_relative = 1e-12);
    }
}
