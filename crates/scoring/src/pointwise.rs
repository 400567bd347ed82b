//! WAIC and PSIS-LOO of one observation at once: they share its exponentials, and nothing is exponentiated twice.

use crate::column::{Parted, Span, Weights};
use crate::criteria::{Efficiency, LooPoint, WaicPoint, relative_efficiency};
use crate::psis::{Tail, smoothed_length};

/// Log-likelihoods of one observation further apart than this, in nats, are summed on the log scale: `exp` of the distance, and its
/// reciprocal, must stay far from overflow.
const WIDEST_RANGE: f64 = 600.0;

/// Weights of a smaller sum are added on the log scale, too: their squares must not come near the least double, 10⁻³⁰⁸.
const LEAST_TOTAL: f64 = 1e-100;

/// Where the search for the tail begins, in standard deviations below the mean log-likelihood. The first holds a tenth of normal
/// draws, twice the tail of 4,000; a tail that is not found there is looked for nearer the mean, and last among all draws.
const DEPTHS: [f64; 3] = [1.3, 0.6, 0.0];

/// One observation's shares of WAIC and PSIS-LOO.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointScores {
    /// Of WAIC.
    pub waic: WaicPoint,
    /// Of PSIS-LOO.
    pub loo: LooPoint,
}

impl LooPoint {
    /// From the S log-likelihoods of one observation, chain-major; their relative efficiency is estimated from the chains.
    #[must_use]
    pub fn new(log_likelihood: &[f64], n_chains: usize) -> Self {
        PointScores::new(log_likelihood, n_chains).loo
    }

    /// The same with a known relative efficiency, 1 for independent draws.
    #[must_use]
    pub fn with_relative_efficiency(log_likelihood: &[f64], relative_efficiency: f64) -> Self {
        PointScores::with_relative_efficiency(log_likelihood, relative_efficiency).loo
    }
}

impl PointScores {
    /// From the S log-likelihoods of one observation, chain-major; their relative efficiency is estimated from the chains.
    #[must_use]
    pub fn new(log_likelihood: &[f64], n_chains: usize) -> Self {
        Self::estimate(log_likelihood, Efficiency::Estimated { n_chains })
    }

    /// The same with a known relative efficiency, 1 for independent draws.
    #[must_use]
    pub fn with_relative_efficiency(log_likelihood: &[f64], relative_efficiency: f64) -> Self {
        Self::estimate(log_likelihood, Efficiency::Known(relative_efficiency))
    }

    fn estimate(log_likelihood: &[f64], efficiency: Efficiency) -> Self {
        let span = Span::from_column(log_likelihood);
        if let Some(loo) = LooPoint::without_tail(log_likelihood, span) {
            return Self { waic: WaicPoint::new(log_likelihood), loo };
        }
        if span.greatest - span.least > WIDEST_RANGE {
            let loo = LooPoint::on_the_log_scale(log_likelihood, efficiency);
            return Self { waic: WaicPoint::new(log_likelihood), loo };
        }
        let estimated = matches!(efficiency, Efficiency::Estimated { .. });
        let weights = Weights::from_column(log_likelihood, span, estimated);
        let draws = log_likelihood.len() as f64;
        let lpd = span.least + libm::log(weights.likelihood_sum / draws);
        let relative_efficiency = match efficiency {
            Efficiency::Known(known) => known,
            Efficiency::Estimated { n_chains } => relative_efficiency(&weights.likelihoods, n_chains),
        };
        Self {
            waic: WaicPoint::from_variance(lpd, weights.variance),
            loo: of_weights(&weights, span, lpd, relative_efficiency).unwrap_or_else(|| {
                LooPoint::on_the_log_scale(log_likelihood, Efficiency::Known(relative_efficiency))
            }),
        }
    }
}

