//! Simulation of data from a mixture, of mixtures from the prior, and of mixtures with a given overlap.

pub mod mixsim;

use rand::{Rng, RngExt};
use rand_distr::{Beta, Cauchy, Distribution, Exp, Gamma, Normal, StandardNormal, StudentT};

use super::params::Mixture;
use super::prior::{Prior, ScalePrior};
use super::transform::{Layout, correlation_factor};
use super::triangular::{packed_len, times};
use crate::data::Data;

impl Mixture {
    /// Draws `n` ≥ 1 independent observations. Also returns the component of each, from 0.
    ///
    /// # Panics
    /// If `n` is zero.
    #[must_use]
    pub fn simulate(&self, n: usize, rng: &mut impl Rng) -> (Data, Vec<usize>) {
        let d = self.n_features();
        let factors: Vec<Vec<f64>> = (0..self.n_components()).map(|k| self.scale_factor(k)).collect();
        let mut columns = vec![Vec::with_capacity(n); d];
        let mut components = Vec::with_capacity(n);
        for _ in 0..n {
            let component = draw_index((0..self.n_components()).map(|k| self.weight(k)), rng);
            let z: Vec<f64> = (0..d).map(|_| StandardNormal.sample(rng)).collect();
            let moved = self.mean(component).iter().zip(times(&factors[component], &z));
            columns.iter_mut().zip(moved).for_each(|(column, (mean, along))| column.push(mean + along));
            components.push(component);
        }
        (Data::from_columns(&columns).expect("a mixture's draws are finite, n is positive"), components)
    }
}

/// An index drawn with these probabilities; the last one with what rounding leaves beyond their sum.
pub fn draw_index(probabilities: impl ExactSizeIterator<Item = f64>, rng: &mut impl Rng) -> usize {
    let last = probabilities.len() - 1;
    let mut left: f64 = rng.random();
    let mut probabilities = probabilities;
    let found = probabilities.position(|probability| {
        left -= probability;
        left < 0.0
    });
    found.unwrap_or(last)
}

impl ScalePrior {
    /// Draws the σ of all components for one feature, length K.
    #[must_use]
    pub fn simulate(&self, n_components: usize, rng: &mut impl Rng) -> Vec<f64> {
        if let Self::Hierarchical { shape, hyper_shape, hyper_rate } = *self {
            // 1/σ² is a Gamma(shape, rate 1) draw divided by β.
            let log_rate = log_gamma_draw(hyper_shape, rng) - libm::log(hyper_rate);
            let sigma = |_| libm::exp(0.5 * (log_rate - log_gamma_draw(shape, rng)));
            return (0..n_components).map(sigma).collect();
        }
        (0..n_components).map(|_| self.simulate_one(rng)).collect()
    }

    fn simulate_one(&self, rng: &mut impl Rng) -> f64 {
        const CHECKED: &str = "hyper-parameters were checked to be positive";
        let value: f64 = match *self {
            Self::HalfCauchy { scale } => Cauchy::new(0.0, scale).expect(CHECKED).sample(rng),
            Self::HalfNormal { scale } => Normal::new(0.0, scale).expect(CHECKED).sample(rng),
            Self::HalfStudentT { nu, scale } => scale * StudentT::new(nu).expect(CHECKED).sample(rng),
            Self::Exponential { rate } => Exp::new(rate).expect(CHECKED).sample(rng),
            Self::LogNormal { mu, sigma } => libm::exp(Normal::new(mu, sigma).expect(CHECKED).sample(rng)),
            Self::InverseGamma { shape, scale } => {
                1.0 / Gamma::new(shape, 1.0 / scale).expect(CHECKED).sample(rng)
            }
            Self::Hierarchical { .. } => self.simulate(1, rng)[0],
        };
        value.abs()
    }
}

/// Draws the logarithm of a Gamma(α, rate 1) variable. For small α the variable itself underflows, hence
/// Gamma(α) = Gamma(α + 1) U^(1/α) (Marsaglia & Tsang 2000, section 6).
fn log_gamma_draw(shape: f64, rng: &mut impl Rng) -> f64 {
    let gamma = Gamma::new(shape + 1.0, 1.0).expect("shapes were checked to be positive");
    let uniform: f64 = 1.0 - rng.random::<f64>();
    libm::log(gamma.sample(rng)) + libm::log(uniform) / shape
}

impl Prior {
    /// Draws a mixture of K components in D dimensions, on the sampler's scale.
    ///
    /// # Panics
    /// If [`Prior::check`] fails, or if the centres are not K × D.
    #[must_use]
    pub fn simulate(&self, n_components: usize, n_features: usize, rng: &mut impl Rng) -> Mixture {
        const CHECKED: &str = "hyper-parameters were checked to be positive";
        assert_eq!(self.centres.len(), n_components * n_features, "the prior's centres are K × D");
        let mut mixture = Mixture::standard(n_components, n_features);
        mixture.log_weights = self.simulate_log_weights(n_components, rng);
        for (mu, &centre) in mixture.mu.iter_mut().zip(&self.centres) {
            *mu = Normal::new(centre, self.mean_sd).expect(CHECKED).sample(rng);
        }
        for feature in 0..n_features {
            let sigma_of_feature = mixture.sigma.iter_mut().skip(feature).step_by(n_features);
            sigma_of_feature
                .zip(self.scales.simulate(n_components, rng))
                .for_each(|(sigma, drawn)| *sigma = drawn);
        }
        let layout = Layout { n_components, n_features };
        for k in 0..n_components {
            let mut x = Vec::with_capacity(layout.n_correlations());
            for i in 1..n_features {
                for j in 0..i {
                    let shape = self.partial_correlation_shape(n_features, j);
                    let unit: f64 = Beta::new(shape, shape).expect(CHECKED).sample(rng);
                    // atanh(2u − 1) = ½ (ln u − ln(1 − u)).
                    x.push(0.5 * (libm::log(unit) - libm::log1p(-unit)));
                }
            }
            let triangle = packed_len(n_features);
            let factor = &mut mixture.correlation_factors[k * triangle..][..triangle];
            correlation_factor(n_features, &x, factor);
        }
        mixture
    }

