//! Changes of coordinates: what becomes of data and prior, of mixtures, and of log densities.

use gmm_sampler::data::{Data, Observations, Scaling};
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::prior::{Prior, ScalePrior};
use gmm_sampler::mixture::transform::Layout;
use gmm_sampler::mixture::triangular::{at, packed_len};
use libm::{cosh, log};

use crate::problem::Problem;

/// A change that leaves the posterior what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Rows,
    Components,
    Columns,
    /// Every column is shifted by its own constant and all are scaled by one, as the means' prior has one width.
    ShiftAndScale,
}

const SHIFTS: [f64; 3] = [40.0, -3.0, 0.7];
const SCALE: f64 = 2.5;

impl Change {
    pub(crate) const ALL: [Self; 4] = [Self::Rows, Self::Components, Self::Columns, Self::ShiftAndScale];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows permuted",
            Self::Components => "components permuted",
            Self::Columns => "columns permuted",
            Self::ShiftAndScale => "shifted and scaled",
        }
    }

    fn scaling(n_features: usize) -> Scaling {
        Scaling { location: SHIFTS[..n_features].to_vec(), scale: vec![SCALE; n_features] }
    }

    /// The problem in the new coordinates.
    ///
    /// # Panics
    /// If the problem has no data, or more than three columns.
    pub(crate) fn problem(self, problem: &Problem) -> Problem {
        let data = problem.data.as_ref().expect("a problem with data");
        let Layout { n_components, n_features: d } = problem.layout;
        let prior = &problem.prior;
        let centre = |k: usize, feature: usize| prior.centres[k * d + feature];
        let centres = |of: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            (0..n_components).flat_map(|k| (0..d).map(move |feature| of(k, feature))).collect()
        };
        let (data, prior) = match self {
            Self::Rows => {
                // 37 has no divisor in common with the numbers of rows that are used: every row once.
                let n = data.n_observations();
                let rows: Vec<usize> = (0..n).map(|i| (37 * i + 5) % n).collect();
                (data.rows(&rows), prior.clone())
            }
            Self::Components => {
                let centres = centres(&|k, feature| centre(rotated(k, n_components), feature));
                (data.clone(), Prior { centres, ..prior.clone() })
            }
            Self::Columns => {
                let columns: Vec<Vec<f64>> =
                    (0..d).map(|feature| data.feature(rotated(feature, d)).to_vec()).collect();
                let centres = centres(&|k, feature| centre(k, rotated(feature, d)));
                let data = Data::from_columns(&columns).expect("columns of data are data");
                (data, Prior { centres, ..prior.clone() })
            }
            Self::ShiftAndScale => {
                let columns: Vec<Vec<f64>> = (0..d)
                    .map(|feature| {
                        data.feature(feature).iter().map(|y| SHIFTS[feature] + SCALE * y).collect()
                    })
                    .collect();
                let prior = Prior {
                    centres: centres(&|k, feature| SHIFTS[feature] + SCALE * centre(k, feature)),
                    mean_sd: SCALE * prior.mean_sd,
                    scales: scaled(prior.scales),
                    ..prior.clone()
                };
                (Data::from_columns(&columns).expect("finite data stay finite"), prior)
            }
        };
        Problem::new(data, prior, n_components)
    }

    /// A mixture in the new coordinates.
    pub(crate) fn forth(self, mixture: &Mixture) -> Mixture {
        let k = mixture.n_components();
        match self {
            Self::Rows => mixture.clone(),
            Self::Components => mixture.reordered(&(0..k).map(|to| rotated(to, k)).collect::<Vec<_>>()),
            Self::Columns => with_columns(mixture, |to| rotated(to, mixture.n_features())),
            Self::ShiftAndScale => mixture.on_data_scale(&Self::scaling(mixture.n_features())),
        }
    }

    /// The inverse of [`Change::forth`].
    pub(crate) fn back(self, mixture: &Mixture) -> Mixture {
        let (k, d) = (mixture.n_components(), mixture.n_features());
        match self {
            Self::Rows => mixture.clone(),
            Self::Components => mixture.reordered(&(0..k).map(|to| (to + k - 1) % k).collect::<Vec<_>>()),
            Self::Columns => with_columns(mixture, |to| (to + d - 1) % d),
            Self::ShiftAndScale => mixture.on_sampler_scale(&Self::scaling(d)),
        }
    }

    /// What the log density gains on the way: `log p'(forth(x)) = log p(x) + gain(x)`.
    pub(crate) fn gain(self, problem: &Problem, from: &[f64], to: &[f64]) -> f64 {
        let Layout { n_components, n_features } = problem.layout;
        match self {
            Self::Rows | Self::Components => 0.0,
            // The prior is a density of Ω's entries, which permute; partial correlations do not.
            Self::Columns => log_jacobian(problem.layout, to) - log_jacobian(problem.layout, from),
            // A density of N observations and K means; scales are positions by their logarithms, which shift.
            Self::ShiftAndScale => {
                let lengths = (problem.likelihood.n_observations() + n_components) * n_features;
                -(lengths as f64) * log(SCALE)
            }
        }
    }
}

