//! The generalized Pareto distribution of exceedances over a threshold, and its fit.

use gmm_sampler::simd::elementary::{exp_minus_one, ln};
use gmm_sampler::simd::{self, Kernel, LANES, Lanes};

use crate::exponential::exp_of_nonpositive;

/// Shape k (the tail is heavier the larger it is; negative for a bounded one) and scale σ > 0, threshold zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeneralizedPareto {
    /// Shape.
    pub k: f64,
    /// Scale, above 0.
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
        let profile = simd::run(Profile { candidates: &candidates, ascending });
        let top = profile.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !top.is_finite() || profile.iter().any(|l| l.is_nan()) {
            return Self::UNDEFINED;
        }
        let mut weights: Vec<f64> = profile.iter().map(|l| l - top).collect();
        exp_of_nonpositive(&mut weights);
        let (mut weighted, mut total) = (0.0, 0.0);
        for (b, weight) in candidates.iter().zip(weights) {
            weighted += weight * b;
            total += weight;
        }
        let b = weighted / total;
        let k = simd::run(MeanLogs { candidates: &[b], ascending })[0];
        let sigma = -k / b;
        // As in `loo`, the prior moves k and leaves σ.
        Self { k: (k * n + PRIOR_SHAPE * PRIOR_WEIGHT) / (n + PRIOR_WEIGHT), sigma }
    }

    /// The quantiles of (z − ½) / count, z = 1 … count, in their order: what the order statistics of a sample are expected to be.
    #[must_use]
    pub fn order_statistics(&self, count: usize) -> Vec<f64> {
        simd::run(OrderStatistics { of: *self, count })
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
/// Logarithms would be most of a fit's cost. So factors are multiplied, eight at a time between two looks at the exponent, and one
/// logarithm is taken of each product; a b that would lose digits that way takes its logarithms one by one.
#[derive(Clone)]
struct MeanLogs<'a> {
    candidates: &'a [f64],
    ascending: &'a [f64],
}

impl Kernel for MeanLogs<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run<V: Lanes>(self) -> Vec<f64> {
        let Self { candidates, ascending } = self;
        let n = ascending.len() as f64;
        let greatest = ascending.last().copied().unwrap_or(0.0);
        let mut means = Vec::with_capacity(candidates.len() + LANES * SIDE_BY_SIDE);
        for group in candidates.chunks(LANES * SIDE_BY_SIDE) {
            let mut padded = [0.0; LANES * SIDE_BY_SIDE];
            padded[..group.len()].copy_from_slice(group);
            let b: [V; SIDE_BY_SIDE] = std::array::from_fn(|v| V::load_array(block(&padded, v)));
            let mut products = [V::splat(1.0); SIDE_BY_SIDE];
            let mut exponents = [V::splat(0.0); SIDE_BY_SIDE];
            for few in ascending.chunks(FACTORS) {
                for &x in few {
                    for v in 0..SIDE_BY_SIDE {
                        let factor = b[v].negative_multiply_add(V::splat(x), V::splat(1.0));
                        products[v] = products[v].times(factor);
                    }
                }
                for v in 0..SIDE_BY_SIDE {
                    let (exponent, mantissa) = products[v].split_exponent();
                    exponents[v] = exponents[v].plus(exponent);
                    products[v] = mantissa;
                }
            }
            for v in 0..SIDE_BY_SIDE {
                let sum = exponents[v].multiply_add(V::splat(std::f64::consts::LN_2), ln(products[v]));
                let mut lanes = [0.0; LANES];
                sum.over(V::splat(n)).store_array(&mut lanes);
                means.extend(lanes);
            }
            means.truncate(means.len() - (LANES * SIDE_BY_SIDE - group.len()));
        }
        for (mean, b) in means.iter_mut().zip(candidates) {
            if is_extreme(*b, greatest) {
                *mean = ascending.iter().map(|x| libm::log1p(-b * x)).sum::<f64>() / n;
            }
        }
        means
    }
}

/// Vectors of candidates that are multiplied side by side: six hide the latency of the products, and hold the 43 candidates
/// of a tail of 190, which is that of 4,000 independent draws.
const SIDE_BY_SIDE: usize = 6;

/// Factors between two looks at the exponent.
const FACTORS: usize = 8;

fn block(values: &[f64; LANES * SIDE_BY_SIDE], v: usize) -> &[f64; LANES] {
    &values.as_chunks().0[v]
}

/// Whether products would lose digits, or overflow. Also of NaN.
fn is_extreme(b: f64, greatest: f64) -> bool {
    !(LEAST_FACTOR_CHANGE..GREATEST_FACTOR).contains(&(b * greatest).abs())
}

/// The profile log-likelihood of each b: n (log(−b / k) − k − 1) with k the mean of `log(1 − b x)`.
#[derive(Clone)]
struct Profile<'a> {
    candidates: &'a [f64],
    ascending: &'a [f64],
}

impl Kernel for Profile<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run<V: Lanes>(self) -> Vec<f64> {
        let Self { candidates, ascending } = self;
        let n = ascending.len() as f64;
        let greatest = ascending.last().copied().unwrap_or(0.0);
        let mut profile = MeanLogs { candidates, ascending }.run::<V>();
        for (shapes, candidates) in profile.chunks_mut(LANES).zip(candidates.chunks(LANES)) {
            let (mut k, mut b) = ([1.0; LANES], [-1.0; LANES]);
            k[..shapes.len()].copy_from_slice(shapes);
            b[..shapes.len()].copy_from_slice(candidates);
            let k = V::load_array(&k);
            let ratio = V::splat(0.0).minus(V::load_array(&b)).over(k);
            let mut lanes = [0.0; LANES];
            ln(ratio).minus(k).minus(V::splat(1.0)).times(V::splat(n)).store_array(&mut lanes);
            for ((shape, b), lane) in shapes.iter_mut().zip(candidates).zip(lanes) {
                *shape =
                    if is_extreme(*b, greatest) { n * (libm::log(-b / *shape) - *shape - 1.0) } else { lane };
            }
        }
        profile
    }
}

