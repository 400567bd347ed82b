//! Clusters of the rows: the partition that stands for those of all mixtures drawn from the posterior.

use gmm_sampler::data::{Data, Observations};
use gmm_sampler::mixture::likelihood::{Likelihood, WhitenedComponents, Workspace};
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::simulate::draw_index;
use gmm_scoring::{PartitionDraws, adjusted_rand_index};
use rayon::prelude::*;

use super::mixtures::PosteriorMixtures;
use crate::study::streams::Stream;

/// Components of a mixture are merged while, of the observations of one of two, at least this share is expected to be assigned to the
/// other. Of 0.05, 0.1, 0.15, 0.2 and none, on sixty simulated sets and ten real ones: from 0.2 on hardly any clusters of the truth
/// are merged (on sets of mean overlap 0.01 in none, at 0.05 in 27 %), and from 0.2 down the split clusters of the hawks are joined.
pub const MISCLASSIFIED: f64 = 0.2;

/// A row whose cluster has a probability above this counts as clear.
pub const CLEAR: f64 = 0.9;

/// Of more rows than this, some decide what the clusters are.
const SAMPLE: usize = 10_000;

/// Rows whose probabilities are computed at a time.
const BLOCK: usize = 8192;

/// What the clusters are: of each mixture the cluster to which each of its components belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustering {
    pub mixtures: PosteriorMixtures,
    /// Clusters count from 0, the largest first.
    pub of_components: Vec<Vec<usize>>,
    pub n_clusters: usize,
}

/// What a clustering says of some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The probability of each cluster, averaged over the mixtures: N × clusters; each row sums to one.
    pub probabilities: Vec<f64>,
    /// Log of the posterior predictive density of each row, nats, on the data's own scale.
    pub log_density: Vec<f64>,
}

/// The clusters of the rows that were fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    pub clustering: Clustering,
    pub prediction: Prediction,
    /// Share of rows whose most probable cluster has a probability above 0.9.
    pub clear: f64,
    /// Adjusted Rand index of the clusters and known classes, if there are any.
    pub agreement: Option<f64>,
}

impl Clusters {
    /// `classes` are those of the rows, if they are known.
    ///
    /// # Panics
    /// If there is no mixture.
    #[must_use]
    pub fn new(data: &Data, mixtures: PosteriorMixtures, classes: Option<&[String]>) -> Self {
        let clustering = Clustering::new(data, mixtures);
        let prediction = clustering.predict(data);
        let is_clear = |row: &&[f64]| row.iter().any(|probability| *probability > CLEAR);
        let clear = prediction.probabilities.chunks_exact(clustering.n_clusters).filter(is_clear).count();
        let found: Vec<usize> = prediction.assignments().map(|row| row.cluster).collect();
        let agreement = classes.map(|classes| adjusted_rand_index(&found, classes));
        Self { clear: clear as f64 / data.n_observations() as f64, agreement, clustering, prediction }
    }

    /// The clusters to which the components of a mixture belong that was fitted to the same rows.
    #[must_use]
    pub fn of_components(&self, data: &Data, mixture: &Mixture) -> Vec<usize> {
        let responsibilities = Likelihood::new(data).responsibilities_under(mixture);
        let rows: Vec<usize> = self.prediction.assignments().map(|row| row.cluster).collect();
        clusters_of_components(&responsibilities, mixture.n_components(), &rows, self.clustering.n_clusters)
    }
}

impl Prediction {
    #[must_use]
    pub fn n_clusters(&self) -> usize {
        self.probabilities.len() / self.log_density.len().max(1)
    }

    /// Of each row the most probable cluster and its probability, and the next one, if there are two.
    pub fn assignments(&self) -> impl Iterator<Item = Assignment> + '_ {
        self.probabilities.chunks_exact(self.n_clusters().max(1)).map(Assignment::new)
    }
}

/// The cluster of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assignment {
    pub cluster: usize,
    pub probability: f64,
    /// The second most probable cluster and its probability.
    pub runner_up: Option<(usize, f64)>,
}

impl Assignment {
    fn new(probabilities: &[f64]) -> Self {
        let most = |except: Option<usize>| {
            let places = (0..probabilities.len()).filter(|place| Some(*place) != except);
            // The first of equal ones.
            places.reduce(|best, other| if probabilities[other] > probabilities[best] { other } else { best })
        };
        let cluster = most(None).expect("there is a cluster");
        let runner_up = most(Some(cluster)).map(|other| (other, probabilities[other]));
        Self { cluster, probability: probabilities[cluster], runner_up }
    }
}

