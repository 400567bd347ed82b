//! Means and variances that keep their digits when the spread is tiny beside the mean.

/// Σ function(value), in eight partial sums that vectorise.
///
/// The order of additions is fixed, so that the bits do not depend on the instruction set. The error grows with n / 8, not n.
#[must_use]
pub fn sum_by(values: &[f64], function: impl Fn(f64) -> f64) -> f64 {
    let mut sums = [0.0; 8];
    let (blocks, rest) = values.as_chunks::<8>();
    for block in blocks {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum += function(*value);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|value| function(*value)).sum::<f64>()
}

/// Mean, with the rounding errors of the first pass corrected by a second. NaN for no values.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let first = sum_by(values, |value| value) / count;
    // If the first pass is infinite or NaN, so is the mean. The second pass would turn infinity into NaN.
    if first.is_finite() { first + sum_by(values, |value| value - first) / count } else { first }
}

/// Standard deviation with denominator n − 1; NaN for fewer than two draws.
#[must_use]
pub fn sd(values: &[f64]) -> f64 {
    mean_variance(values).1.sqrt()
}

/// Mean and variance about the rounded mean, the latter with denominator n − 1: R's `mean` and `var`.
pub(super) fn mean_variance(values: &[f64]) -> (f64, f64) {
    let mean = mean(values);
    (mean, squares_about(values, mean) / (values.len() as f64 - 1.0))
}

/// Mean of the variances of chains, denominators one less than the count.
pub(super) fn mean_of_variances(values: &[f64], length: usize) -> f64 {
    let means = plain_means(values, length);
    let variance = |(chain, mean): (&[f64], f64)| squares_about(chain, mean) / (length as f64 - 1.0);
    mean(&values.chunks_exact(length).zip(means).map(variance).collect::<Vec<_>>())
}

/// Variance of the means of chains of one length, denominator one less than their count; zero for one chain.
pub(super) fn variance_of_means(values: &[f64], length: usize) -> f64 {
    let means = plain_means(values, length);
    if means.len() > 1 { mean_variance(&means).1 } else { 0.0 }
}

/// The map from a draw to a function of its deviation from the column's mean.
pub(super) fn centred(column: &[f64], function: impl Fn(f64) -> f64) -> impl Fn(&f64) -> f64 {
    let mean = mean(column);
    move |value| function(value - mean)
}

/// Means of chains, each from one sum in order, as `posterior` computes them to compare chains.
///
/// If a column's spread is near the spacing of floating-point numbers, rounding decides the first digits of R-hat − 1, and both
/// programs must round alike. Four chains are summed in parallel, to hide the latency of additions.
fn plain_means(values: &[f64], length: usize) -> Vec<f64> {
    const SIDE_BY_SIDE: usize = 4;
    let chains: Vec<&[f64]> = values.chunks_exact(length).collect();
    let (groups, rest) = chains.as_chunks::<SIDE_BY_SIDE>();
    let mut sums = Vec::with_capacity(chains.len());
    for group in groups {
        let mut together = [0.0; SIDE_BY_SIDE];
        let [a, b, c, d] = group;
        for (((a, b), c), d) in a.iter().zip(*b).zip(*c).zip(*d) {
            for (sum, value) in together.iter_mut().zip([a, b, c, d]) {
                *sum += value;
            }
        }
        sums.extend(together);
    }
    sums.extend(rest.iter().map(|chain| chain.iter().sum::<f64>()));
    sums.into_iter().map(|sum| sum / length as f64).collect()
}

fn squares_about(values: &[f64], centre: f64) -> f64 {
    sum_by(values, |value| (value - centre) * (value - centre))
}

/// Whether diagnostics of a column are undefined: a value is not finite, or all are equal.
///
/// `posterior` also treats a range below 2.2e-16 as constant, for any scale; here only equal values are.
pub(super) fn is_undefined(values: &[f64]) -> bool {
    // Zero times an infinite value or NaN is NaN, and so is the sum. Unlike a search, this vectorises.
    sum_by(values, |v| 0.0 * v) != 0.0 || values.windows(2).all(|pair| pair[0] == pair[1])
}
