//! The generalized Pareto distribution of exceedances over a threshold, and its fit.

/// Shape k (the tail is heavier the larger it is; negative for a bounded one) and scale σ > 0, threshold zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeneralizedPareto {
    pub k: f64,
    pub sigma: f64,
}

/// Points of the fit's grid before it grows with the sample: `loo` 2.5 and ArviZ.
const GRID: usize = 30;

/// Scale of the prior on the grid, in units of the first quartile: Zhang & Stephens (2009).
const PRIOR_SCALE: f64 = 3.0;

/// The weakly informative prior on k that `loo` adds: worth ten observations of k = ½.
const PRIOR_WEIGHT: f64 = 10.0;
const PRIOR_SHAPE: f64 = 0.5;

/// Below this, `1 − b x` has lost too much of `b x` for a product to be as good as a sum of `log1p`.
const LEAST_FACTOR_CHANGE: f64 = 1e-3;

/// Above this, eight factors could overflow before their exponents are set aside.
const GREATEST_FACTOR: f64 = 1e30;

impl GeneralizedPareto {
    const UNDEFINED: Self = Self { k: f64::NAN, sigma: f64::NAN };

    /// The quasi-Bayesian fit of Zhang & Stephens (2009) to exceedances in ascending order, with `loo`'s prior on k.
    ///
    /// Either parameter is NaN where the first quartile is zero or the sample empty: too many ties at the threshold.
    #[must_use]
    pub fn fit(ascending: &[f64]) -> Self {
        let count = ascending.len();
        let quartile = (count as f64 / 4.0 + 0.5).floor() as usize;
        let Some((&greatest, &first)) = ascending.last().zip(ascending.get(quartile.wrapping_sub(1))) else {
            return Self::UNDEFINED;
        };
        if first.is_nan() || first <= 0.0 {
            return Self::UNDEFINED;
        }
        let n = count as f64;
        let grid = GRID + n.sqrt().floor() as usize;
        // Zhang & Stephens (2009), section 3: the grid for b, their θ. Their k is minus ours.
        let candidates: Vec<f64> = (1..=grid)
            .map(|j| 1.0 / greatest + (1.0 - (grid as f64 / (j as f64 - 0.5)).sqrt()) / (PRIOR_SCALE * first))
            .collect();
        // The same: the profile log-likelihood, and the mean of b under the weights it gives.
        let shapes = mean_logs(&candidates, ascending);
        let profile: Vec<f64> =
            candidates.iter().zip(&shapes).map(|(b, k)| n * (libm::log(-b / k) - k - 1.0)).collect();
        let top = profile.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut weighted, mut total) = (0.0, 0.0);
        for (b, l) in candidates.iter().zip(&profile) {
            let weight = libm::exp(l - top);
            weighted += weight * b;
            total += weight;
        }
        let b = weighted / total;
        let k = ascending.iter().map(|x| libm::log1p(-b * x)).sum::<f64>() / n;
        let sigma = -k / b;
        // As in `loo`, the prior moves k and leaves σ.
        Self { k: (k * n + PRIOR_SHAPE * PRIOR_WEIGHT) / (n + PRIOR_WEIGHT), sigma }
    }

    /// The exceedance that is not passed with the given probability.
    #[must_use]
    pub fn quantile(&self, probability: f64) -> f64 {
        let exponential = -libm::log1p(-probability);
        // At k = 0 the distribution is the exponential.
        let standard = if self.k == 0.0 { exponential } else { libm::expm1(self.k * exponential) / self.k };
        self.sigma * standard
    }
}

