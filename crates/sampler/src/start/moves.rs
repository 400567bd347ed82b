//! Mixtures of one component more or less, from which to look for modes: splits and merges (Ueda, Nakano, Ghahramani & Hinton
//! 2000, Neural Computation 12; Richardson & Green 1997, section 3.2).

use rand::Rng;

use super::kmeans::kmeans;
use crate::data::{Data, Observations};
use crate::mixture::likelihood::{Likelihood, WhitenedComponents};
use crate::mixture::params::Mixture;
use crate::mixture::triangular::{at, packed_len, symmetric};

/// Distance of the two halves of a component from its mean along its longest axis, in standard deviations.
const HALF_DISTANCE: f64 = 0.8;

/// Splits of each component by two-means clustering of its observations, beside that along its longest axis.
const CLUSTERINGS: usize = 3;

/// Mixtures in which one component is split in two: along its longest axis, and by the two-means clusters of the observations that
/// are most probably its own. Weights, means and covariances of the first kind are kept as a whole.
pub fn splits(
    data: &impl Observations,
    likelihood: &Likelihood,
    mixture: &Mixture,
    rng: &mut impl Rng,
) -> Vec<Mixture> {
    let (n, k) = (data.n_observations(), mixture.n_components());
    let responsibilities = likelihood.responsibilities_under(mixture);
    let owner = |row: usize| {
        let shares = &responsibilities[row * k..][..k];
        (0..k).max_by(|&a, &b| shares[a].total_cmp(&shares[b])).unwrap_or(0)
    };
    let owners: Vec<usize> = (0..n).map(owner).collect();
    let mut splits = Vec::new();
    for component in 0..k {
        splits.extend(along_longest_axis(mixture, component));
        let own: Vec<usize> = (0..n).filter(|&row| owners[row] == component).collect();
        if own.len() < 4 {
            continue;
        }
        let rows = data.rows(&own);
        for _ in 0..CLUSTERINGS {
            splits.extend(by_clusters(mixture, component, &rows, rng));
        }
    }
    splits
}

/// A component's parts in place of it; `None` if they are no mixture.
fn replaced(mixture: &Mixture, without: &[usize], parts: &[(f64, Vec<f64>, Vec<f64>)]) -> Option<Mixture> {
    let others = (0..mixture.n_components()).filter(|k| !without.contains(k));
    let (mut weights, mut means, mut covariances) = (Vec::new(), Vec::new(), Vec::new());
    for k in others {
        weights.push(mixture.weight(k));
        means.extend_from_slice(mixture.mean(k));
        covariances.extend(mixture.covariance(k));
    }
    for (weight, mean, covariance) in parts {
        weights.push(*weight);
        means.extend_from_slice(mean);
        covariances.extend_from_slice(covariance);
    }
    Mixture::from_covariances(mixture.n_features(), &weights, &means, &covariances).ok()
}

fn along_longest_axis(mixture: &Mixture, component: usize) -> Option<Mixture> {
    let d = mixture.n_features();
    let covariance = mixture.covariance(component);
    let eigen = symmetric(d, &covariance).symmetric_eigen();
    let longest = eigen.eigenvalues.imax();
    let shift: Vec<f64> = eigen
        .eigenvectors
        .column(longest)
        .iter()
        .map(|entry| HALF_DISTANCE * eigen.eigenvalues[longest].sqrt() * entry)
        .collect();
    let mut narrower = covariance;
    for i in 0..d {
        (0..=i).for_each(|j| narrower[at(i, j)] -= shift[i] * shift[j]);
    }
    let part = |sign: f64| {
        let mean = mixture.mean(component).iter().zip(&shift).map(|(mu, shift)| mu + sign * shift).collect();
        (0.5 * mixture.weight(component), mean, narrower.clone())
    };
    replaced(mixture, &[component], &[part(1.0), part(-1.0)])
}

/// By two clusters of the component's rows, on axes on which its covariance is the identity. The clusters' covariances are shrunk
/// towards that of the component, which has D + 2 observations' weight.
fn by_clusters(mixture: &Mixture, component: usize, rows: &Data, rng: &mut impl Rng) -> Option<Mixture> {
    let (n, d) = (rows.n_observations(), rows.n_features());
    let whitened = WhitenedComponents::from_mixture(mixture);
    let inverse = whitened.inverse_factor(component);
    let columns: Vec<Vec<f64>> = (0..d)
        .map(|i| (0..n).map(|row| (0..=i).map(|j| inverse[at(i, j)] * rows.feature(j)[row]).sum()).collect())
        .collect();
    let labels = kmeans(&Data::new(columns).ok()?, 2, 1, rng).labels;
    let covariance = mixture.covariance(component);
    let strength = (d + 2) as f64;
    let part = |label: usize| {
        let own: Vec<usize> = (0..n).filter(|&row| labels[row] == label).collect();
        let count = own.len() as f64;
        let mean: Vec<f64> =
            (0..d).map(|j| own.iter().map(|&row| rows.feature(j)[row]).sum::<f64>() / count).collect();
        let mut shrunk = vec![0.0; packed_len(d)];
        for i in 0..d {
            for j in 0..=i {
                let sum: f64 = own
                    .iter()
                    .map(|&row| (rows.feature(i)[row] - mean[i]) * (rows.feature(j)[row] - mean[j]))
                    .sum();
                shrunk[at(i, j)] = (sum + strength * covariance[at(i, j)]) / (count + strength);
            }
        }
        (mixture.weight(component) * count / n as f64, mean, shrunk)
    };
    replaced(mixture, &[component], &[part(0), part(1)])
}

