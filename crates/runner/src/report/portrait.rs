//! What the figure of one fitted mixture shows: its components, the clusters they make, its predictive density.

use anyhow::Result;
use gmm_sampler::data::Data;
use gmm_sampler::diagnostics::quantile;
use gmm_sampler::mixture::likelihood::{Likelihood, WhitenedComponents, Workspace};
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::triangular::at;
use gmm_sampler::relabel::relabel;

use super::figures::Grid;
use super::figures::mixture::{Component, Curve, MOST_FEATURES, Mixture as Picture, extent};
use crate::experiment::Experiment;
use crate::fit::Fit;
use crate::score::pivot;

/// Draws that predictive densities and responsibilities are averaged over, evenly spaced: their lines are then smooth to the
/// eye, and more change nothing that can be seen.
const DRAWS: usize = 100;

/// Points at which a curve, and each side of a grid, is evaluated.
const CURVE_POINTS: usize = 240;
const GRID_POINTS: usize = 90;

/// A fitted mixture, ready to be drawn, and the cluster of each observation.
pub struct Portrait {
    pub picture: Picture,
    /// Components that own at least one observation.
    pub occupied: usize,
}

impl Portrait {
    /// Of the draws of one fit, brought to one labelling.
    ///
    /// # Errors
    /// Draws that are no mixtures.
    pub fn of(experiment: &Experiment, components: usize, fit: &Fit) -> Result<Self> {
        let data = &experiment.dataset.data;
        let (n, d) = (data.n_observations(), data.n_features());
        let draws = relabel(&fit.draws, &pivot(fit, components, d)?).draws;
        let every = draws.len().div_ceil(DRAWS).max(1);
        let chosen: Vec<Mixture> = (0..draws.len())
            .step_by(every)
            .map(|s| Mixture::from_values(components, d, &draws.draw(s)))
            .collect::<Result<_, _>>()?;

        let likelihood = Likelihood::new(data);
        let mut responsibilities = vec![0.0; n * components];
        for mixture in &chosen {
            let of_draw = likelihood.responsibilities(&WhitenedComponents::of(mixture));
            responsibilities.iter_mut().zip(of_draw).for_each(|(sum, r)| *sum += r);
        }
        let clusters: Vec<usize> = responsibilities
            .chunks_exact(components)
            .map(|row| (0..components).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0))
            .collect();
        let occupied = (0..components).filter(|k| clusters.contains(k)).count();

        let shown = d.min(MOST_FEATURES);
        let marginals = (0..shown).map(|feature| curve(data, feature, &chosen)).collect();
        let pairs = (1..shown).flat_map(|i| (0..i).map(move |j| (i, j)));
        let pairs = pairs.map(|(i, j)| grid(data, i, j, &chosen)).collect();
        let picture = Picture {
            columns: experiment.dataset.columns.clone(),
            data: (0..d).map(|feature| data.feature(feature).to_vec()).collect(),
            clusters,
            components: (0..components).map(|k| typical_component(&chosen, k)).collect(),
            marginals,
            pairs,
        };
        Ok(Self { picture, occupied })
    }
}

/// One component's point estimate: the mean weight, median mean and median scales, mean correlations. Medians, because a scale
/// of which the data know little has a heavy tail, and its mean would draw an ellipse that no draw looks like.
fn typical_component(draws: &[Mixture], k: usize) -> Component {
    let d = draws[0].n_features();
    let n = draws.len() as f64;
    let mean = |value: &dyn Fn(&Mixture) -> f64| draws.iter().map(value).sum::<f64>() / n;
    let median =
        |value: &dyn Fn(&Mixture) -> f64| quantile(&draws.iter().map(value).collect::<Vec<_>>(), 0.5);
    let scales: Vec<f64> = (0..d).map(|i| median(&|mixture| mixture.scales(k)[i])).collect();
    let mut covariance = vec![0.0; d * d];
    for i in 0..d {
        covariance[i * d + i] = scales[i] * scales[i];
        for j in 0..i {
            let entry = scales[i] * scales[j] * mean(&|mixture| mixture.correlation(k, i, j));
            (covariance[i * d + j], covariance[j * d + i]) = (entry, entry);
        }
    }
    Component {
        weight: mean(&|mixture| mixture.weight(k)),
        mean: (0..d).map(|i| median(&|mixture| mixture.mean(k)[i])).collect(),
        covariance,
    }
}

/// The mixture of some features, the others integrated out.
fn marginal(mixture: &Mixture, features: &[usize]) -> Option<Mixture> {
    let components = 0..mixture.n_components();
    let weights: Vec<f64> = components.clone().map(|k| mixture.weight(k)).collect();
    let means: Vec<f64> =
        components.clone().flat_map(|k| features.iter().map(move |&i| mixture.mean(k)[i])).collect();
    let mut covariances = Vec::new();
    for k in components {
        let covariance = mixture.covariance(k);
        for (row, &i) in features.iter().enumerate() {
            covariances.extend(features[..=row].iter().map(|&j| covariance[at(i.max(j), i.min(j))]));
        }
    }
    // A weight that underflowed to zero makes no mixture, and no difference to the mean over draws that can be seen.
    Mixture::from_covariances(features.len(), &weights, &means, &covariances).ok()
}

/// Mean density over the draws at the given points.
fn predictive(points: &Data, features: &[usize], draws: &[Mixture]) -> Vec<f64> {
    let likelihood = Likelihood::new(points);
    let mut density = vec![0.0; points.n_observations()];
    let mut log_density = vec![0.0; points.n_observations()];
    let mut workspace = Workspace::new(draws[0].n_components(), features.len());
    let marginals: Vec<Mixture> = draws.iter().filter_map(|mixture| marginal(mixture, features)).collect();
    for mixture in &marginals {
        likelihood.pointwise(&WhitenedComponents::of(mixture), &mut workspace, &mut log_density);
        density.iter_mut().zip(&log_density).for_each(|(sum, log)| *sum += libm::exp(*log));
    }
    density.iter_mut().for_each(|sum| *sum /= marginals.len().max(1) as f64);
    density
}

fn spaced(values: &[f64], points: usize) -> Vec<f64> {
    let (low, high) = extent(values).unwrap_or((0.0, 1.0));
    (0..points).map(|i| low + (high - low) * i as f64 / (points - 1) as f64).collect()
}

fn curve(data: &Data, feature: usize, draws: &[Mixture]) -> Curve {
    let x = spaced(data.feature(feature), CURVE_POINTS);
    let density = Data::from_columns(std::slice::from_ref(&x))
        .map_or_else(|_| vec![f64::NAN; CURVE_POINTS], |points| predictive(&points, &[feature], draws));
    Curve { x, density }
}

/// Feature `i` upwards, feature `j` across.
fn grid(data: &Data, i: usize, j: usize, draws: &[Mixture]) -> Grid {
    let (x, y) = (spaced(data.feature(j), GRID_POINTS), spaced(data.feature(i), GRID_POINTS));
    let across: Vec<f64> = y.iter().flat_map(|_| x.iter().copied()).collect();
    let upwards: Vec<f64> = y.iter().flat_map(|&y| x.iter().map(move |_| y)).collect();
    let density = Data::from_columns(&[across, upwards])
        .map_or_else(|_| vec![f64::NAN; x.len() * y.len()], |points| predictive(&points, &[j, i], draws));
    Grid { x, y, density }
}
