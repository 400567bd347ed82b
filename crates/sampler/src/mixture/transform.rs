//! The smooth bijection between mixtures and the unconstrained vectors on which NUTS moves.
//!
//! A position holds, in this order, weights (K − 1), means (K × D), log scales (K × D), partial correlations (K × D(D−1)/2):
//! - weights by the isometric log-ratio (Egozcue et al. 2003), w = softmax(V x), V the orthonormal Helmert basis: unlike
//!   stick-breaking it treats all components alike; log-Jacobian ½ log K + Σ_k log w_k;
//! - scales by the logarithm; log-Jacobian Σ log σ;
//! - correlations by canonical partial correlations z = tanh(x) (Lewandowski, Kurowicka & Joe 2009); log-Jacobian of
//!   x → z: Σ log(1 − z²).

use libm::{cosh, exp, log, log1p, tanh};

use super::params::Mixture;
use super::triangular::{at, packed_len};

/// The layout of an unconstrained position, for K components in D dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// K.
    pub n_components: usize,
    /// D.
    pub n_features: usize,
}

impl Layout {
    /// Number of partial correlations of one component, D(D−1)/2.
    #[must_use]
    pub fn n_correlations(&self) -> usize {
        packed_len(self.n_features) - self.n_features
    }

    /// Length of a position: (K − 1) + 2KD + K D(D−1)/2, the number of free parameters p in AIC and BIC.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.correlations_start() + self.n_components * self.n_correlations()
    }

    #[must_use]
    pub(crate) fn mu_start(&self) -> usize {
        self.n_components - 1
    }

    #[must_use]
    pub(crate) fn log_sigma_start(&self) -> usize {
        self.mu_start() + self.n_components * self.n_features
    }

    #[must_use]
    pub(crate) fn correlations_start(&self) -> usize {
        self.log_sigma_start() + self.n_components * self.n_features
    }

    /// The coordinates of each component's mean, scales and correlations, and last those of the weights.
    #[must_use]
    pub fn coordinates_of_components(&self) -> Vec<Vec<usize>> {
        let widths = [self.n_features, self.n_features, self.n_correlations()];
        let starts = [self.mu_start(), self.log_sigma_start(), self.correlations_start()];
        let of = |k: usize| {
            starts
                .iter()
                .zip(widths)
                .flat_map(move |(start, width)| start + k * width..start + (k + 1) * width)
        };
        (0..self.n_components).map(|k| of(k).collect()).chain([(0..self.mu_start()).collect()]).collect()
    }

    /// The mixture at a position.
    #[must_use]
    pub fn constrain(&self, position: &[f64]) -> Mixture {
        let mut mixture = Mixture::standard(self.n_components, self.n_features);
        log_weights(&position[..self.mu_start()], &mut mixture.log_weights);
        mixture.mu.copy_from_slice(&position[self.mu_start()..self.log_sigma_start()]);
        for (sigma, &log_sigma) in
            mixture.sigma.iter_mut().zip(&position[self.log_sigma_start()..self.correlations_start()])
        {
            *sigma = exp(log_sigma);
        }
        for k in 0..self.n_components {
            let x =
                &position[self.correlations_start() + k * self.n_correlations()..][..self.n_correlations()];
            let factor = &mut mixture.correlation_factors[k * packed_len(self.n_features)..];
            correlation_factor(self.n_features, x, &mut factor[..packed_len(self.n_features)]);
        }
        mixture
    }

    /// The means at a position, K × D.
    #[must_use]
    pub fn means<'a>(&self, position: &'a [f64]) -> &'a [f64] {
        &position[self.mu_start()..self.log_sigma_start()]
    }

    /// The position of the same mixture with its components reordered: component k becomes component `order[k]` of this
    /// position. The map preserves volume: it rotates the weights' coordinates and permutes the others.
    #[must_use]
    pub fn reordered(&self, position: &[f64], order: &[usize]) -> Vec<f64> {
        let helmert = Helmert::new(self.n_components);
        let mut log_ratios = vec![0.0; self.n_components];
        helmert.apply(&position[..self.mu_start()], &mut log_ratios);
        let log_ratios: Vec<f64> = order.iter().map(|&from| log_ratios[from]).collect();
        let mut reordered = vec![0.0; self.mu_start()];
        helmert.apply_transpose(&log_ratios, &mut reordered);
        let mut rest = &position[self.mu_start()..];
        for width in [self.n_features, self.n_features, self.n_correlations()] {
            let (block, after) = rest.split_at(self.n_components * width);
            order.iter().for_each(|&from| reordered.extend_from_slice(&block[from * width..][..width]));
            rest = after;
        }
        reordered
    }

    /// The position of a mixture, the inverse of [`Layout::constrain`].
    #[must_use]
    pub fn unconstrain(&self, mixture: &Mixture) -> Vec<f64> {
        let mut position = Vec::with_capacity(self.dimension());
        position.resize(self.mu_start(), 0.0);
        Helmert::new(self.n_components).apply_transpose(&mixture.log_weights, &mut position);
        position.extend_from_slice(&mixture.mu);
        position.extend(mixture.sigma.iter().map(|&sigma| log(sigma)));
        for k in 0..self.n_components {
            let factor = mixture.correlation_factor(k);
            for i in 1..self.n_features {
                let mut rest = 1.0f64;
                for j in 0..i {
                    let entry = factor[at(i, j)];
                    let z = entry / rest.sqrt();
                    // atanh(z) = ½ ln((1 + z)/(1 − z)). Rounding must not take z to ±1.
                    let z = z.clamp(-1.0 + 1e-15, 1.0 - 1e-15);
                    position.push(0.5 * (log1p(z) - log1p(-z)));
                    rest = (-entry).mul_add(entry, rest).max(f64::MIN_POSITIVE);
                }
            }
        }
        position
    }
}