/// Vehtari, Gelman & Gabry (2017), eq. 10, with every likelihood relative to the least of them, so that raw weight × likelihood is 1
/// for each draw: the raw weights hold all that the sums need. None if smoothing left so little of the largest weight that squares
/// of weights would underflow.
fn of_weights(weights: &Weights, span: Span, lpd: f64, relative_efficiency: f64) -> Option<LooPoint> {
    let draws = weights.raw.len() as f64;
    let mean = span.sum / draws;
    // Sums of squares are taken about a typical weight: nearly equal weights would lose their digits otherwise.
    let centre = libm::exp(span.least - mean);
    let length = smoothed_length(weights.raw.len(), relative_efficiency);
    let (mut bulk, tail) = match length {
        Some(length) => tail_of(weights, span.least - mean, length, centre),
        None => (Parted::at(&weights.raw, f64::INFINITY, centre), Vec::new()),
    };
    let cutoff = bulk.above.iter().copied().fold(0.0, f64::max);
    let smoothed = Tail::smoothed(&tail, cutoff);
    let pareto_k = smoothed.as_ref().map_or(f64::INFINITY, |smoothed| smoothed.pareto_k);
    // What was not smoothed stays as it was, and the product of weight and likelihood 1.
    let (smoothed, raw) = match smoothed {
        Some(smoothed) => (smoothed.weights, tail),
        None => {
            bulk.above.extend(tail);
            (Vec::new(), Vec::new())
        }
    };
    let (mut sum, mut squares) = (bulk.sum, bulk.squares);
    for weight in bulk.above.iter().chain(&smoothed) {
        sum += weight - centre;
        squares += (weight - centre) * (weight - centre);
    }
    let total = draws * centre + sum;
    if total < LEAST_TOTAL {
        return None;
    }
    let products: Vec<f64> = smoothed.iter().zip(&raw).map(|(smoothed, raw)| smoothed / raw).collect();
    let likelihood = draws - products.len() as f64 + products.iter().sum::<f64>();
    let elpd = span.least + libm::log(likelihood / total);

    // Vehtari, Simpson, Gelman, Yao & Gabry (2024), eq. 6: Σ (weight × likelihood / exp(elpd) − weight)², weights summing to one;
    // carried to the log scale as a log-normal's, which is what later versions of `loo` do.
    let unit = total / likelihood;
    let away = unit - centre;
    let about_unit = squares - 2.0 * away * sum + draws * away * away;
    // (unit product − w)² less the (unit − w)² that the line above took the tail for.
    let correction = |(product, w): (&f64, &f64)| unit * (product - 1.0) * (unit * (product + 1.0) - 2.0 * w);
    let spread = about_unit + products.iter().zip(&smoothed).map(correction).sum::<f64>();
    let mcse = (libm::log1p(spread.max(0.0) / (total * total)) / relative_efficiency).sqrt();

    // Σ w² from the squares about the centre.
    let uncentred = squares + 2.0 * centre * sum + draws * centre * centre;
    let n_eff = total * total / uncentred * relative_efficiency;
    Some(LooPoint { elpd, p: lpd - elpd, pareto_k, mcse, n_eff })
}

/// The `length` largest raw weights, ascending, parted from the others. `depth` is the least log-likelihood less the mean one.
fn tail_of(weights: &Weights, depth: f64, length: usize, centre: f64) -> (Parted, Vec<f64>) {
    let sd = weights.variance.sqrt();
    let mut parted = DEPTHS
        .iter()
        .map(|deviations| Parted::at(&weights.raw, libm::exp(depth + deviations * sd), centre))
        // One more than the tail, for the cutoff.
        .find(|parted| parted.above.len() > length)
        .unwrap_or_else(|| Parted::at(&weights.raw, -1.0, centre));
    // Positive numbers are ordered as their bits are.
    let rest = parted.above.len() - length;
    parted.above.select_nth_unstable_by_key(rest, |weight| weight.to_bits());
    let mut tail = parted.above.split_off(rest);
    tail.sort_unstable_by_key(|weight| weight.to_bits());
    (parted, tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64, tolerance: f64) -> bool {
        a == b || (a - b).abs() <= tolerance * (1.0 + b.abs())
    }

    fn agree(fast: PointScores, column: &[f64], efficiency: Efficiency) -> Result<(), TestCaseError> {
        let (loo, waic) = (LooPoint::on_the_log_scale(column, efficiency), WaicPoint::new(column));
        for (a, b) in [
            (fast.loo.elpd, loo.elpd),
            (fast.loo.p, loo.p),
            (fast.loo.pareto_k, loo.pareto_k),
            (fast.loo.mcse, loo.mcse),
            (fast.loo.n_eff, loo.n_eff),
            (fast.waic.elpd, waic.elpd),
            (fast.waic.p, waic.p),
        ] {
            prop_assert!(close(a, b, 1e-9), "{fast:?} {loo:?} {waic:?}");
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn sums_of_weights_give_what_the_log_scale_gives(
            uniforms in prop::collection::vec(1e-6..1.0_f64, 200), exponent in -6.0..1.5_f64, ties in 0_u32..3,
        ) {
            let spread = libm::exp10(exponent);
            // Rounded draws have ties, within the tail and at its end.
            let rounded = |u: f64| match ties {
                0 => u,
                ties => (u * f64::from(10 * ties)).ceil() / f64::from(10 * ties),
            };
            let column: Vec<f64> = uniforms.iter().map(|&u| -3.0 + spread * rounded(u).ln() * (1.0 + u)).collect();
            agree(PointScores::new(&column, 4), &column, Efficiency::Estimated { n_chains: 4 })?;
            agree(PointScores::with_relative_efficiency(&column, 0.7), &column, Efficiency::Known(0.7))?;
        }

        #[test]
        fn a_tail_is_found_whatever_the_shape_of_the_column(
            uniforms in prop::collection::vec(0.001..1.0_f64, 150), power in -3.0..3.0_f64, outlier in 0.0..500.0_f64,
        ) {
            let mut column: Vec<f64> = uniforms.iter().map(|u| -u.powf(power).min(90.0)).collect();
            column[17] -= outlier;
            agree(PointScores::with_relative_efficiency(&column, 1.0), &column, Efficiency::Known(1.0))?;
        }
    }
}