impl Clustering {
    /// In every mixture, components that are mistaken for one another are merged, and a row belongs to one of what is left with its
    /// probability. Of all partitions that are drawn so, the one with the least expected variation of information stands for all
    /// (Wade & Ghahramani 2018). A component of a mixture then belongs to the cluster that has most of its rows.
    fn new(data: &Data, mixtures: PosteriorMixtures) -> Self {
        let sample = (data.n_observations() > SAMPLE).then(|| data.rows(&data.spread_rows(SAMPLE)));
        let likelihood = Likelihood::new(sample.as_ref().unwrap_or(data));
        let of_draws: Vec<(Vec<f64>, Vec<u16>)> = mixtures
            .draws
            .par_iter()
            .enumerate()
            .map(|(draw, mixture)| {
                let responsibilities = likelihood.responsibilities_under(mixture);
                let groups = merged(&responsibilities, mixture.n_components());
                let mut rng = Stream::Labels { draw }.rng();
                let rows = responsibilities.chunks_exact(mixture.n_components());
                let labels =
                    rows.map(|row| groups[draw_index(row.iter().copied(), &mut rng)] as u16).collect();
                (responsibilities, labels)
            })
            .collect();
        let (responsibilities, labels): (Vec<_>, Vec<_>) = of_draws.into_iter().unzip();
        let partition = PartitionDraws::new(&labels).minimiser();
        drop(labels);
        let mut sizes = vec![0; partition.iter().max().map_or(1, |&most| usize::from(most) + 1)];
        partition.iter().for_each(|&cluster| sizes[usize::from(cluster)] += 1);
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        order.sort_by_key(|&cluster| std::cmp::Reverse(sizes[cluster]));
        let mut places = vec![0; sizes.len()];
        order.iter().enumerate().for_each(|(place, &cluster)| places[cluster] = place);
        let partition: Vec<usize> = partition.iter().map(|&cluster| places[usize::from(cluster)]).collect();
        let of_draw = |(mixture, responsibilities): (&Mixture, &Vec<f64>)| {
            clusters_of_components(responsibilities, mixture.n_components(), &partition, sizes.len())
        };
        let of_components: Vec<Vec<usize>> =
            mixtures.draws.iter().zip(&responsibilities).map(of_draw).collect();
        Self::without_empty(mixtures, of_components, sizes.len())
    }

    /// By the mixtures of so many components alone; `None` if there is none.
    #[must_use]
    pub fn with_components(&self, n_components: usize) -> Option<Self> {
        let draws = self.mixtures.draws.iter().zip(&self.of_components);
        let (draws, of_components): (Vec<_>, Vec<_>) = draws
            .filter(|(mixture, _)| mixture.n_components() == n_components)
            .map(|(a, b)| (a.clone(), b.clone()))
            .unzip();
        let mixtures = PosteriorMixtures { draws };
        (!of_components.is_empty()).then_some(Self { mixtures, of_components, n_clusters: self.n_clusters })
    }

    /// Without clusters to which no component of any mixture belongs.
    fn without_empty(mixtures: PosteriorMixtures, of_components: Vec<Vec<usize>>, n_clusters: usize) -> Self {
        let is_used = |cluster: &usize| of_components.iter().flatten().any(|other| other == cluster);
        let used: Vec<usize> = (0..n_clusters).filter(is_used).collect();
        let place = |cluster: usize| used.binary_search(&cluster).expect("it is used");
        let of_components = of_components.into_iter().map(|of| of.into_iter().map(place).collect()).collect();
        Self { mixtures, of_components, n_clusters: used.len() }
    }

    /// Probabilities and densities of rows, fitted or new; call it inside the pool whose threads it may use.
    #[must_use]
    pub fn predict(&self, data: &Data) -> Prediction {
        let n = data.n_observations();
        let blocks: Vec<usize> = (0..n).step_by(BLOCK).collect();
        let of_block = |&begins: &usize| {
            let rows: Vec<usize> = (begins..(begins + BLOCK).min(n)).collect();
            self.predict_block(&data.rows(&rows))
        };
        let of_blocks: Vec<Prediction> = blocks.par_iter().map(of_block).collect();
        let mut all = Prediction { probabilities: Vec::new(), log_density: Vec::new() };
        for block in of_blocks {
            all.probabilities.extend(block.probabilities);
            all.log_density.extend(block.log_density);
        }
        all
    }

