//! The curvature of a log density at its mode, and the metric made from it, with which chains start.

use nalgebra::SymmetricEigen;

use crate::graph::connected_components;
use crate::log_density::LogDensity;
use crate::mixture::triangular::{at, cholesky, invert, log_determinant, packed_len, symmetric};
use crate::nuts::metric::{MAX_JOINT_DIMENSION, Metric, Scratch};
use crate::simd::dot;

/// Smallest curvature used, equal to a standard deviation of 7. Directions in which the density is flat, or curved upwards, get
/// a bounded scale; the warm-up corrects the rest.
const MIN_CURVATURE: f64 = 0.02;

/// Step of the central differences of the gradient: the cube root of the machine precision, which balances rounding and
/// truncation.
const DIFFERENCE: f64 = 6e-6;

/// Above this dimension only the diagonal of the Hessian is used: all of it would take tens of megabytes. Below, blocks are
/// worth it: in 1,121 dimensions they gave 2.4 times the effective draws per gradient of the diagonal.
const FULL_LIMIT: usize = 2048;

/// Above this dimension the metric is never one dense block: its product with a vector would cost more than the density.
const DENSE_LIMIT: usize = 512;

/// Thresholds on partial correlations at the mode, above which two coordinates share a block; tried in this order. With the
/// first, the blocks of the wine data's 314 coordinates hold 1 in 31 entries of the metric, and the median parameter has as
/// many effective draws per gradient as with all entries.
const COUPLINGS: [f64; 3] = [0.2, 0.1, 0.05];

/// Largest condition number of the curvature, in the metric's coordinates, for which blocks are accepted. Trajectories lengthen
/// with its root; with the wine data's 7.7 they did not yet.
const MAX_CONDITION_NUMBER: f64 = 10.0;

/// The metric of the normal approximation at a position: the inverse of the negative Hessian, from central differences of the
/// gradient. With many coordinates it consists of blocks if coordinates in different blocks are nearly independent.
pub fn curvature_metric(density: &mut impl LogDensity, position: &[f64]) -> Metric {
    let n = position.len();
    let full = n <= FULL_LIMIT;
    let (curvature, diagonal) = differences(density, position, full);
    if full
        && curvature.iter().all(|entry| entry.is_finite())
        && let Some(metric) = inverse_metric(n, &curvature)
    {
        return metric;
    }
    Metric::diagonal(diagonal.iter().map(|&c| 1.0 / bounded_curvature(c).sqrt()).collect())
}

/// The negative Hessian at a position as a packed lower triangle, from central differences of the gradient.
pub fn curvature(density: &mut impl LogDensity, position: &[f64]) -> Vec<f64> {
    differences(density, position, true).0
}

/// Log determinant of the negative Hessian at a position, as if coordinates in different groups had nothing to do with each other:
/// groups move at the same time, so that many coordinates cost no more passes over the data than the largest group has. `None` if a
/// group's part is not positive definite.
pub fn log_determinant_of_groups(
    density: &mut impl LogDensity,
    position: &[f64],
    groups: &[Vec<usize>],
) -> Option<f64> {
    let n = position.len();
    let step = |i: usize| DIFFERENCE * position[i].abs().max(1.0);
    let (mut up, mut down) = (vec![0.0; n], vec![0.0; n]);
    let mut parts: Vec<Vec<f64>> = groups.iter().map(|group| vec![0.0; packed_len(group.len())]).collect();
    for column in 0..groups.iter().map(Vec::len).max()? {
        for (sign, gradient) in [(1.0, &mut up), (-1.0, &mut down)] {
            let mut moved = position.to_vec();
            groups.iter().filter_map(|group| group.get(column)).for_each(|&i| moved[i] += sign * step(i));
            density.log_density_and_gradient(&moved, gradient);
        }
        for (group, part) in groups.iter().zip(&mut parts) {
            let Some(&j) = group.get(column) else { continue };
            for (row, &i) in group.iter().enumerate() {
                // Symmetrised on the way: each half is added to the entry and to its mirror image.
                let half = 0.5 * (down[i] - up[i]) / (2.0 * step(j));
                part[at(row.max(column), row.min(column))] += if row == column { 2.0 * half } else { half };
            }
        }
    }
    let of_group = |(group, part): (&Vec<usize>, &Vec<f64>)| {
        let mut factor = vec![0.0; part.len()];
        cholesky(group.len(), part, &mut factor).ok()?;
        Some(log_determinant(group.len(), &factor))
    };
    groups.iter().zip(&parts).map(of_group).sum()
}

