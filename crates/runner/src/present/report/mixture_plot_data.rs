//! Turns the draws of one fit into what its figure shows: components, clusters and predictive densities.

use gmm_sampler::data::Data;
use gmm_sampler::diagnostics::quantile;
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::triangular::at;

use crate::engine::experiment::Experiment;
use crate::present::figures::contour::Grid;
use crate::present::figures::mixture::MixturePlot;
use crate::present::figures::mixture::plot::{Component, Curve, MAX_FEATURES, extent};

/// Points at which a curve, and each side of a grid, is evaluated.
const CURVE_POINTS: usize = 240;
const GRID_POINTS: usize = 90;

/// A fitted mixture, ready to be drawn.
pub struct MixturePlotData {
    pub plot: MixturePlot,
    /// Components that are the most probable one of at least one observation.
    pub occupied: usize,
}

impl MixturePlotData {
    /// Averages responsibilities and densities over the draws.
    ///
    /// # Panics
    /// If there is no draw.
    pub fn new(experiment: &Experiment, draws: &[Mixture]) -> Self {
        let data = &experiment.dataset.data;
        let (n, d) = (data.n_observations(), data.n_features());
        let components = draws[0].n_components();

        let likelihood = Likelihood::new(data);
        let mut responsibilities = vec![0.0; n * components];
        for mixture in draws {
            let in_draw = likelihood.responsibilities_under(mixture);
            responsibilities.iter_mut().zip(in_draw).for_each(|(sum, r)| *sum += r);
        }
        let clusters: Vec<usize> = responsibilities
            .chunks_exact(components)
            .map(|row| (0..components).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0))
            .collect();
        let occupied = (0..components).filter(|k| clusters.contains(k)).count();

        let shown = d.min(MAX_FEATURES);
        let marginals = (0..shown).map(|feature| curve(data, feature, draws)).collect();
        let pairs = (1..shown).flat_map(|i| (0..i).map(move |j| (i, j)));
        let pairs = pairs.map(|(i, j)| grid(data, i, j, draws)).collect();
        let plot = MixturePlot {
            columns: experiment.dataset.columns.clone(),
            data: (0..d).map(|feature| data.feature(feature).to_vec()).collect(),
            clusters,
            components: (0..components).map(|k| typical_component(draws, k)).collect(),
            marginals,
            pairs,
        };
        Self { plot, occupied }
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

/// Adds to each value the density of a normal distribution at its point, times `mass`. Points are evenly spaced, so that the
/// ratio of neighbouring densities itself changes by a constant factor: three exponentials a row instead of one a point.
fn add_normal(values: &mut [f64], points: &[f64], mean: f64, variance: f64, mass: f64) {
    let (Some(&first), Some(&second)) = (points.first(), points.get(1)) else { return };
    let sd = variance.sqrt();
    // A component that collapsed has no density to be drawn.
    if !(sd > 0.0 && sd.is_finite() && mean.is_finite()) {
        return;
    }
    let step = (second - first) / sd;
    // From the point nearest to the mean outwards densities fall: what underflows on the way is not seen.
    let middle = (((mean - first) / (second - first)).round().max(0.0) as usize).min(points.len() - 1);
    let z = (points[middle] - mean) / sd;
    let peak = mass * libm::exp(-0.5 * z * z) / (sd * std::f64::consts::TAU.sqrt());
    let turn = libm::exp(-step * step);
    // exp(−(z ± h)²/2) = exp(−z²/2) · exp(∓hz − h²/2), and the last factor changes by exp(−h²) from point to point.
    let (left, right) = values.split_at_mut(middle);
    walk(right.iter_mut(), peak, libm::exp(-step * z - 0.5 * step * step), turn);
    let ratio = libm::exp(step * z - 0.5 * step * step);
    walk(left.iter_mut().rev(), peak * ratio, ratio * turn, turn);
}

/// Adds `density`, then that times `ratio`, and so on, the ratio itself falling by `turn`.
fn walk<'a>(values: impl Iterator<Item = &'a mut f64>, mut density: f64, mut ratio: f64, turn: f64) {
    for value in values {
        *value += density;
        density *= ratio;
        ratio *= turn;
    }
}

fn spaced(values: &[f64], points: usize) -> Vec<f64> {
    let (low, high) = extent(values).unwrap_or((0.0, 1.0));
    (0..points).map(|i| low + (high - low) * i as f64 / (points - 1) as f64).collect()
}

