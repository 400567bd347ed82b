//! What Laplace's method loses where the posterior is known in closed form.
//!
//! Given the labels of its observations, and a conjugate prior, a component's posterior is a normal inverse Wishart, and that of the
//! weights a Dirichlet. The integrals of both are known, and so is what Laplace's method makes of them in the coordinates of chains.
//! The difference grows with the parameters for each observation, to nats for a component with a few more observations than features,
//! and with the components: without it large K are thought too improbable in small samples.

use std::f64::consts::{LN_2, PI};

use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::triangular;

/// log ∫ less Laplace's approximation of it, in nats, for components of these expected counts under a symmetric Dirichlet prior.
pub(super) fn lost(counts: &[f64], n_features: usize, concentration: f64) -> f64 {
    let of_covariances: f64 = counts.iter().map(|count| of_component(n_features, *count)).sum();
    let sizes = counts.iter().map(|count| count + concentration);
    let total: f64 = sizes.clone().sum();
    // Laplace's method in log ratios replaces every gamma function by Stirling's formula.
    of_covariances + sizes.map(stirling).sum::<f64>() - stirling(total)
}

/// log Γ(a) less Stirling's formula (a − ½) log a − a + ½ log 2π.
fn stirling(a: f64) -> f64 {
    libm::lgamma(a) - ((a - 0.5) * libm::log(a) - a + 0.5 * libm::log(2.0 * PI))
}

/// Of a normal inverse Wishart in means, log standard deviations and partial correlations.
///
/// The prior is taken to be worth D + 1 observations of the covariance: an inverse Wishart of D + 1 degrees of freedom makes every
/// correlation uniform (Barnard, McCulloch & Meng 2000, Statistica Sinica 10). The scale of the observations cancels, and where they
/// are uncorrelated at the mode the curvature is diagonal: q of a mean, 2 q of a log standard deviation and q − 1 − j of a partial
/// correlation in column j, from 0, where q is the sum of the two counts and q − 1 the degrees of freedom once the mean is integrated
/// out.
fn of_component(n_features: usize, count: f64) -> f64 {
    let d = n_features as f64;
    let q = count + d + 1.0;
    let exact = 0.5 * d * libm::log(2.0 * PI / q)
        + 0.5 * (q - 1.0) * d * (LN_2 - libm::log(q))
        + log_multigamma(n_features, 0.5 * (q - 1.0));
    let correlations: f64 = (0..n_features - 1)
        .map(|j| 0.5 * (n_features - 1 - j) as f64 * libm::log(2.0 * PI / (q - 1.0 - j as f64)))
        .sum();
    let approximate =
        d * (LN_2 - 0.5 * q) + 0.5 * d * (libm::log(2.0 * PI / q) + libm::log(PI / q)) + correlations;
    exact - approximate
}

/// Log determinant of the curvature in unconstrained space at a mode, were observations labelled and the prior as in
/// [`of_component`].
pub(super) fn log_determinant(counts: &[f64], mixture: &Mixture) -> f64 {
    let d = mixture.n_features();
    let of_component = |(k, count): (usize, &f64)| {
        let factor = mixture.scale_factor(k);
        let log_covariance = triangular::log_determinant(d, &factor);
        let q = count + d as f64 + 1.0;
        let correlations: f64 = (0..d - 1).map(|j| (d - 1 - j) as f64 * libm::log(q - 1.0 - j as f64)).sum();
        d as f64 * (LN_2 + 2.0 * libm::log(q)) - log_covariance + correlations + libm::log(*count)
    };
    // The weights' coordinates are orthonormal log ratios.
    let of_weights = libm::log(counts.len() as f64) - libm::log(counts.iter().sum());
    counts.iter().enumerate().map(of_component).sum::<f64>() + of_weights
}

/// Log of the multivariate gamma function Γ_D(a).
fn log_multigamma(n_features: usize, a: f64) -> f64 {
    let pairs = (n_features * (n_features - 1)) as f64;
    let gammas: f64 = (0..n_features).map(|i| libm::lgamma(a - 0.5 * i as f64)).sum();
    0.25 * pairs * libm::log(PI) + gammas
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// One feature: ∫∫ σ^−q exp(−(q / 2σ²)(1 + μ²)) dμ d log σ on a grid, against Laplace's method.
    #[test]
    fn one_feature_agrees_with_a_sum_on_a_grid() {
        let count = 4.0;
        let q = count + 2.0;
        let log_density = |mu: f64, log_sigma: f64| {
            -q * log_sigma - 0.5 * q * (1.0 + mu * mu) * libm::exp(-2.0 * log_sigma)
        };
        let step = 0.01;
        let mut sum = 0.0;
        for i in -3000..=3000 {
            for j in -150..=700 {
                sum += libm::exp(log_density(step * f64::from(i), step * f64::from(j)) + 0.5 * q);
            }
        }
        let exact = libm::log(sum * step * step) - 0.5 * q;
        // At μ = log σ = 0 the curvatures are q and 2 q.
        let approximate = -0.5 * q + libm::log(2.0 * PI) - 0.5 * libm::log(q * 2.0 * q);
        assert_abs_diff_eq!(of_component(1, count), exact - approximate, epsilon = 1e-4);
    }

    /// Two features: the same with both means integrated out by hand, over standard deviations and the correlation.
    #[test]
    fn two_features_agree_with_a_sum_on_a_grid() {
        let count = 7.0;
        let q = count + 3.0;
        // |Σ|^−(q + 3) / 2 exp(−½ q tr Σ⁻¹) |dΣ / d(log σ, x)|, times ∫ over the means: (2π / q) |Σ|^½.
        let log_density = |a: f64, b: f64, x: f64| {
            let rest = 1.0 / libm::cosh(x).powi(2);
            let log_determinant = 2.0 * (a + b) + libm::log(rest);
            let trace = (libm::exp(-2.0 * a) + libm::exp(-2.0 * b)) / rest;
            let log_jacobian = 2.0 * LN_2 + 3.0 * (a + b) + libm::log(rest);
            -0.5 * (q + 2.0) * log_determinant - 0.5 * q * trace + log_jacobian + libm::log(2.0 * PI / q)
        };
        let step = 0.03;
        let mut sum = 0.0;
        for i in -40..=140 {
            for j in -40..=140 {
                for l in -100..=100 {
                    let at = |index: i32| step * f64::from(index);
                    sum += libm::exp(log_density(at(i), at(j), at(l)) + q);
                }
            }
        }
        let exact = libm::log(sum * step.powi(3)) - q;
        let curvatures = [q, q, 2.0 * q, 2.0 * q, q - 1.0];
        let log_determinant: f64 = curvatures.iter().map(|c| libm::log(*c)).sum();
        let approximate = 2.0 * LN_2 - q + 2.5 * libm::log(2.0 * PI) - 0.5 * log_determinant;
        assert_abs_diff_eq!(of_component(2, count), exact - approximate, epsilon = 1e-3);
    }

    #[test]
    fn little_is_lost_where_observations_are_many() {
        let lost_by = |n: f64| lost(&[0.4 * n, 0.6 * n], 5, 4.0);
        assert!(lost_by(100.0) > 0.3 && lost_by(1000.0) < 0.06, "{} {}", lost_by(100.0), lost_by(1000.0));
        assert_abs_diff_eq!(10.0 * lost_by(1e5), lost_by(1e4), epsilon = 1e-4);
    }
}
