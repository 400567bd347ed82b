//! Expectation–maximisation with restarts: the maximised likelihood for AIC, BIC and ICL (Bishop 2006, section 9.2.2).
//!
//! The likelihood of a mixture is unbounded: it tends to infinity as a component shrinks onto one observation, or onto a line
//! through a few. Such degenerate solutions are detected and rejected, and so are spurious ones: finite optima due to a handful
//! of observations in a tiny or flat cluster (McLachlan & Peel 2000, section 3.10).

mod optimum;
mod regularity;
pub mod run;
mod search;
mod starts;
mod whitened;

pub use optimum::{EmError, EmFit, EmOptimum, MAX_OTHERS};
pub use regularity::Regularity;

use rand::Rng;

use super::subsample::{SUBSAMPLE_SIZE, subsample};
use crate::data::{Data, Observations};
use crate::mixture::likelihood::Likelihood;
use crate::mixture::params::Mixture;
use search::Search;
use starts::{Initialization, initial_state};
use whitened::{Whitened, mean_and_factor};

/// Number of optima on a subsample from which EM continues on all observations.
const FOLLOWED: usize = 3;

/// Observations of the random subsample on which the likelihood of many is searched. Against 20,000, on 100,000 observations of
/// four and of eight overlapping clusters: the same optima up to the true K, others above it (a deviance 13 lower to 34 higher, where
/// a surplus component costs 190), in half of the processor time.
const SEARCH_SIZE: usize = 5_000;

/// Default number of independent starts.
pub const DEFAULT_STARTS: usize = 200;

/// Rows in which a linear dependence is looked for first. If these have none, all rows together have none.
const DEPENDENCE_SAMPLE: usize = 10_000;

/// The first feature that is a linear combination of those before it, to within rounding. The likelihood of mixtures with full
/// covariances is unbounded then. `None` if there is no such feature.
#[must_use]
pub fn dependent_feature(data: &Data) -> Option<usize> {
    let find = |data: &Data| match mean_and_factor(data) {
        Err(EmError::Collinear { feature }) => Some(feature),
        _ => None,
    };
    if data.n_observations() <= DEPENDENCE_SAMPLE {
        return find(data);
    }
    find(&data.rows(&data.spread_rows(DEPENDENCE_SAMPLE))).and_then(|_| find(data))
}

/// Searches the best regular optimum of the likelihood of K components with full covariances: `starts` independent starts, then
/// half as many attempts that relocate one component of the best. If there are more than 20,000 observations, the search uses a
/// random subsample of 5,000, and EM continues from its best optima on all observations.
///
/// # Errors
/// If features are collinear, or if there are no more observations than components.
pub fn em(data: &Data, n_components: usize, starts: usize, rng: &mut impl Rng) -> Result<EmOptimum, EmError> {
    let n_observations = data.n_observations();
    if n_components == 0 || n_observations <= n_components {
        return Err(EmError::TooFewObservations { n_components, n_observations });
    }
    let whitened = Whitened::new(data)?;
    // With one component every start ends at the data's mean and covariance.
    let starts = if n_components == 1 { 1 } else { starts.max(1) };
    let likelihood = Likelihood::new(&whitened.data);
    if n_observations <= SUBSAMPLE_SIZE {
        let mut search = Search::new(&whitened, &likelihood, n_components);
        let independent = search.explore(starts, rng);
        return Ok(search.optimum(starts, independent));
    }
    let subsampled = whitened.select_rows(&subsample(n_observations, SEARCH_SIZE, rng));
    let subsample_likelihood = Likelihood::new(&subsampled.data);
    let mut search = Search::new(&subsampled, &subsample_likelihood, n_components);
    let independent = search.explore(starts, rng);
    let found = search.optimum(starts, independent);
    let mut on_all = Search::new(&whitened, &likelihood, n_components);
    search.best_distinct(FOLLOWED).into_iter().for_each(|state| on_all.finish(state));
    let followed = on_all.fits.len();
    Ok(EmOptimum {
        n_degenerate: found.n_degenerate,
        n_reached: found.n_reached,
        ..on_all.optimum(starts, followed)
    })
}

