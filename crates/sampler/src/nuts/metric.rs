//! The metric: a factor C of the (estimated) posterior covariance, C Cᵀ = M⁻¹, and how it is learnt.

use crate::mixture::triangular::{at, cholesky, packed_len, product_with_transpose};

/// Above this dimension the metric is diagonal: a dense factor's cost per leapfrog grows with the square of the dimension, and
/// its estimate from a warm-up's draws drowns in noise. Where exactly is a guess.
pub const DENSE_LIMIT: usize = 512;

/// A learnt variance is at least this share of the one in force, lest rounding make a metric of zero width.
const MIN_VARIANCE: f64 = 1e-8;

/// The lower-triangular (or diagonal) factor C of the inverse mass matrix M⁻¹ = C Cᵀ.
///
/// Momenta are kept whitened, p = Cᵀ p_raw ~ N(0, I): kinetic energy is ½|p|², velocity is C p, a kick is Cᵀ ∇, and
/// U-turns are told by plain scalar products.
#[derive(Debug, Clone, PartialEq)]
pub enum Metric {
    /// Standard deviations.
    Diagonal(Vec<f64>),
    /// Packed lower triangle.
    Dense { dimension: usize, factor: Vec<f64> },
}

impl Metric {
    /// The identity, diagonal.
    #[must_use]
    pub fn identity(dimension: usize) -> Self {
        Self::Diagonal(vec![1.0; dimension])
    }

    /// A dense metric from the packed lower triangle of a covariance.
    ///
    /// # Errors
    /// The first pivot that is not positive.
    pub fn from_covariance(dimension: usize, covariance: &[f64]) -> Result<Self, usize> {
        let mut factor = vec![0.0; packed_len(dimension)];
        cholesky(dimension, covariance, &mut factor)?;
        Ok(Self::Dense { dimension, factor })
    }

    #[must_use]
    pub fn dimension(&self) -> usize {
        match self {
            Self::Diagonal(scales) => scales.len(),
            Self::Dense { dimension, .. } => *dimension,
        }
    }

    /// `result = C x`.
    pub fn apply(&self, x: &[f64], result: &mut [f64]) {
        match self {
            Self::Diagonal(scales) => {
                for ((result, scale), x) in result.iter_mut().zip(scales).zip(x) {
                    *result = scale * x;
                }
            }
            Self::Dense { dimension, factor } => {
                for i in 0..*dimension {
                    result[i] = dot(&factor[at(i, 0)..=at(i, i)], &x[..=i]);
                }
            }
        }
    }

    /// `result = Cᵀ x`.
    pub fn apply_transpose(&self, x: &[f64], result: &mut [f64]) {
        match self {
            Self::Diagonal(_) => self.apply(x, result),
            Self::Dense { dimension, factor } => {
                result.fill(0.0);
                for i in 0..*dimension {
                    let row = &factor[at(i, 0)..=at(i, i)];
                    for (result, entry) in result.iter_mut().zip(row) {
                        *result += entry * x[i];
                    }
                }
            }
        }
    }

    /// `x ← C⁻¹ x`.
    fn solve(&self, x: &mut [f64]) {
        match self {
            Self::Diagonal(scales) => x.iter_mut().zip(scales).for_each(|(x, scale)| *x /= scale),
            Self::Dense { dimension, factor } => {
                for i in 0..*dimension {
                    let sum = dot(&factor[at(i, 0)..at(i, i)], &x[..i]);
                    x[i] = (x[i] - sum) / factor[at(i, i)];
                }
            }
        }
    }

    /// The metric that a window of draws suggests: their covariance in the coordinates that the metric in force whitens,
    /// shrunk towards the identity there, that is towards the metric in force, by as much as Ledoit & Wolf (2004,
    /// "A well-conditioned estimator for large-dimensional covariance matrices", section 3.3) find it noisy. Their estimate of
    /// the noise is for independent draws; those of a chain are not quite, so the shrinkage is on the weak side.
    ///
    /// `positions` holds the window's draws one after another.
    #[must_use]
    pub fn learn(&self, positions: &[f64]) -> Self {
        let dimension = self.dimension();
        let n = positions.len() / dimension;
        // A chain that stood still for the whole window has said nothing.
        if n < 2 || positions.chunks_exact(dimension).all(|draw| *draw == positions[..dimension]) {
            return self.clone();
        }
        let mut whitened = positions.to_vec();
        let mut mean = vec![0.0; dimension];
        for draw in positions.chunks_exact(dimension) {
            mean.iter_mut().zip(draw).for_each(|(mean, x)| *mean += x / n as f64);
        }
        for draw in whitened.chunks_exact_mut(dimension) {
            draw.iter_mut().zip(&mean).for_each(|(x, mean)| *x -= mean);
            self.solve(draw);
        }
        match self {
            Self::Diagonal(scales) => {
                let learnt = (0..dimension).map(|i| {
                    let squares = || whitened[i..].iter().step_by(dimension).map(|x| x * x);
                    let variance = squares().sum::<f64>() / n as f64;
                    let noise =
                        squares().map(|square| (square - variance).powi(2)).sum::<f64>() / (n * n) as f64;
                    let distance = (variance - 1.0).powi(2);
                    let shrinkage = if distance > 0.0 { noise / (noise + distance) } else { 1.0 };
                    let shrunk = shrinkage + (1.0 - shrinkage) * variance;
                    scales[i] * shrunk.max(MIN_VARIANCE).sqrt()
                });
                Self::Diagonal(learnt.collect())
            }
            Self::Dense { factor, .. } => {
                let covariance = shrunk_covariance(dimension, &whitened);
                let mut inner = vec![0.0; packed_len(dimension)];
                if cholesky(dimension, &covariance, &mut inner).is_err() {
                    return self.clone();
                }
                let mut product = vec![0.0; packed_len(dimension)];
                crate::mixture::triangular::multiply(dimension, factor, &inner, &mut product);
                Self::Dense { dimension, factor: product }
            }
        }
    }