/// The orthonormal Helmert basis V, K × (K − 1). Column j (from 1) has 1/√(j(j+1)) in its first j rows and −j/√(j(j+1)) in
/// the next.
#[derive(Debug, Clone)]
pub(crate) struct Helmert {
    /// 1/√(j(j+1)) for j from 1.
    units: Vec<f64>,
}

impl Helmert {
    pub(crate) fn new(n_components: usize) -> Self {
        let unit = |j: usize| 1.0 / ((j * (j + 1)) as f64).sqrt();
        Self { units: (1..n_components).map(unit).collect() }
    }

    /// u = V x.
    #[inline(always)]
    pub(crate) fn apply(&self, x: &[f64], u: &mut [f64]) {
        let mut tail = 0.0;
        for i in (0..u.len()).rev() {
            u[i] = tail;
            if i > 0 {
                let unit = x[i - 1] * self.units[i - 1];
                u[i] -= i as f64 * unit;
                tail += unit;
            }
        }
    }

    /// x = Vᵀ u.
    #[inline(always)]
    pub(crate) fn apply_transpose(&self, u: &[f64], x: &mut [f64]) {
        let mut sum = 0.0;
        for (j, unit) in self.units.iter().enumerate() {
            sum += u[j];
            x[j] = (sum - (j + 1) as f64 * u[j + 1]) * unit;
        }
    }
}

/// log w = log softmax(V x).
fn log_weights(x: &[f64], log_weights: &mut [f64]) {
    Helmert::new(log_weights.len()).apply(x, log_weights);
    normalise(log_weights);
}

/// Subtracts log Σ exp, so that what these are the logarithms of sums to one.
pub(crate) fn normalise(log_weights: &mut [f64]) {
    let largest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = log_weights.iter().map(|&u| exp(u - largest)).sum();
    let log_total = largest + log(total);
    log_weights.iter_mut().for_each(|u| *u -= log_total);
}

