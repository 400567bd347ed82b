//! k-means with k-means++ starts. The prior of the means is centred on its centroids.

use std::ops::Range;

use rand::{Rng, RngExt};

use super::subsample::{SUBSAMPLE_SIZE, subsample};
use crate::data::Observations;

/// Default number of restarts; the smallest inertia wins. Many, because the centroids are part of the model and a restart is
/// cheap beside a fit.
pub const DEFAULT_RESTARTS: usize = 50;

/// Lloyd's algorithm stops when no assignment changes, usually after tens of iterations. This bound only guards against more.
const MAX_ITERATIONS: usize = 1000;

/// K clusters of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeans {
    /// K × D, ordered by their first coordinate, ties by the next.
    pub centroids: Vec<f64>,
    /// The cluster of each observation, from 0; length N.
    pub labels: Vec<usize>,
    /// Sum over observations of the squared distance to the nearest centroid.
    pub inertia: f64,
}

/// The best of `restarts` runs of Lloyd's algorithm from k-means++ starts (Arthur & Vassilvitskii 2007). If there are more than
/// 20,000 observations, restarts use a random subsample of that size, and one run on all observations starts from the best
/// centroids.
///
/// # Panics
/// If `n_components` or `restarts` is 0, or if there are more components than observations.
#[must_use]
pub fn kmeans(data: &impl Observations, n_components: usize, restarts: usize, rng: &mut impl Rng) -> KMeans {
    assert!(n_components >= 1 && n_components <= data.n_observations(), "1 ≤ K ≤ N");
    let d = data.n_features();
    let best_of = |rows: &[f64], rng: &mut _| {
        (0..restarts)
            .map(|_| lloyd(rows, d, seed_centroids(rows, d, n_components, rng)))
            .min_by(|a, b| a.inertia.total_cmp(&b.inertia))
            .expect("at least one restart")
    };
    let n = data.n_observations();
    if n <= SUBSAMPLE_SIZE {
        return ordered(best_of(&all(data), rng), d);
    }
    let sampled = best_of(&all(&data.rows(&subsample(n, SUBSAMPLE_SIZE, rng))), rng);
    ordered(lloyd(&InBlocks(data), d, sampled.centroids), d)
}

/// Observations row by row, a block at a time.
trait Rows {
    fn n_rows(&self, d: usize) -> usize;

    /// The values of consecutive rows. They are copied into the buffer unless they are already stored row by row.
    fn block<'a>(&'a self, d: usize, rows: Range<usize>, buffer: &'a mut Vec<f64>) -> &'a [f64];
}

impl Rows for [f64] {
    fn n_rows(&self, d: usize) -> usize {
        self.len() / d
    }

    fn block<'a>(&'a self, d: usize, rows: Range<usize>, _: &'a mut Vec<f64>) -> &'a [f64] {
        &self[rows.start * d..rows.end * d]
    }
}

/// Observations that are not stored row by row.
struct InBlocks<'a, T>(&'a T);

impl<T: Observations> Rows for InBlocks<'_, T> {
    fn n_rows(&self, _: usize) -> usize {
        self.0.n_observations()
    }

    fn block<'a>(&'a self, d: usize, rows: Range<usize>, buffer: &'a mut Vec<f64>) -> &'a [f64] {
        buffer.clear();
        buffer.extend(row_by_row(self.0, d, rows));
        buffer
    }
}

/// Rows of a block.
const BLOCK: usize = 4096;

fn all(data: &impl Observations) -> Vec<f64> {
    row_by_row(data, data.n_features(), 0..data.n_observations()).collect()
}

fn row_by_row(data: &impl Observations, d: usize, rows: Range<usize>) -> impl Iterator<Item = f64> {
    rows.flat_map(move |row| (0..d).map(move |feature| data.value(feature, row)))
}

fn square_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// k-means++: K observations, each drawn with probability proportional to its squared distance from those drawn before.
pub(crate) fn seed_centroids(rows: &[f64], d: usize, n_components: usize, rng: &mut impl Rng) -> Vec<f64> {
    let n = rows.len() / d;
    let mut centroids = rows[rng.random_range(0..n) * d..][..d].to_vec();
    let mut nearest = vec![f64::INFINITY; n];
    while centroids.len() < n_components * d {
        let newest = &centroids[centroids.len() - d..];
        for (nearest, row) in nearest.iter_mut().zip(rows.chunks_exact(d)) {
            *nearest = nearest.min(square_distance(row, newest));
        }
        let total: f64 = nearest.iter().sum();
        // With fewer than K distinct rows all distances become zero. Any row will do.
        let mut left = rng.random::<f64>() * total;
        let chosen = nearest.iter().position(|distance| {
            left -= distance;
            left < 0.0
        });
        let chosen = chosen.unwrap_or_else(|| rng.random_range(0..n));
        centroids.extend_from_slice(&rows[chosen * d..][..d]);
    }
    centroids
}

