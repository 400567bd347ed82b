//! Transformations of a problem that leave its posterior unchanged, applied to data, prior, mixtures and log densities.

use gmm_sampler::data::{Data, Observations, Scaling};
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::prior::{Prior, ScalePrior};
use gmm_sampler::mixture::transform::Layout;
use gmm_sampler::mixture::triangular::{at, packed_len};
use libm::{cosh, log};

use crate::problem::Problem;

/// A transformation of the coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transformation {
    Rows,
    Components,
    Columns,
    /// Every column is shifted by a constant of its own. All are scaled by the same factor, because the prior of the means has one
    /// standard deviation.
    ShiftAndScale,
}

const SHIFTS: [f64; 3] = [40.0, -3.0, 0.7];
const SCALE: f64 = 2.5;

impl Transformation {
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
        Scaling::new(SHIFTS[..n_features].to_vec(), vec![SCALE; n_features])
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
        let centres = |value: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            (0..n_components).flat_map(|k| (0..d).map(move |feature| value(k, feature))).collect()
        };
        let (data, prior) = match self {
            Self::Rows => {
                // 37 is coprime to all numbers of rows in use, so every row occurs once.
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
    pub(crate) fn apply(self, mixture: &Mixture) -> Mixture {
        let k = mixture.n_components();
        match self {
            Self::Rows => mixture.clone(),
            Self::Components => mixture.reordered(&(0..k).map(|to| rotated(to, k)).collect::<Vec<_>>()),
            Self::Columns => with_columns(mixture, |to| rotated(to, mixture.n_features())),
            Self::ShiftAndScale => mixture.on_data_scale(&Self::scaling(mixture.n_features())),
        }
    }

    /// The inverse of [`Transformation::apply`].
    pub(crate) fn invert(self, mixture: &Mixture) -> Mixture {
        let (k, d) = (mixture.n_components(), mixture.n_features());
        match self {
            Self::Rows => mixture.clone(),
            Self::Components => mixture.reordered(&(0..k).map(|to| (to + k - 1) % k).collect::<Vec<_>>()),
            Self::Columns => with_columns(mixture, |to| (to + d - 1) % d),
            Self::ShiftAndScale => mixture.on_sampler_scale(&Self::scaling(d)),
        }
    }

    /// The change of the log density: log p'(apply(x)) − log p(x).
    pub(crate) fn log_density_change(self, problem: &Problem, from: &[f64], to: &[f64]) -> f64 {
        let Layout { n_components, n_features } = problem.layout;
        match self {
            Self::Rows | Self::Components => 0.0,
            // The prior is a density of the entries of Ω, which are permuted; partial correlations are not.
            Self::Columns => log_jacobian(problem.layout, to) - log_jacobian(problem.layout, from),
            // The density of N observations and K means scales; log σ, which is the coordinate of a scale, is only shifted.
            Self::ShiftAndScale => {
                let lengths = (problem.likelihood.n_observations() + n_components) * n_features;
                -(lengths as f64) * log(SCALE)
            }
        }
    }
}

/// The index in the original list of the entry at `to` in the rotated one.
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

/// log |∂Ω/∂x| of all components. A partial correlation z = tanh(x) in column j of the C-vine, counted from 0, contributes
/// (1 − z²)^((D − 2 − j)/2) (Lewandowski, Kurowicka & Joe 2009, eq. 11) and, by tanh, another 1 − z².
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

/// The prior of SCALE · σ if σ has the given prior.
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