/// Mixtures in which two components are merged, with their joint weight, mean and covariance: the pairs that lie closest, at most
/// `most` of them.
#[must_use]
pub fn merges(mixture: &Mixture, most: usize) -> Vec<Mixture> {
    let k = mixture.n_components();
    let mut pairs: Vec<(f64, usize, usize)> =
        (0..k).flat_map(|a| (0..a).map(move |b| (distance(mixture, a, b), a, b))).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    pairs.into_iter().take(most).filter_map(|(_, a, b)| merged(mixture, a, b)).collect()
}

/// Squared distance of two means, under the mean of the two covariances' diagonals.
fn distance(mixture: &Mixture, a: usize, b: usize) -> f64 {
    let scales = mixture.scales(a).iter().zip(mixture.scales(b));
    let means = mixture.mean(a).iter().zip(mixture.mean(b));
    means.zip(scales).map(|((x, y), (s, t))| (x - y).powi(2) / (0.5 * (s * s + t * t))).sum()
}

fn merged(mixture: &Mixture, a: usize, b: usize) -> Option<Mixture> {
    let d = mixture.n_features();
    let weight = mixture.weight(a) + mixture.weight(b);
    let share = mixture.weight(a) / weight;
    let mean: Vec<f64> =
        mixture.mean(a).iter().zip(mixture.mean(b)).map(|(x, y)| share * x + (1.0 - share) * y).collect();
    let (of_a, of_b) = (mixture.covariance(a), mixture.covariance(b));
    let mut covariance = vec![0.0; packed_len(d)];
    for i in 0..d {
        for j in 0..=i {
            let [x, y] = [i, j].map(|i| mixture.mean(a)[i] - mixture.mean(b)[i]);
            covariance[at(i, j)] =
                share * of_a[at(i, j)] + (1.0 - share) * of_b[at(i, j)] + share * (1.0 - share) * x * y;
        }
    }
    replaced(mixture, &[a, b], &[(weight.min(1.0), mean, covariance)])
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    fn moments(mixture: &Mixture) -> (Vec<f64>, Vec<f64>) {
        let d = mixture.n_features();
        let k = 0..mixture.n_components();
        let mean: Vec<f64> =
            (0..d).map(|i| k.clone().map(|k| mixture.weight(k) * mixture.mean(k)[i]).sum()).collect();
        let second = (0..d).flat_map(|i| (0..=i).map(move |j| (i, j)));
        let second = second.map(|(i, j)| {
            let of_component = |k: usize| {
                let product = mixture.mean(k)[i] * mixture.mean(k)[j];
                mixture.weight(k) * (mixture.covariance(k)[at(i, j)] + product)
            };
            k.clone().map(of_component).sum()
        });
        (mean, second.collect())
    }

    fn example() -> Mixture {
        let covariances = [1.0, 0.3, 2.0, 0.5, -0.1, 0.4, 1.5, 0.2, 0.7];
        let means = [0.0, 0.0, 5.0, 1.0, 5.5, 2.0];
        Mixture::from_covariances(2, &[0.5, 0.3, 0.2], &means, &covariances).unwrap()
    }

    #[test]
    fn splits_along_an_axis_and_merges_keep_the_moments() {
        let mixture = example();
        let (mean, second) = moments(&mixture);
        let split = (0..3).map(|k| along_longest_axis(&mixture, k).unwrap());
        let changed: Vec<Mixture> = split.chain(merges(&mixture, 3)).collect();
        assert_eq!(changed.len(), 6);
        for other in changed {
            let (other_mean, other_second) = moments(&other);
            assert_relative_eq!(mean[..], other_mean[..], epsilon = 1e-12);
            assert_relative_eq!(second[..], other_second[..], epsilon = 1e-12);
        }
        // The closest pair comes first: what is left is the component that is far away.
        assert_eq!(merges(&mixture, 1)[0].mean(0), [0.0, 0.0]);
    }

    #[test]
    fn two_clusters_in_one_component_are_told_apart() {
        let truth = Mixture::from_covariances(1, &[0.5, 0.5], &[-3.0, 3.0], &[0.1, 0.1]).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (data, _) = truth.simulate(100, &mut rng);
        let single = Mixture::from_covariances(1, &[1.0], &[0.0], &[9.0]).unwrap();
        let found = splits(&data, &Likelihood::new(&data), &single, &mut rng);
        assert_eq!(found.len(), 1 + CLUSTERINGS);
        let is_close = |mixture: &Mixture| {
            let mut means = [mixture.mean(0)[0], mixture.mean(1)[0]];
            means.sort_by(f64::total_cmp);
            (means[0] + 3.0).abs() < 0.3 && (means[1] - 3.0).abs() < 0.3
        };
        assert!(found[1..].iter().any(is_close));
    }
}