/// Where the entry at `to` of a permuted list comes from.
fn rotated(to: usize, n: usize) -> usize {
    (to + 1) % n
}

fn with_columns(mixture: &Mixture, from: impl Fn(usize) -> usize) -> Mixture {
    let (n_components, d) = (mixture.n_components(), mixture.n_features());
    let weights: Vec<f64> = (0..n_components).map(|k| mixture.weight(k)).collect();
    let mut means = Vec::new();
    let mut covariances = Vec::with_capacity(n_components * packed_len(d));
    for k in 0..n_components {
        means.extend((0..d).map(|i| mixture.mean(k)[from(i)]));
        let covariance = mixture.covariance(k);
        for i in 0..d {
            for j in 0..=i {
                let (row, column) = (from(i).max(from(j)), from(i).min(from(j)));
                covariances.push(covariance[at(row, column)]);
            }
        }
    }
    Mixture::from_covariances(d, &weights, &means, &covariances)
        .expect("a permuted covariance is a covariance")
}

/// log |∂Ω/∂x| of all components: of partial correlations z = tanh(x) in column j of the C-vine, counted from 0,
/// Ω takes (1 − z²)^((D − 2 − j)/2) (Lewandowski, Kurowicka & Joe 2009, eq. 11), and tanh another 1 − z².
fn log_jacobian(layout: Layout, position: &[f64]) -> f64 {
    let d = layout.n_features;
    let correlations = &position[position.len() - layout.n_components * layout.n_correlations()..];
    let mut sum = 0.0;
    let mut index = 0;
    for _ in 0..layout.n_components {
        for i in 1..d {
            for j in 0..i {
                let power = 1.0 + 0.5 * (d as f64 - 2.0 - j as f64);
                sum -= power * 2.0 * log(cosh(correlations[index]));
                index += 1;
            }
        }
    }
    sum
}

/// The prior of SCALE · σ.
fn scaled(prior: ScalePrior) -> ScalePrior {
    match prior {
        ScalePrior::HalfCauchy { scale } => ScalePrior::HalfCauchy { scale: SCALE * scale },
        ScalePrior::HalfNormal { scale } => ScalePrior::HalfNormal { scale: SCALE * scale },
        ScalePrior::HalfStudentT { nu, scale } => ScalePrior::HalfStudentT { nu, scale: SCALE * scale },
        ScalePrior::Exponential { rate } => ScalePrior::Exponential { rate: rate / SCALE },
        ScalePrior::LogNormal { mu, sigma } => ScalePrior::LogNormal { mu: mu + log(SCALE), sigma },
        ScalePrior::InverseGamma { shape, scale } => ScalePrior::InverseGamma { shape, scale: SCALE * scale },
        ScalePrior::Hierarchical { shape, hyper_shape, hyper_rate } => {
            ScalePrior::Hierarchical { shape, hyper_shape, hyper_rate: hyper_rate / (SCALE * SCALE) }
        }
    }
}