/// Quantiles of (z − ½) / count, z = 1 … count.
#[derive(Clone)]
struct OrderStatistics {
    of: GeneralizedPareto,
    count: usize,
}

impl Kernel for OrderStatistics {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run<V: Lanes>(self) -> Vec<f64> {
        let Self { of: GeneralizedPareto { k, sigma }, count } = self;
        let mut quantiles = Vec::with_capacity(count + LANES);
        let (shape, scale, n) = (V::splat(k), V::splat(sigma), V::splat(count as f64));
        for first in (0..count).step_by(LANES) {
            // Beyond the last, where there is nothing left above the quantile, any positive number will do.
            let above: [f64; LANES] =
                std::array::from_fn(|lane| (count as f64 - (first + lane) as f64 - 0.5).max(0.5));
            let exponential = V::splat(0.0).minus(ln(V::load_array(&above).over(n)));
            let standard = if k == 0.0 {
                exponential
            } else {
                let exponent = shape.times(exponential);
                exp_minus_one(exponent.smaller(V::splat(GREATEST_EXPONENT)).larger(V::splat(LEAST_EXPONENT)))
                    .over(shape)
            };
            let mut lanes = [0.0; LANES];
            scale.times(standard).store_array(&mut lanes);
            quantiles.extend(lanes);
        }
        quantiles.truncate(count);
        quantiles
    }
}

/// Where `exp` has its limits; quantiles out there are far beyond any weight.
const LEAST_EXPONENT: f64 = -708.0;
const GREATEST_EXPONENT: f64 = 709.0;

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
            let kernel = || MeanLogs { candidates: &candidates, ascending: &ascending };
            for (b, fast) in candidates.iter().zip(simd::run(kernel())) {
                let plain = ascending.iter().map(|x| libm::log1p(-b * x)).sum::<f64>() / 190.0;
                assert!((fast - plain).abs() <= 1e-12 * plain.abs(), "{k} {b}: {fast} for {plain}");
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let ascending = exact_sample(0.3, 0.1, 95);
        let candidates: Vec<f64> = (1..50).map(|j| -0.3 * f64::from(j) + 1e-5).collect();
        let profile = simd::run_on_all(&Profile { candidates: &candidates, ascending: &ascending });
        let statistics =
            simd::run_on_all(&OrderStatistics { of: GeneralizedPareto { k: 0.3, sigma: 2.0 }, count: 95 });
        assert!(profile.iter().all(|other| *other == profile[0]));
        assert!(statistics.iter().all(|other| *other == statistics[0]));
    }

    /// The fit as Zhang & Stephens, and `loo`, write it.
    fn plain_fit(ascending: &[f64]) -> GeneralizedPareto {
        let n = ascending.len() as f64;
        let first = ascending[(n / 4.0 + 0.5).floor() as usize - 1];
        let grid = (30.0 + n.sqrt().floor()) as usize;
        let shape = |b: f64| ascending.iter().map(|x| libm::log1p(-b * x)).sum::<f64>() / n;
        let b: Vec<f64> = (1..=grid)
            .map(|j| {
                1.0 / ascending[ascending.len() - 1]
                    + (1.0 - (grid as f64 / (j as f64 - 0.5)).sqrt()) / 3.0 / first
            })
            .collect();
        let l: Vec<f64> = b.iter().map(|&b| n * (libm::log(-b / shape(b)) - shape(b) - 1.0)).collect();
        let weight = |j: usize| 1.0 / l.iter().map(|other| libm::exp(other - l[j])).sum::<f64>();
        let b = (0..grid).map(|j| weight(j) * b[j]).sum::<f64>();
        GeneralizedPareto { k: (shape(b) * n + 5.0) / (n + 10.0), sigma: -shape(b) / b }
    }

    #[test]
    fn a_fit_in_lanes_is_the_plain_fit() {
        for (k, sigma) in
            [(-0.9, 1.0), (-0.4, 1e-8), (1e-9, 1.0), (0.2, 3.0), (0.9, 1e-200), (6.0, 1.0), (40.0, 1e-100)]
        {
            for count in [5, 6, 20, 41, 95, 190, 600, 2000] {
                let sample = exact_sample(k, sigma, count);
                let (fast, plain) = (GeneralizedPareto::fit(&sample), plain_fit(&sample));
                assert!(
                    (fast.k - plain.k).abs() <= 1e-11 * plain.k.abs().max(1e-2),
                    "{k} {count}: {fast:?} {plain:?}"
                );
                assert!((fast.sigma / plain.sigma - 1.0).abs() <= 1e-10, "{k} {count}: {fast:?} {plain:?}");
            }
        }
    }

    #[test]
    fn order_statistics_are_quantiles() {
        for k in [-3.0, -0.4, -1e-7, 0.0, 1e-12, 0.3, 2.0, 50.0] {
            for count in [1, 7, 8, 190] {
                let of = GeneralizedPareto { k, sigma: 2.5 };
                let all = of.order_statistics(count);
                assert_eq!(all.len(), count);
                for (z, fast) in all.into_iter().enumerate() {
                    let plain = of.quantile((z as f64 + 0.5) / count as f64);
                    assert!((fast / plain - 1.0).abs() < 1e-12 * (1.0 + k.abs()), "{k} {z}: {fast} {plain}");
                }
            }
        }
    }
}
