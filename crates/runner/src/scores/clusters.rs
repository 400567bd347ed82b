//! Clusters of the rows: components that cannot be told apart by their observations count as one.

use gmm_sampler::data::Data;
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::Mixture;

/// Components are merged while, of the observations of one of two, at least this share is expected to be assigned to the other.
const MISCLASSIFIED: f64 = 0.05;

/// A row whose cluster has a probability above this counts as clear.
const CLEAR: f64 = 0.9;

/// The clusters of some rows under one mixture.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    pub n_clusters: usize,
    /// Share of rows whose most probable cluster has a probability above 0.9.
    pub clear: f64,
}

impl Clusters {
    /// Merges components by their estimated misclassification probabilities (Hennig 2010, Advances in Data Analysis and
    /// Classification 4, section 4.2).
    #[must_use]
    pub fn new(data: &Data, mixture: &Mixture) -> Self {
        let responsibilities = Likelihood::new(data).responsibilities_under(mixture);
        let mut rows: Vec<Vec<f64>> =
            responsibilities.chunks_exact(mixture.n_components()).map(<[f64]>::to_vec).collect();
        while let Some((a, b)) = least_separate(&rows) {
            rows.iter_mut().for_each(|row| {
                let moved = row.remove(a);
                row[b] += moved;
            });
        }
        let clear = rows.iter().filter(|row| row.iter().any(|share| *share > CLEAR)).count();
        Self { n_clusters: rows[0].len(), clear: clear as f64 / rows.len() as f64 }
    }
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

    fn clusters(means: [f64; 3]) -> Clusters {
        let mixture = Mixture::from_covariances(1, &[0.3, 0.3, 0.4], &means, &[1.0; 3]).unwrap();
        let (data, _) = mixture.simulate(600, &mut ChaCha8Rng::seed_from_u64(1));
        Clusters::new(&data, &mixture)
    }

    #[test]
    fn only_components_that_are_mistaken_for_one_another_are_merged() {
        let apart = clusters([-8.0, 0.0, 8.0]);
        assert_eq!(apart.n_clusters, 3);
        assert_relative_eq!(apart.clear, 1.0, epsilon = 0.01);
        assert_eq!(clusters([-8.0, 0.0, 1.0]).n_clusters, 2);
        assert_eq!(clusters([0.0, 0.5, 1.0]).n_clusters, 1);
    }

    /// Two normals of equal weight at a distance of 2 z are mistaken with probability Φ(−z).
    #[test]
    fn the_limit_is_a_misclassification_of_one_in_twenty() {
        let pair = |distance: f64| {
            let mixture = Mixture::from_covariances(1, &[0.5, 0.5], &[0.0, distance], &[1.0; 2]).unwrap();
            let (data, _) = mixture.simulate(20_000, &mut ChaCha8Rng::seed_from_u64(2));
            Clusters::new(&data, &mixture).n_clusters
        };
        assert_eq!((pair(2.0 * 1.55), pair(2.0 * 1.75)), (1, 2));
    }
}