/// As [`em`], but on a random subsample of 20,000 if there are more observations: a good starting point without the hundreds of
/// passes over all observations that EM may need.
///
/// # Errors
/// As for [`em`].
pub fn em_on_subsample(
    data: &Data,
    n_components: usize,
    starts: usize,
    rng: &mut impl Rng,
) -> Result<EmOptimum, EmError> {
    let n_observations = data.n_observations();
    if n_observations <= SUBSAMPLE_SIZE {
        return em(data, n_components, starts, rng);
    }
    em(&data.rows(&subsample(n_observations, SUBSAMPLE_SIZE, rng)), n_components, starts, rng)
}

/// A few iterations of EM from one run of k-means: a mixture that resembles the data. `None` if a component degenerates.
///
/// # Errors
/// As for [`em`].
pub fn short_em(data: &Data, n_components: usize, rng: &mut impl Rng) -> Result<Option<Mixture>, EmError> {
    let n_observations = data.n_observations();
    if n_components == 0 || n_observations <= n_components {
        return Err(EmError::TooFewObservations { n_components, n_observations });
    }
    let whitened = Whitened::new(data)?;
    let likelihood = Likelihood::new(&whitened.data);
    let state = initial_state(&whitened.data, n_components, Initialization::KMeansClusters, rng);
    let found = Search::new(&whitened, &likelihood, n_components).short_run(state);
    Ok(found.filter(|(fit, _)| fit.regularity > Regularity::Degenerate).map(|(fit, _)| fit.mixture))
}

#[cfg(test)]
mod tests {
    use super::regularity::DEGENERATE_EIGENVALUE;
    use super::*;
    use crate::mixture::likelihood::{Moments, WhitenedComponents, Workspace};
    use approx::assert_relative_eq;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    #[test]
    fn a_search_among_a_sample_ends_at_an_optimum_of_all() {
        let truth = Mixture::from_covariances(1, &[0.3, 0.7], &[-2.0, 2.0], &[0.5, 1.0]).unwrap();
        let (data, _) = truth.simulate(SUBSAMPLE_SIZE + 5000, &mut ChaCha8Rng::seed_from_u64(1));
        let fit = em(&data, 2, 6, &mut ChaCha8Rng::seed_from_u64(2)).unwrap().best.unwrap();
        let likelihood = Likelihood::new(&data);
        let (mut workspace, mut moments) = (Workspace::new(2, 1), Moments::new(2, 1));
        let mut log_likelihood = |mixture: &Mixture| {
            let components = WhitenedComponents::from_mixture(mixture);
            likelihood.log_likelihood_and_moments(&components, &mut workspace, &mut moments)
        };
        assert_relative_eq!(fit.log_likelihood, log_likelihood(&fit.mixture), max_relative = 1e-12);
        // Half of a chi-squared of five parameters above the truth's likelihood, and at a maximum: no weight gains by moving.
        let gain = fit.log_likelihood - log_likelihood(&truth);
        assert!((0.0..12.0).contains(&gain), "{gain}");
    }

    #[test]
    fn one_component_is_the_sample_mean_and_covariance() {
        let data = Data::from_columns(&[vec![1.0, 2.0, 6.0, 3.0], vec![0.0, 1.0, -1.0, 5.0]]).unwrap();
        let found = em(&data, 1, 10, &mut ChaCha8Rng::seed_from_u64(0)).unwrap();
        let fit = found.best.unwrap();
        assert_relative_eq!(fit.mixture.mean(0)[..], [3.0, 1.25], epsilon = 1e-10);
        assert_relative_eq!(fit.mixture.covariance(0)[0], 14.0 / 4.0, epsilon = 1e-10);
        // −(N/2) (D log 2π + log |Σ| + D), the closed form of the maximised log-likelihood.
        let covariance = fit.mixture.covariance(0);
        let determinant: f64 = covariance[0] * covariance[2] - covariance[1] * covariance[1];
        let expected = -2.0 * (2.0 * (2.0 * std::f64::consts::PI).ln() + determinant.ln() + 2.0);
        assert_relative_eq!(fit.log_likelihood, expected, epsilon = 1e-9);
    }