fn lloyd(rows: &(impl Rows + ?Sized), d: usize, mut centroids: Vec<f64>) -> KMeans {
    let (n, n_components) = (rows.n_rows(d), centroids.len() / d);
    let mut buffer = Vec::new();
    let mut labels = vec![usize::MAX; n];
    let mut distances = vec![0.0; n];
    let mut inertia = f64::INFINITY;
    for _ in 0..MAX_ITERATIONS {
        let mut changed = false;
        let mut counts = vec![0.0; n_components];
        let mut sums = vec![0.0; centroids.len()];
        for begins in (0..n).step_by(BLOCK) {
            let places = begins..(begins + BLOCK).min(n);
            let block = rows.block(d, places.clone(), &mut buffer);
            let found = labels[places.clone()].iter_mut().zip(&mut distances[places]);
            for ((label, least), row) in found.zip(block.chunks_exact(d)) {
                let (nearest, distance) = centroids
                    .chunks_exact(d)
                    .map(|centroid| square_distance(row, centroid))
                    .enumerate()
                    .min_by(|a, b| a.1.total_cmp(&b.1))
                    .expect("there is a centroid");
                changed |= *label != nearest;
                (*label, *least) = (nearest, distance);
                counts[nearest] += 1.0;
                sums[nearest * d..][..d].iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
        }
        inertia = distances.iter().sum();
        if !changed {
            break;
        }
        for k in 0..n_components {
            if counts[k] > 0.0 {
                for i in 0..d {
                    centroids[k * d + i] = sums[k * d + i] / counts[k];
                }
            } else {
                // An empty cluster moves to the observation farthest from its centroid.
                let worst = (0..n)
                    .max_by(|&a, &b| distances[a].total_cmp(&distances[b]))
                    .expect("there is an observation");
                centroids[k * d..][..d].copy_from_slice(rows.block(d, worst..worst + 1, &mut buffer));
                distances[worst] = 0.0;
            }
        }
    }
    KMeans { centroids, labels, inertia }
}

/// Sorts clusters by their centroids, so that labels do not depend on the restarts.
fn ordered(found: KMeans, d: usize) -> KMeans {
    let k = found.centroids.len() / d;
    let centroid = |k: usize| &found.centroids[k * d..][..d];
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&a, &b| {
        let pairs = centroid(a).iter().zip(centroid(b));
        pairs.map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut rank = vec![0; k];
    order.iter().enumerate().for_each(|(new, &old)| rank[old] = new);
    KMeans {
        centroids: order.iter().flat_map(|&old| centroid(old).to_vec()).collect(),
        labels: found.labels.iter().map(|&old| rank[old]).collect(),
        inertia: found.inertia,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;
    use approx::assert_relative_eq;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    #[test]
    fn well_separated_groups_are_found_and_ordered() {
        let column = vec![10.1, 0.1, 5.2, 9.9, 0.3, 5.0];
        let data = Data::from_columns(&[column]).unwrap();
        let found = kmeans(&data, 3, 10, &mut ChaCha8Rng::seed_from_u64(0));
        assert_eq!(found.labels, [2, 0, 1, 2, 0, 1]);
        assert_relative_eq!(found.centroids[..], [0.2, 5.1, 10.0], epsilon = 1e-12);
        assert_relative_eq!(found.inertia, 0.02 + 0.02 + 0.02, epsilon = 1e-12);
    }

    #[test]
    fn many_observations_are_clustered_as_few_are() {
        let n = 30_000;
        let place = |i: usize| [0.0, 5.0, 10.0][i % 3] + (i as f64 * 0.618).fract();
        let data = Data::from_columns(&[(0..n).map(place).collect()]).unwrap();
        let found = kmeans(&data, 3, 3, &mut ChaCha8Rng::seed_from_u64(0));
        assert!(found.labels.iter().enumerate().all(|(i, &label)| label == i % 3));
        assert_eq!(found.labels.len(), n);
        for (centroid, expected) in found.centroids.iter().zip([0.5, 5.5, 10.5]) {
            assert_relative_eq!(*centroid, expected, epsilon = 0.01);
        }
    }

    #[test]
    fn one_cluster_is_the_mean() {
        let data = Data::from_columns(&[vec![1.0, 2.0, 6.0], vec![0.0, 1.0, -1.0]]).unwrap();
        let found = kmeans(&data, 1, 1, &mut ChaCha8Rng::seed_from_u64(0));
        assert_relative_eq!(found.centroids[..], [3.0, 0.0], epsilon = 1e-12);
    }

    #[test]
    fn as_many_clusters_as_rows_and_equal_rows_are_no_trouble() {
        let data = Data::from_columns(&[vec![1.0, 1.0, 2.0]]).unwrap();
        let found = kmeans(&data, 3, 5, &mut ChaCha8Rng::seed_from_u64(0));
        assert_eq!(found.inertia, 0.0);
    }
}