/// A packed lower-triangular root C of the covariance C Cᵀ of the normal approximation at a position. Directions in which the density
/// is flat, or curved upwards, get a bounded scale. None if the density is not finite nearby.
pub fn inverse_root_at(density: &mut impl LogDensity, position: &[f64]) -> Option<Vec<f64>> {
    let curvature = curvature(density, position);
    let finite = curvature.iter().all(|entry| entry.is_finite());
    if finite { inverse_root(position.len(), &curvature) } else { None }
}

/// The packed negative Hessian, empty unless `full`, and its diagonal.
fn differences(density: &mut impl LogDensity, position: &[f64], full: bool) -> (Vec<f64>, Vec<f64>) {
    let n = position.len();
    let mut moved = position.to_vec();
    let (mut up, mut down) = (vec![0.0; n], vec![0.0; n]);
    let mut curvature = vec![0.0; if full { packed_len(n) } else { 0 }];
    let mut diagonal = vec![0.0; n];
    for j in 0..n {
        let h = DIFFERENCE * position[j].abs().max(1.0);
        moved[j] = position[j] + h;
        density.log_density_and_gradient(&moved, &mut up);
        moved[j] = position[j] - h;
        density.log_density_and_gradient(&moved, &mut down);
        moved[j] = position[j];
        diagonal[j] = (down[j] - up[j]) / (2.0 * h);
        if full {
            for i in 0..n {
                // Symmetrised on the way: each half is added to the entry and to its mirror image.
                let half = 0.5 * (down[i] - up[i]) / (2.0 * h);
                curvature[at(i.max(j), i.min(j))] += if i == j { 2.0 * half } else { half };
            }
        }
    }
    (curvature, diagonal)
}

/// The size of a curvature, bounded from below; 1 if it is not finite.
fn bounded_curvature(curvature: f64) -> f64 {
    if curvature.is_finite() { curvature.abs().max(MIN_CURVATURE) } else { 1.0 }
}

/// The metric whose covariance is the inverse of a curvature, in blocks if they approximate it well.
fn inverse_metric(n: usize, curvature: &[f64]) -> Option<Metric> {
    let whole = || inverse_root(n, curvature).map(|root| Metric::from_factor(n, &root));
    if n <= MAX_JOINT_DIMENSION {
        return whole();
    }
    let mut finest = None;
    for coupling in COUPLINGS {
        let blocks = block_metric(curvature, groups(n, curvature, coupling))?;
        if condition_number(curvature, &blocks) <= MAX_CONDITION_NUMBER {
            return Some(blocks);
        }
        finest = Some(blocks);
    }
    if n <= DENSE_LIMIT { whole() } else { finest }
}

/// Groups of coordinates coupled directly or through others, each ascending.
fn groups(n: usize, curvature: &[f64], coupling: f64) -> Vec<Vec<usize>> {
    connected_components(n, |i, j| {
        let scale = (curvature[at(i, i)] * curvature[at(j, j)]).abs().sqrt();
        curvature[at(i, j)].abs() > coupling * scale
    })
}

/// The metric from the inverse of the curvature, with entries between groups set to 0.
fn block_metric(curvature: &[f64], groups: Vec<Vec<usize>>) -> Option<Metric> {
    let blocks: Option<Vec<_>> = groups
        .into_iter()
        .map(|members| {
            let places = (0..members.len()).flat_map(|i| (0..=i).map(move |j| (i, j)));
            let part: Vec<f64> = places.map(|(i, j)| curvature[at(members[i], members[j])]).collect();
            let root = inverse_root(members.len(), &part)?;
            Some((members, root))
        })
        .collect();
    Some(Metric::from_blocks(&blocks?))
}