    /// 40 equal observations beside 60 others: without a rounding error the likelihood of two components is unbounded at the 40.
    /// With one, the narrow component's Σ + R is R, and its part of the likelihood that of N(y | y, R).
    #[test]
    fn equal_observations_have_the_rounding_errors_width() {
        let mut column: Vec<f64> = (0..60).map(|i| 9.0 + (f64::from(i) / 59.0 - 0.5) * 3.0).collect();
        column.extend([0.0; 40]);
        let data = Data::from_columns(&[column]).unwrap().with_steps(&[0.5]);
        let found = em(&data, 2, 20, &mut ChaCha8Rng::seed_from_u64(0)).unwrap().best.unwrap();
        let variances = [0, 1].map(|k| found.mixture.covariance(k)[0]);
        let narrow = variances[0].min(variances[1]);
        let error = 0.5 * 0.5 / 12.0;
        assert_relative_eq!(narrow, run::SMALLEST_SHARE * error, max_relative = 1e-6);
        let wide = variances[0].max(variances[1]) + error;
        let log_2_pi = (2.0 * std::f64::consts::PI).ln();
        let expected = 40.0 * (0.4f64.ln() - 0.5 * (log_2_pi + (error * (1.0 + run::SMALLEST_SHARE)).ln()))
            + 60.0 * (0.6f64.ln() - 0.5 * (log_2_pi + wide.ln() + 1.0));
        assert_relative_eq!(found.log_likelihood, expected, max_relative = 1e-6);
    }

    /// One component: Σ = S − R if that is positive, in any coordinates.
    #[test]
    fn the_rounding_error_is_no_part_of_a_covariance() {
        let data = Data::from_columns(&[vec![1.0, 2.0, 6.0, 3.0], vec![0.0, 1.0, -1.0, 5.0]]).unwrap();
        let found = em(&data.with_steps(&[1.0, 2.0]), 1, 1, &mut ChaCha8Rng::seed_from_u64(0)).unwrap();
        let covariance = found.best.unwrap().mixture.covariance(0);
        assert_relative_eq!(covariance[0], 14.0 / 4.0 - 1.0 / 12.0, epsilon = 1e-9);
        assert_relative_eq!(covariance[1], 11.0 / 4.0 - 3.0 * 1.25, epsilon = 1e-9);
        assert_relative_eq!(covariance[2], 27.0 / 4.0 - 1.25 * 1.25 - 4.0 / 12.0, epsilon = 1e-9);
    }

    #[test]
    fn collinear_features_are_named() {
        let column = vec![1.0, 2.0, 4.0, 8.0];
        let twice = column.iter().map(|value| 2.0 * value).collect();
        let data = Data::from_columns(&[column, twice]).unwrap();
        let found = em(&data, 1, 1, &mut ChaCha8Rng::seed_from_u64(0));
        assert_eq!(found, Err(EmError::Collinear { feature: 1 }));
    }

    #[test]
    fn a_degenerate_optimum_is_rejected() {
        // 20 spread observations and 10 that are equal: the likelihood of two components is unbounded at the ten.
        let mut column: Vec<f64> = (0..20).map(|i| f64::from(i) * 1.37).collect();
        column.extend([5.0; 10]);
        let data = Data::from_columns(&[column]).unwrap();
        let found = em(&data, 2, 50, &mut ChaCha8Rng::seed_from_u64(0)).unwrap();
        assert!(found.n_degenerate > 0);
        assert!(found.best.is_none_or(|fit| fit.min_eigenvalue > DEGENERATE_EIGENVALUE));
    }
}
