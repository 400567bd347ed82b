//! Effective sample size of a mean from several chains: Geyer's initial monotone sequence over their joint autocorrelation.

use super::autocovariance::Autocovariance;
use super::moments::{is_undefined, variance_of_means};

/// Shortest chain with a defined autocorrelation, as in `posterior`.
const SHORTEST_CHAIN: usize = 3;

/// Largest lags of a chain that are ignored as too noisy, as in `posterior`.
const IGNORED_LAGS: usize = 5;

/// Effective sample size of the mean of whole chains, not split in half. R's `loo` computes relative efficiencies from it.
///
/// # Panics
/// If the column does not divide into `n_chains` chains of one length.
#[must_use]
pub fn ess_unsplit(column: &[f64], n_chains: usize) -> f64 {
    assert!(n_chains > 0 && column.len().is_multiple_of(n_chains), "chains must be of one length");
    ess(column, column.len() / n_chains)
}

/// Effective sample size of the mean of chains of a given length, at most S log₁₀ S. Antithetic chains can exceed S.
pub(super) fn ess(values: &[f64], length: usize) -> f64 {
    if length < SHORTEST_CHAIN || is_undefined(values) {
        return f64::NAN;
    }
    let n = length as f64;
    let mut autocovariance = Autocovariance::new(values, length);

    // VGSCB eq. 3. The autocorrelation is relative to this variance: chains that disagree stay correlated at every lag.
    let within = autocovariance.at(0) * n / (n - 1.0);
    let between = variance_of_means(values, length);
    let total = within * (n - 1.0) / n + between;
    if !(total > 0.0 && total.is_finite()) {
        return f64::NAN;
    }
    let mut correlation = |lag| 1.0 - (within - autocovariance.at(lag)) / total;

    // Geyer (1992), section 3.3: pair sums of a reversible chain are positive and decrease. From where they do not, they are
    // noise.
    let mut pairs = vec![[1.0, correlation(1)]];
    let mut last = pairs[0];
    let mut lag = 0;
    while lag + IGNORED_LAGS < length && last[0] + last[1] > 0.0 {
        lag += 2;
        last = [correlation(lag), correlation(lag + 1)];
        pairs.push(if last[0] + last[1] >= 0.0 { last } else { [0.0; 2] });
    }
    // The final even term halves the error of antithetic chains (VGSCB, as `posterior` has it).
    let even = pairs.pop().map_or(0.0, |pair| if last[0] > 0.0 { last[0] } else { pair[0] });
    for t in 1..pairs.len() {
        let [before, here] = [pairs[t - 1], pairs[t]].map(|pair| pair[0] + pair[1]);
        if here > before {
            pairs[t] = [before / 2.0; 2];
        }
    }
    // Without any pair `posterior` still counts lag zero, which gives short chains half their draws.
    let sum = if pairs.is_empty() { 1.0 } else { pairs.iter().flatten().sum() };
    let draws = values.len() as f64;
    let time = (2.0 * sum - 1.0 + even).max(1.0 / draws.log10());
    draws / time
}