/// Condition number of the curvature in the metric's coordinates, by power iteration: a lower bound. Infinite if a curvature is
/// not positive.
fn condition_number(curvature: &[f64], metric: &Metric) -> f64 {
    /// For the largest eigenvalue. Twice as many for the smallest, near which more eigenvalues lie close together.
    const ITERATIONS: usize = 30;
    let n = metric.dimension();
    let mut scratch = Scratch::new(n);
    let mut product = |x: &[f64]| -> Vec<f64> {
        let (mut raw, mut curved, mut result) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        metric.advance(x, 1.0, &mut scratch, &mut raw);
        for i in 0..n {
            let row = &curvature[at(i, 0)..at(i, i)];
            curved[i] += dot(row, &raw[..i]) + curvature[at(i, i)] * raw[i];
            curved.iter_mut().zip(row).for_each(|(curved, entry)| *curved += entry * raw[i]);
        }
        metric.whiten(&curved, &mut scratch, &mut result);
        result
    };
    let largest = largest_eigenvalue(n, ITERATIONS, &mut product);
    let smallest = largest
        - largest_eigenvalue(n, 2 * ITERATIONS, &mut |x| {
            let image = product(x);
            x.iter().zip(image).map(|(x, image)| largest * x - image).collect()
        });
    if smallest > 0.0 { largest / smallest } else { f64::INFINITY }
}

/// The largest eigenvalue by power iteration: a lower bound.
fn largest_eigenvalue(n: usize, iterations: usize, product: &mut impl FnMut(&[f64]) -> Vec<f64>) -> f64 {
    // An arbitrary vector, which no eigenvector is likely to be orthogonal to.
    let mut x: Vec<f64> = (0..n).map(|i| 1.0 + libm::sin(i as f64)).collect();
    let mut eigenvalue = 0.0;
    for _ in 0..iterations {
        let length = dot(&x, &x).sqrt();
        x.iter_mut().for_each(|x| *x /= length);
        let image = product(&x);
        eigenvalue = dot(&image, &x);
        x = image;
    }
    eigenvalue
}