fn curve(data: &Data, feature: usize, draws: &[Mixture]) -> Curve {
    let x = spaced(data.feature(feature), CURVE_POINTS);
    let mut density = vec![0.0; x.len()];
    for mixture in draws {
        for k in 0..mixture.n_components() {
            let variance = mixture.covariance(k)[at(feature, feature)];
            let mass = mixture.weight(k) / draws.len() as f64;
            add_normal(&mut density, &x, mixture.mean(k)[feature], variance, mass);
        }
    }
    Curve { x, density }
}

/// Feature `i` upwards, feature `j` across; `i` > `j`.
fn grid(data: &Data, i: usize, j: usize, draws: &[Mixture]) -> Grid {
    let (x, y) = (spaced(data.feature(j), GRID_POINTS), spaced(data.feature(i), GRID_POINTS));
    let mut density = vec![0.0; x.len() * y.len()];
    let mut upwards = vec![0.0; y.len()];
    for mixture in draws {
        for k in 0..mixture.n_components() {
            let (mean, covariance) = (mixture.mean(k), mixture.covariance(k));
            let (of_x, of_y, both) = (covariance[at(j, j)], covariance[at(i, i)], covariance[at(i, j)]);
            // p(x, y) = p(y) p(x | y), whose mean is linear in y and whose variance is the same for all y (Bishop 2006,
            // eqs. 2.81 and 2.82).
            let slope = both / of_y;
            upwards.fill(0.0);
            add_normal(&mut upwards, &y, mean[i], of_y, mixture.weight(k) / draws.len() as f64);
            for ((row, &mass), &y) in density.chunks_exact_mut(x.len()).zip(&upwards).zip(&y) {
                add_normal(row, &x, mean[j] + slope * (y - mean[i]), of_x - slope * both, mass);
            }
        }
    }
    Grid { x, y, density }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::figures::geometry::normal_density;

    #[test]
    fn densities_on_a_line_are_those_of_the_formula() {
        let points: Vec<f64> = (0..50).map(|i| -2.0 + 0.13 * f64::from(i)).collect();
        for (mean, sd) in [(0.3, 1.0), (4.9, 0.2), (-7.0, 0.9), (30.0, 0.5), (0.0, 1e-3), (1.0, 1e4)] {
            let mut values = vec![1.0; points.len()];
            add_normal(&mut values, &points, mean, sd * sd, 0.4);
            for (&x, value) in points.iter().zip(values) {
                let expected = 1.0 + 0.4 * normal_density(x, mean, sd * sd);
                assert!((value - expected).abs() < 1e-12 * expected, "{x} {mean} {sd}: {value} {expected}");
            }
        }
    }

    #[test]
    fn a_collapsed_component_draws_nothing() {
        for variance in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut values = [0.0; 3];
            add_normal(&mut values, &[0.0, 1.0, 2.0], 1.0, variance, 1.0);
            assert_eq!(values, [0.0; 3]);
        }
    }

    #[test]
    fn a_grid_holds_the_joint_density_of_its_two_features() {
        // Features 2 and 0 of three; covariances packed by rows.
        let mixture = Mixture::from_covariances(
            3,
            &[0.3, 0.7],
            &[0.0, 5.0, 1.0, 2.0, 5.0, -1.0],
            &[1.0, 0.2, 1.0, 0.6, 0.1, 2.0, 0.5, 0.0, 1.0, -0.3, 0.0, 0.4],
        );
        let data = Data::from_columns(&[vec![-2.0, 4.0], vec![0.0, 1.0], vec![-3.0, 3.0]]).unwrap();
        let grid = grid(&data, 2, 0, &[mixture.unwrap()]);
        let parts = [(0.3, [0.0, 1.0], [1.0, 0.6, 2.0]), (0.7, [2.0, -1.0], [0.5, -0.3, 0.4])];
        for (row, &y) in grid.y.iter().enumerate() {
            for (column, &x) in grid.x.iter().enumerate() {
                let density = |(weight, mean, [a, b, c]): &(f64, [f64; 2], [f64; 3])| {
                    let (x, y, det) = (x - mean[0], y - mean[1], a * c - b * b);
                    let square = (c * x * x - 2.0 * b * x * y + a * y * y) / det;
                    weight * (-0.5 * square).exp() / (std::f64::consts::TAU * det.sqrt())
                };
                let expected: f64 = parts.iter().map(density).sum();
                let found = grid.density[row * grid.x.len() + column];
                assert!((found - expected).abs() < 1e-12, "{x} {y}: {found} {expected}");
            }
        }
    }
}