    fn predict_block(&self, rows: &Data) -> Prediction {
        let n = rows.n_observations();
        let likelihood = Likelihood::new(rows);
        let mut probabilities = vec![0.0; n * self.n_clusters];
        let mut log_densities = vec![Vec::with_capacity(self.mixtures.draws.len()); n];
        let mut log_density = vec![0.0; n];
        for (mixture, clusters) in self.mixtures.draws.iter().zip(&self.of_components) {
            let k = mixture.n_components();
            let components = WhitenedComponents::rounded(mixture, likelihood.rounding());
            let responsibilities = likelihood.responsibilities(&components);
            let rows = responsibilities.chunks_exact(k).zip(probabilities.chunks_exact_mut(self.n_clusters));
            for (of_components, of_clusters) in rows {
                of_components.iter().zip(clusters).for_each(|(r, &cluster)| of_clusters[cluster] += r);
            }
            likelihood.pointwise(
                &components,
                &mut Workspace::new(k, likelihood.n_features()),
                &mut log_density,
            );
            log_densities.iter_mut().zip(&log_density).for_each(|(of_row, value)| of_row.push(*value));
        }
        for row in probabilities.chunks_exact_mut(self.n_clusters) {
            let total: f64 = row.iter().sum();
            row.iter_mut().for_each(|probability| *probability /= total);
        }
        let log_density = log_densities.iter().map(|values| gmm_scoring::log_mean_exp(values)).collect();
        Prediction { probabilities, log_density }
    }
}

/// Of each component the cluster that has most of its rows, weighted by responsibility; the largest cluster of equal ones.
fn clusters_of_components(
    responsibilities: &[f64],
    n_components: usize,
    partition: &[usize],
    n_clusters: usize,
) -> Vec<usize> {
    let mut shared = vec![0.0; n_components * n_clusters];
    for (row, &cluster) in responsibilities.chunks_exact(n_components).zip(partition) {
        row.iter().enumerate().for_each(|(k, r)| shared[k * n_clusters + cluster] += r);
    }
    shared.chunks_exact(n_clusters).map(|row| Assignment::new(row).cluster).collect()
}

/// Of each component the group that it is merged into, by estimated misclassification probabilities (Hennig 2010, Advances in Data
/// Analysis and Classification 4, section 4.2).
fn merged(responsibilities: &[f64], n_components: usize) -> Vec<usize> {
    let mut rows: Vec<Vec<f64>> = responsibilities.chunks_exact(n_components).map(<[f64]>::to_vec).collect();
    let mut groups: Vec<usize> = (0..n_components).collect();
    while let Some((a, b)) = least_separate(&rows) {
        rows.iter_mut().for_each(|row| {
            let moved = row.remove(a);
            row[b] += moved;
        });
        for group in &mut groups {
            *group = match *group {
                group if group == a => b,
                group if group > a => group - 1,
                group => group,
            };
        }
    }
    groups
}