/// The packed factor L of a correlation matrix, with unit rows, from the unconstrained partial correlations x, row by row.
pub(crate) fn correlation_factor(n_features: usize, x: &[f64], factor: &mut [f64]) {
    let mut x = x.iter();
    for i in 0..n_features {
        let mut rest = 1.0;
        for j in 0..i {
            let x = *x.next().expect("D(D−1)/2 partial correlations");
            factor[at(i, j)] = tanh(x) * rest;
            rest /= cosh(x);
        }
        factor[at(i, i)] = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use nalgebra::DMatrix;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn there_and_back_is_the_identity(k in 1usize..6, d in 1usize..6, seed in proptest::collection::vec(-2.0..2.0f64, 200)) {
            let layout = Layout { n_components: k, n_features: d };
            let position: Vec<f64> = seed.iter().cycle().take(layout.dimension()).copied().collect();
            let again = layout.unconstrain(&layout.constrain(&position));
            prop_assert_eq!(again.len(), layout.dimension());
            for (a, b) in again.iter().zip(&position) {
                assert_relative_eq!(*a, *b, max_relative = 1e-9, epsilon = 1e-9);
            }
        }
    }

    #[test]
    fn every_coordinate_but_those_of_the_weights_is_of_one_component() {
        let layout = Layout { n_components: 3, n_features: 2 };
        let groups = layout.coordinates_of_components();
        let mut all: Vec<usize> = groups.concat();
        all.sort_unstable();
        assert_eq!(all, (0..layout.dimension()).collect::<Vec<_>>());
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 5, 2]);
        // Another component in the place of one changes its coordinates alone.
        let at: Vec<f64> = (0..layout.dimension()).map(|i| 0.1 * i as f64).collect();
        let mut moved = at.clone();
        groups[1].iter().for_each(|&i| moved[i] += 0.7);
        let (before, after) = (layout.constrain(&at), layout.constrain(&moved));
        for k in 0..3 {
            assert_eq!(before.weight(k), after.weight(k));
            let same = |i: usize| before.covariance(k)[i] == after.covariance(k)[i];
            assert_eq!((0..3).filter(|&i| same(i)).count(), if k == 1 { 0 } else { 3 });
            assert_eq!(before.mean(k) == after.mean(k), k != 1);
        }
    }

    #[test]
    fn a_reordered_position_is_that_of_the_reordered_mixture() {
        let layout = Layout { n_components: 4, n_features: 3 };
        let position: Vec<f64> = (0..layout.dimension()).map(|i| (i as f64 * 1.3).sin()).collect();
        let order = [2, 0, 3, 1];
        let mixture = layout.constrain(&position).reordered(&order);
        let reordered = layout.reordered(&position, &order);
        assert_relative_eq!(reordered[..], layout.unconstrain(&mixture)[..], epsilon = 1e-12);
        assert_eq!(layout.means(&reordered), mixture.mu);
    }

    /// log |det| of the numerical Jacobian of `map` at `x`.
    fn log_jacobian(x: &[f64], map: impl Fn(&[f64]) -> Vec<f64>) -> f64 {
        let n = x.len();
        let h = 1e-5;
        let mut jacobian = DMatrix::zeros(n, n);
        for column in 0..n {
            let mut up = x.to_vec();
            let mut down = x.to_vec();
            up[column] += h;
            down[column] -= h;
            for (row, (a, b)) in map(&up).iter().zip(map(&down)).enumerate() {
                jacobian[(row, column)] = (a - b) / (2.0 * h);
            }
        }
        jacobian.determinant().abs().ln()
    }

    #[test]
    fn the_weights_jacobian_is_half_log_k_plus_the_sum_of_log_weights() {
        let x = [0.3, -0.8, 1.1];
        let free_weights = |x: &[f64]| {
            let mut w = vec![0.0; 4];
            log_weights(x, &mut w);
            w[..3].iter().map(|w| w.exp()).collect::<Vec<_>>()
        };
        let mut w = vec![0.0; 4];
        log_weights(&x, &mut w);
        let expected = 0.5 * 4.0f64.ln() + w.iter().sum::<f64>();
        assert_relative_eq!(log_jacobian(&x, free_weights), expected, max_relative = 1e-8);
    }

    #[test]
    fn the_partial_correlations_density_is_the_lkj_density_with_its_jacobian() {
        use crate::mixture::prior::{Prior, ScalePrior};
        let x = [0.4, -0.3, 0.9, 0.2, -0.6, 0.1];
        for lkj_shape in [1.0, 2.0, 3.7] {
            let prior = Prior {
                concentration: 0.5,
                centres: vec![0.0; 4],
                mean_sd: 1.0,
                scales: ScalePrior::HalfCauchy { scale: 1.0 },
                lkj_shape,
            };
            let below_diagonal = |x: &[f64]| {
                let mut factor = vec![0.0; 10];
                correlation_factor(4, x, &mut factor);
                (1..4)
                    .flat_map(|i| (0..i).map(move |j| at(i, j)))
                    .map(|index| factor[index])
                    .collect::<Vec<_>>()
            };
            let mut factor = vec![0.0; 10];
            correlation_factor(4, &x, &mut factor);
            let expected =
                prior.log_density_of_correlation_factor(4, &factor) + log_jacobian(&x, below_diagonal);
            // Column j's exponent of 1 − z², the Jacobian of tanh included, is the shape b of its beta distribution.
            let columns = (1..4).flat_map(|i| 0..i);
            let value: f64 = columns
                .zip(x)
                .map(|(j, x)| {
                    let power = prior.partial_correlation_shape(4, j);
                    prior.partial_correlation_constant(4, j) - 2.0 * power * x.cosh().ln()
                })
                .sum();
            assert_relative_eq!(value, expected, max_relative = 1e-8);
        }
    }
}