/// A packed lower-triangular root C of the inverse of a curvature, C Cᵀ = P⁻¹. It is computed from the Cholesky factor if all
/// variances are within bounds, otherwise from eigenvectors.
fn inverse_root(n: usize, curvature: &[f64]) -> Option<Vec<f64>> {
    // With rows and columns reversed, Cholesky gives P = Rᵀ R with R lower triangular. Then R⁻¹ R⁻ᵀ = P⁻¹.
    let backwards = |i: usize, j: usize| at(n - 1 - j, n - 1 - i);
    let rows = || (0..n).flat_map(|i| (0..=i).map(move |j| (i, j)));
    let reversed: Vec<f64> = rows().map(|(i, j)| curvature[backwards(i, j)]).collect();
    let mut factor = vec![0.0; packed_len(n)];
    let mut root = vec![0.0; packed_len(n)];
    if cholesky(n, &reversed, &mut factor).is_ok() {
        let lower: Vec<f64> = rows().map(|(i, j)| factor[backwards(i, j)]).collect();
        invert(n, &lower, &mut root);
        let variances = (0..n).map(|i| root[at(i, 0)..=at(i, i)].iter().map(|x| x * x).sum::<f64>());
        if variances.fold(0.0, f64::max) <= 1.0 / MIN_CURVATURE {
            return Some(root);
        }
    }
    let matrix = symmetric(n, curvature);
    let SymmetricEigen { eigenvalues, eigenvectors } = SymmetricEigen::new(matrix);
    let mut roots = eigenvectors;
    for (mut root, &eigenvalue) in roots.column_iter_mut().zip(&eigenvalues) {
        root /= bounded_curvature(eigenvalue).sqrt();
    }
    let product = &roots * roots.transpose();
    let covariance: Vec<f64> = rows().map(|place| product[place]).collect();
    cholesky(n, &covariance, &mut root).is_ok().then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// A normal of the given packed precision, about the origin.
    struct Normal(usize, Vec<f64>);

    impl LogDensity for Normal {
        fn dimension(&self) -> usize {
            self.0
        }

        fn log_density_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
            for i in 0..self.0 {
                gradient[i] = -(0..self.0).map(|j| self.1[at(i.max(j), i.min(j))] * x[j]).sum::<f64>();
            }
            0.5 * dot(gradient, x)
        }
    }

    #[test]
    fn a_flat_or_falling_direction_is_given_a_bounded_scale() {
        let metric = inverse_metric(3, &[4.0, 0.0, 1e-9, 0.0, 0.0, -25.0]).unwrap();
        let covariance = metric.covariance();
        assert_relative_eq!(covariance[at(0, 0)], 0.25, max_relative = 1e-12);
        assert_relative_eq!(covariance[at(1, 1)], 1.0 / MIN_CURVATURE, max_relative = 1e-9);
        assert_relative_eq!(covariance[at(2, 2)], 0.04, max_relative = 1e-9);
    }

    #[test]
    fn groups_that_move_together_give_the_determinant_of_their_blocks() {
        // Blocks of two, of one and of two coordinates, which lie apart.
        let (n, groups) = (5, [vec![0, 3], vec![1], vec![2, 4]]);
        let mut precision = vec![0.0; packed_len(n)];
        (0..n).for_each(|i| precision[at(i, i)] = 1.0 + i as f64);
        (precision[at(3, 0)], precision[at(4, 2)]) = (0.5, -1.5);
        let expected: f64 = (1.0f64 * 4.0 - 0.25).ln() + 2.0f64.ln() + (3.0f64 * 5.0 - 2.25).ln();
        let position = [0.3, -1.0, 2.0, 0.1, 7.0];
        let of = |groups: &[Vec<usize>], precision: &[f64]| {
            log_determinant_of_groups(&mut Normal(n, precision.to_vec()), &position, groups)
        };
        assert_relative_eq!(of(&groups, &precision).unwrap(), expected, epsilon = 1e-8);
        let all: Vec<usize> = (0..n).collect();
        assert_relative_eq!(of(&[all], &precision).unwrap(), expected, epsilon = 1e-8);
        precision[at(1, 1)] = -2.0;
        assert_eq!(of(&groups, &precision), None);
    }

    #[test]
    fn the_metric_at_the_mode_is_the_inverse_curvature() {
        let precision = [2.0, 0.6, 1.0, -0.3, 0.2, 3.0];
        let covariance = curvature_metric(&mut Normal(3, precision.to_vec()), &[0.4, -0.2, 1.5]).covariance();
        let precision = symmetric(3, &precision);
        let inverse = precision.try_inverse().unwrap();
        for i in 0..3 {
            for j in 0..=i {
                assert_relative_eq!(covariance[at(i, j)], inverse[(i, j)], epsilon = 1e-6);
            }
        }
    }

    /// Unit precisions in pairs of neighbours that are coupled by 0.8, and all others by `weakly`.
    fn pairs(n: usize, weakly: f64) -> Vec<f64> {
        let entry = |i: usize, j: usize| match (i == j, i / 2 == j / 2) {
            (true, _) => 1.0,
            (_, true) => 0.8,
            _ => weakly,
        };
        (0..n).flat_map(|i| (0..=i).map(move |j| entry(i, j))).collect()
    }

    #[test]
    fn many_coordinates_are_divided_where_they_are_nearly_independent() {
        let n = 200;
        let covariance = inverse_metric(n, &pairs(n, 0.001)).unwrap().covariance();
        assert_relative_eq!(covariance[at(1, 0)], -0.8 / 0.36, max_relative = 1e-12);
        assert_eq!(covariance[at(2, 0)], 0.0);
    }

    #[test]
    fn many_weak_couplings_keep_coordinates_together() {
        // All of them together curve the common direction eighty times as much as a pair does.
        let (n, weakly) = (200, 0.04);
        let curvature = pairs(n, weakly);
        let blocks = block_metric(&curvature, groups(n, &curvature, 0.1)).unwrap();
        let along = 1.8 + 198.0 * weakly;
        assert_relative_eq!(
            condition_number(&curvature, &blocks),
            along / (1.8 - 2.0 * weakly),
            max_relative = 0.05
        );
        let covariance = inverse_metric(n, &pairs(n, 0.1)).unwrap().covariance();
        assert!(covariance[at(2, 0)].abs() > 1e-3, "{}", covariance[at(2, 0)]);
    }

    #[test]
    fn coordinates_that_hang_together_by_way_of_others_are_one_group() {
        let curvature = [1.0, 0.5, 1.0, 0.0, 0.0, 4.0, 0.0, -0.5, 0.1, 1.0];
        assert_eq!(groups(4, &curvature, 0.2), [vec![0, 1, 3], vec![2]]);
    }
}