/// Mean over x of `log(1 − b x)`, for each b.
///
/// Logarithms are most of a fit's cost. So factors are multiplied, eight at a time between two looks at the exponent, and one
/// logarithm is taken of each product; a b that would lose digits that way takes its logarithms one by one.
fn mean_logs(candidates: &[f64], ascending: &[f64]) -> Vec<f64> {
    const BLOCK: usize = 8;
    let n = ascending.len() as f64;
    let greatest = ascending.last().copied().unwrap_or(0.0);
    let mut products = vec![1.0_f64; candidates.len()];
    let mut exponents = vec![0_i64; candidates.len()];
    for block in ascending.chunks(BLOCK) {
        for x in block {
            for (product, b) in products.iter_mut().zip(candidates) {
                *product *= 1.0 - b * x;
            }
        }
        for (product, exponent) in products.iter_mut().zip(&mut exponents) {
            let bits = product.to_bits();
            *exponent += ((bits >> MANTISSA_BITS) & EXPONENT_MASK).cast_signed() - EXPONENT_BIAS;
            *product = f64::from_bits(bits & MANTISSA_MASK | ONE);
        }
    }
    let one = |((b, product), exponent): ((&f64, &f64), &i64)| {
        let change = (b * greatest).abs();
        if !(LEAST_FACTOR_CHANGE..GREATEST_FACTOR).contains(&change) {
            return ascending.iter().map(|x| libm::log1p(-b * x)).sum::<f64>() / n;
        }
        (libm::log(*product) + *exponent as f64 * std::f64::consts::LN_2) / n
    };
    candidates.iter().zip(&products).zip(&exponents).map(one).collect()
}

/// The parts of a double (IEEE 754 binary64).
const MANTISSA_BITS: u32 = 52;
const MANTISSA_MASK: u64 = (1 << MANTISSA_BITS) - 1;
const EXPONENT_MASK: u64 = 0x7ff;
const EXPONENT_BIAS: i64 = 1023;
const ONE: u64 = 1.0_f64.to_bits();

#[cfg(test)]
mod tests {
    use super::*;

    fn exact_sample(k: f64, sigma: f64, count: usize) -> Vec<f64> {
        let exact = GeneralizedPareto { k, sigma };
        (0..count).map(|i| exact.quantile((i as f64 + 0.5) / count as f64)).collect()
    }

    #[test]
    fn a_fit_to_exact_quantiles_finds_the_shape_that_made_them() {
        for k in [-0.3, 0.1, 0.5, 0.9] {
            let count = 4000.0;
            let fit = GeneralizedPareto::fit(&exact_sample(k, 2.5, 4000));
            // The prior's pull is known; what is left is the grid's and the sample's.
            let expected = (k * count + PRIOR_SHAPE * PRIOR_WEIGHT) / (count + PRIOR_WEIGHT);
            assert!((fit.k - expected).abs() < 0.01, "k {} for {expected}", fit.k);
            assert!((fit.sigma - 2.5).abs() < 0.05, "sigma {}", fit.sigma);
        }
    }

    #[test]
    fn ties_at_the_threshold_leave_the_fit_undefined() {
        assert!(GeneralizedPareto::fit(&[0.0, 0.0, 0.0, 0.0, 1.0, 2.0]).k.is_nan());
        assert!(GeneralizedPareto::fit(&[]).k.is_nan());
    }

    #[test]
    fn products_of_factors_give_the_sums_of_logarithms() {
        for (k, sigma) in [(-0.4, 1e-8), (0.2, 1.0), (0.9, 1e6), (6.0, 1.0)] {
            let ascending = exact_sample(k, sigma, 190);
            let greatest = ascending[189];
            let candidates: Vec<f64> =
                [-1e4, -3.0, -0.2, -1e-5, 1e-7, 0.3, 0.9, 0.999].iter().map(|b| b / greatest).collect();
            for (b, fast) in candidates.iter().zip(mean_logs(&candidates, &ascending)) {
                let plain = ascending.iter().map(|x| libm::log1p(-b * x)).sum::<f64>() / 190.0;
                assert!((fast - plain).abs() <= 1e-12 * plain.abs(), "{k} {b}: {fast} for {plain}");
            }
        }
    }
}