    /// C Cᵀ, packed, or its diagonal.
    #[must_use]
    pub fn covariance(&self) -> Vec<f64> {
        match self {
            Self::Diagonal(scales) => scales.iter().map(|scale| scale * scale).collect(),
            Self::Dense { dimension, factor } => {
                let mut covariance = vec![0.0; packed_len(*dimension)];
                product_with_transpose(*dimension, factor, &mut covariance);
                covariance
            }
        }
    }
}

/// Packed covariance of centred draws (denominator n), shrunk towards the identity: `ρ I + (1 − ρ) S` with
/// ρ = min(1, noise / distance), noise the mean squared error of S and distance |S − I|², both estimated from the draws.
fn shrunk_covariance(dimension: usize, draws: &[f64]) -> Vec<f64> {
    let n = (draws.len() / dimension) as f64;
    let mut covariance = vec![0.0; packed_len(dimension)];
    let mut fourth_powers = 0.0;
    for draw in draws.chunks_exact(dimension) {
        for i in 0..dimension {
            let row = &mut covariance[at(i, 0)..=at(i, i)];
            row.iter_mut().zip(draw).for_each(|(entry, x)| *entry += draw[i] * x / n);
        }
        fourth_powers += dot(draw, draw).powi(2);
    }
    let (mut square, mut distance) = (0.0, 0.0);
    for i in 0..dimension {
        for j in 0..=i {
            let entry = covariance[at(i, j)];
            let times = if i == j { 1.0 } else { 2.0 };
            square += times * entry * entry;
            distance += times * (entry - f64::from(u8::from(i == j))).powi(2);
        }
    }
    let noise = (fourth_powers / n - square) / n;
    let shrinkage = if distance > 0.0 { (noise / distance).clamp(0.0, 1.0) } else { 1.0 };
    for i in 0..dimension {
        for j in 0..=i {
            covariance[at(i, j)] *= 1.0 - shrinkage;
        }
        covariance[at(i, i)] += shrinkage.max(MIN_VARIANCE);
    }
    covariance
}

/// Scalar product in eight partial sums, which vectorise.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (chunks_a, rest_a) = a.as_chunks::<8>();
    let (chunks_b, rest_b) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in chunks_a.iter().zip(chunks_b) {
        for l in 0..8 {
            lanes[l] += a[l] * b[l];
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7])) + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use rand::{SeedableRng, rngs::ChaCha8Rng};
    use rand_distr::{Distribution, StandardNormal};

    fn example() -> Metric {
        Metric::from_covariance(3, &[4.0, 1.0, 2.0, -0.5, 0.3, 1.0]).unwrap()
    }

    #[test]
    fn the_transpose_is_the_adjoint_and_solve_the_inverse() {
        let metric = example();
        let (x, y) = ([0.3, -1.0, 2.0], [1.5, 0.2, -0.7]);
        let (mut cx, mut cty) = ([0.0; 3], [0.0; 3]);
        metric.apply(&x, &mut cx);
        metric.apply_transpose(&y, &mut cty);
        assert_relative_eq!(dot(&cx, &y), dot(&x, &cty), max_relative = 1e-14);
        metric.solve(&mut cx);
        assert_relative_eq!(cx[..], x[..], epsilon = 1e-14);
    }

    #[test]
    fn a_long_window_is_believed_and_a_short_one_is_not() {
        let truth = example();
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut draws = |n: usize| -> Vec<f64> {
            (0..n)
                .flat_map(|_| {
                    let z: Vec<f64> = (0..3).map(|_| StandardNormal.sample(&mut rng)).collect();
                    let mut x = vec![0.0; 3];
                    truth.apply(&z, &mut x);
                    x
                })
                .collect()
        };
        let identity = Metric::from_covariance(3, &[1.0, 0.0, 1.0, 0.0, 0.0, 1.0]).unwrap();
        let learnt = identity.learn(&draws(20_000)).covariance();
        for (entry, truth) in learnt.iter().zip(truth.covariance()) {
            assert_relative_eq!(*entry, truth, epsilon = 0.15);
        }
        // With the right metric already in force, a few draws must not spoil it.
        let kept = truth.learn(&draws(8)).covariance();
        for (entry, truth) in kept.iter().zip(truth.covariance()) {
            assert_relative_eq!(*entry, truth, epsilon = 1.0);
        }
    }

    #[test]
    fn a_window_of_one_point_keeps_the_metric() {
        assert_eq!(example().learn(&[1.0, 2.0, 3.0, 1.0, 2.0, 3.0]), example());
    }
}