    /// Draws log weights from the Dirichlet prior.
    fn simulate_log_weights(&self, n_components: usize, rng: &mut impl Rng) -> Vec<f64> {
        let log_gammas: Vec<f64> =
            (0..n_components).map(|_| log_gamma_draw(self.concentration, rng)).collect();
        let largest = log_gammas.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = log_gammas.iter().map(|&value| libm::exp(value - largest)).sum();
        log_gammas.iter().map(|value| value - largest - libm::log(total)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    /// Mean and its standard error.
    fn mean(values: &[f64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, (variance / n).sqrt())
    }

    #[track_caller]
    fn assert_mean(values: &[f64], expected: f64) {
        let (mean, se) = mean(values);
        assert!((mean - expected).abs() < 4.5 * se, "{mean} ± {se}, expected {expected}");
    }

    #[test]
    fn data_have_the_mixtures_moments() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mixture = Mixture::from_covariances(
            2,
            &[0.3, 0.7],
            &[-2.0, 1.0, 3.0, 0.0],
            &[1.0, 0.5, 2.0, 0.25, -0.1, 1.0],
        )
        .unwrap();
        let (data, components) = mixture.simulate(20_000, &mut rng);
        let in_first: Vec<f64> = components.iter().map(|&k| f64::from(k == 0)).collect();
        assert_mean(&in_first, 0.3);
        assert_mean(data.feature(0), 0.3 * -2.0 + 0.7 * 3.0);
        let products: Vec<f64> = (0..20_000).map(|i| data.feature(0)[i] * data.feature(1)[i]).collect();
        assert_mean(&products, 0.3 * (0.5 - 2.0) + 0.7 * -0.1);
    }

    #[test]
    fn scales_under_a_hierarchical_prior_share_their_rate() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let prior = ScalePrior::Hierarchical { shape: 2.0, hyper_shape: 3.0, hyper_rate: 4.0 };
        let draws: Vec<Vec<f64>> = (0..40_000).map(|_| prior.simulate(2, &mut rng)).collect();
        let statistic = |f: &dyn Fn(f64, f64) -> f64| draws.iter().map(|s| f(s[0], s[1])).collect::<Vec<_>>();
        // E[1/σ² | β] = shape / β and E[1/β] = hyper_rate / (hyper_shape − 1); two of them given one β are independent.
        assert_mean(&statistic(&|a, _| a.powi(-2)), 2.0 * 4.0 / 2.0);
        assert_mean(&statistic(&|_, b| b.powi(-2)), 2.0 * 4.0 / 2.0);
        // log 1/σ² is log Gamma(shape) − log β: their variances are trigammas, ψ′(2) = π²/6 − 1 and ψ′(3) = π²/6 − 5/4.
        let basel = std::f64::consts::PI.powi(2) / 6.0;
        assert_mean(&statistic(&|a, b| (-2.0 * a.ln() + 2.0 * b.ln()).powi(2)), 2.0 * (basel - 1.0));
        let mean = mean(&statistic(&|a, _| -2.0 * a.ln())).0;
        let covariance = statistic(&|a, b| (-2.0 * a.ln() - mean) * (-2.0 * b.ln() - mean));
        assert_mean(&covariance, basel - 1.25);
    }

    #[test]
    fn prior_draws_have_the_priors_moments_and_quantiles() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let prior = Prior {
            concentration: 0.5,
            centres: vec![1.0, 2.0, 3.0, -1.0, -2.0, -3.0],
            mean_sd: 0.1f64.sqrt(),
            scales: ScalePrior::HalfCauchy { scale: 1.5 },
            lkj_shape: 2.0,
        };
        let draws: Vec<Mixture> = (0..20_000).map(|_| prior.simulate(2, 3, &mut rng)).collect();
        let statistic = |f: &dyn Fn(&Mixture) -> f64| draws.iter().map(f).collect::<Vec<_>>();
        assert_mean(&statistic(&|m| m.weight(0)), 0.5);
        // Var of a symmetric Dirichlet's weight: (1/K)(1 − 1/K)/(Kα + 1).
        assert_mean(&statistic(&|m| (m.weight(0) - 0.5).powi(2)), 0.25 / 2.0);
        assert_mean(&statistic(&|m| m.mean(1)[2]), -3.0);
        assert_mean(&statistic(&|m| (m.mean(1)[2] + 3.0).powi(2)), 0.1);
        // The half-Cauchy's median is its scale.
        assert_mean(&statistic(&|m| f64::from(m.scales(0)[1] < 1.5)), 0.5);
        // Marginally (ω + 1)/2 ~ Beta(a, a), a = η − 1 + D/2, whose variance is 1 / (4 (2a + 1)); for ω four times that.
        for (i, j) in [(1, 0), (2, 0), (2, 1)] {
            assert_mean(&statistic(&|m| m.correlation(0, i, j)), 0.0);
            assert_mean(&statistic(&|m| m.correlation(0, i, j).powi(2)), 1.0 / (2.0 * 2.5 + 1.0));
        }
    }
}