/// The pair a > b with the largest misclassification probability, if that is not small. The probability that an observation of a
/// is assigned to b: Σ r_ia [b is the most probable] / Σ r_ia.
fn least_separate(rows: &[Vec<f64>]) -> Option<(usize, usize)> {
    let k = rows[0].len();
    let mut assigned = vec![0.0; k * k];
    let mut totals = vec![0.0; k];
    for row in rows {
        let best = (0..k).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0);
        for (component, share) in row.iter().enumerate() {
            assigned[component * k + best] += share;
            totals[component] += share;
        }
    }
    let misclassified = |a: usize, b: usize| {
        let share = |of: usize, to: usize| {
            if totals[of] > 0.0 { assigned[of * k + to] / totals[of] } else { 1.0 }
        };
        share(a, b).max(share(b, a))
    };
    let pairs = (0..k).flat_map(|a| (0..a).map(move |b| (a, b)));
    let worst = pairs.max_by(|&(a, b), &(c, d)| misclassified(a, b).total_cmp(&misclassified(c, d)))?;
    (misclassified(worst.0, worst.1) > MISCLASSIFIED).then_some(worst)
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use super::*;

    fn of_means(means: [f64; 3]) -> Mixture {
        Mixture::from_covariances(1, &[0.3, 0.3, 0.4], &means, &[1.0; 3]).unwrap()
    }

    fn clusters(draws: Vec<Mixture>) -> (Clusters, Vec<usize>) {
        let (data, truth) = draws[0].simulate(600, &mut ChaCha8Rng::seed_from_u64(1));
        (Clusters::new(&data, PosteriorMixtures { draws }, None), truth)
    }

    #[test]
    fn only_components_that_are_mistaken_for_one_another_are_merged() {
        let n_clusters = |means| clusters(vec![of_means(means)]).0.clustering.n_clusters;
        let (apart, truth) = clusters(vec![of_means([-8.0, 0.0, 8.0])]);
        assert_eq!(apart.clustering.n_clusters, 3);
        assert_relative_eq!(apart.clear, 1.0, epsilon = 0.01);
        let found: Vec<usize> = apart.prediction.assignments().map(|row| row.cluster).collect();
        assert_relative_eq!(adjusted_rand_index(&found, &truth), 1.0, epsilon = 0.01);
        assert_eq!(n_clusters([-8.0, 0.0, 1.0]), 2);
        assert_eq!(n_clusters([0.0, 0.5, 1.0]), 1);
    }

    /// Two normals of equal weight at a distance of 2 z are mistaken with probability Φ(−z).
    #[test]
    fn the_limit_is_the_stated_misclassification() {
        let pair = |distance: f64| {
            let mixture = Mixture::from_covariances(1, &[0.5, 0.5], &[0.0, distance], &[1.0; 2]).unwrap();
            let (data, _) = mixture.simulate(20_000, &mut ChaCha8Rng::seed_from_u64(2));
            Clusters::new(&data, PosteriorMixtures { draws: vec![mixture] }, None).clustering.n_clusters
        };
        assert_eq!((pair(2.0 * 0.75), pair(2.0 * 0.95)), (1, 2));
    }

    /// Labels, and even K, differ from mixture to mixture; the clusters do not.
    #[test]
    fn mixtures_with_other_labels_and_components_agree_on_clusters() {
        let two = |means: [f64; 2], weights: [f64; 2]| {
            Mixture::from_covariances(1, &weights, &means, &[1.0; 2]).unwrap()
        };
        let first = two([0.0, 10.0], [0.7, 0.3]);
        let switched = two([10.0, 0.0], [0.3, 0.7]);
        let split = Mixture::from_covariances(1, &[0.3, 0.35, 0.35], &[10.0, 0.1, -0.1], &[1.0; 3]).unwrap();
        let (found, _) = clusters(vec![first, switched, split]);
        assert_eq!(found.clustering.n_clusters, 2);
        assert_eq!(found.clustering.of_components, [vec![0, 1], vec![1, 0], vec![1, 0, 0]]);
        assert_relative_eq!(found.clear, 1.0, epsilon = 0.01);
    }

    /// The closed form for each mixture, averaged.
    #[test]
    fn a_prediction_is_the_mean_over_mixtures() {
        let mixture = |mean: f64| Mixture::from_covariances(1, &[0.5, 0.5], &[0.0, mean], &[1.0; 2]).unwrap();
        let draws = vec![mixture(6.0), mixture(8.0)];
        let clustering = Clustering {
            mixtures: PosteriorMixtures { draws },
            of_components: vec![vec![0, 1]; 2],
            n_clusters: 2,
        };
        let values = [3.2, 0.0, 1e6];
        let found = clustering.predict(&Data::from_columns(&[values.to_vec()]).unwrap());
        let density = |x: f64, mean: f64| -0.5 * (x - mean).powi(2) - 0.5 * (2.0 * std::f64::consts::PI).ln();
        for (row, x) in values.into_iter().enumerate().take(2) {
            let of_mixture = |mean: f64| 1.0 / (1.0 + (density(x, mean) - density(x, 0.0)).exp());
            let expected = 0.5 * (of_mixture(6.0) + of_mixture(8.0));
            assert_relative_eq!(found.probabilities[2 * row], expected, max_relative = 1e-10);
            let mean_density =
                [0.0, 6.0, 0.0, 8.0].map(|mean| density(x, mean).exp()).iter().sum::<f64>() / 4.0;
            assert_relative_eq!(found.log_density[row], mean_density.ln(), max_relative = 1e-10);
        }
        // A million standard deviations away: the density is tiny and finite, and the probabilities sum to one.
        assert!(found.log_density[2].is_finite() && found.log_density[2] < -4e11);
        assert_relative_eq!(found.probabilities[4] + found.probabilities[5], 1.0, max_relative = 1e-12);
    }
}
