//! Partitions of observations, and the one that stands for many.
//!
//! Source: Wade & Ghahramani (2018), Bayesian Analysis 13; variation of information is Meilă's (2007), Journal of Multivariate
//! Analysis 98.

/// As many of the drawn partitions are places to begin the search; more found nothing better.
const STARTS: usize = 16;

/// The search ends after this many sweeps at the latest. It rarely takes five.
const MOST_SWEEPS: usize = 100;

/// A change has to gain more than this, in nats times N, so that rounding errors do not go round in circles.
const LEAST_GAIN: f64 = 1e-9;

/// Partitions drawn from a posterior: S draws of N labels.
#[derive(Debug, Clone)]
pub struct PartitionDraws {
    n_observations: usize,
    n_draws: usize,
    /// N × S.
    labels: Vec<u16>,
    /// Of each draw the number of labels, used or not.
    n_labels: Vec<usize>,
    /// n ln n for n from 0 to N.
    n_log_n: Vec<f64>,
}

impl PartitionDraws {
    /// From the labels of each draw, which are counted from 0.
    ///
    /// # Panics
    /// If there is no draw or no observation, or if draws differ in their number of observations.
    #[must_use]
    pub fn new(draws: &[Vec<u16>]) -> Self {
        let (n_draws, n_observations) = (draws.len(), draws[0].len());
        assert!(n_observations > 0 && draws.iter().all(|draw| draw.len() == n_observations));
        let labels = (0..n_observations).flat_map(|i| draws.iter().map(move |draw| draw[i])).collect();
        let largest = |draw: &Vec<u16>| draw.iter().max().map_or(0, |&label| usize::from(label) + 1);
        let n_log_n = |n: usize| if n < 2 { 0.0 } else { n as f64 * libm::log(n as f64) };
        Self {
            n_observations,
            n_draws,
            labels,
            n_labels: draws.iter().map(largest).collect(),
            n_log_n: (0..=n_observations).map(n_log_n).collect(),
        }
    }

    /// The mean, over the draws, of the variation of information from a partition, nats: H(c) + H(c_s) − 2 I(c, c_s). 0 if all draws
    /// are the partition itself, up to labels; at most 2 ln N.
    #[must_use]
    pub fn expected_variation_of_information(&self, partition: &[u16]) -> f64 {
        Candidate::new(self, partition).expected_variation_of_information()
    }

    /// A partition of least expected variation of information: single observations, then whole clusters, move as long as that gains,
    /// from the best of some of the draws. Labels count from 0 in the order of their first observations.
    #[must_use]
    pub fn minimiser(&self) -> Vec<u16> {
        let every = self.n_draws.div_ceil(STARTS);
        let mut starts: Vec<Candidate<'_>> = (0..self.n_draws)
            .step_by(every)
            .map(|s| {
                let labels: Vec<u16> =
                    (0..self.n_observations).map(|i| self.labels[i * self.n_draws + s]).collect();
                Candidate::new(self, &labels)
            })
            .collect();
        starts.push(Candidate::new(self, &vec![0; self.n_observations]));
        let improved = starts.into_iter().map(|mut candidate| {
            candidate.improve();
            (candidate.expected_variation_of_information(), candidate.labels)
        });
        let best = improved.min_by(|a, b| a.0.total_cmp(&b.0)).expect("there is a start");
        in_order_of_appearance(&best.1)
    }
}

/// Relabels: from 0 in the order of the first observation of each label.
fn in_order_of_appearance(labels: &[u16]) -> Vec<u16> {
    let mut seen: Vec<u16> = Vec::new();
    labels
        .iter()
        .map(|label| {
            let place = seen.iter().position(|other| other == label).unwrap_or_else(|| {
                seen.push(*label);
                seen.len() - 1
            });
            place as u16
        })
        .collect()
}

/// A partition with its contingency tables with all draws.
struct Candidate<'a> {
    draws: &'a PartitionDraws,
    labels: Vec<u16>,
    sizes: Vec<usize>,
    /// Of each label a row: the counts n_jk of every draw, one draw after another.
    tables: Vec<Vec<u32>>,
    /// Where the counts of a draw begin in such a row.
    offsets: Vec<usize>,
}

impl<'a> Candidate<'a> {
    fn new(draws: &'a PartitionDraws, labels: &[u16]) -> Self {
        let labels = in_order_of_appearance(labels);
        let n_labels = labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
        let mut width = 0;
        let mut offsets = Vec::with_capacity(draws.n_draws);
        for n in &draws.n_labels {
            offsets.push(width);
            width += n;
        }
        let mut candidate = Self {
            draws,
            sizes: vec![0; n_labels],
            tables: vec![vec![0; width]; n_labels],
            offsets,
            labels: labels.clone(),
        };
        for (i, &label) in labels.iter().enumerate() {
            candidate.sizes[usize::from(label)] += 1;
            candidate.count(i, usize::from(label), 1);
        }
        candidate
    }

    fn of_observation(&self, i: usize) -> &'a [u16] {
        let n = self.draws.n_draws;
        &self.draws.labels[i * n..(i + 1) * n]
    }

    fn count(&mut self, i: usize, label: usize, by: i32) {
        let drawn = self.of_observation(i);
        let row = &mut self.tables[label];
        for (offset, &j) in self.offsets.iter().zip(drawn) {
            let cell = &mut row[offset + usize::from(j)];
            *cell = cell.wrapping_add_signed(by);
        }
    }

    fn expected_variation_of_information(&self) -> f64 {
        let f = &self.draws.n_log_n;
        let n_draws = self.draws.n_draws as f64;
        let own: f64 = self.sizes.iter().map(|&n| f[n]).sum();
        let joint: f64 = self.tables.iter().flatten().map(|&n| f[n as usize]).sum();
        let width = self.tables[0].len();
        let of_draws: f64 =
            (0..width).map(|j| f[self.tables.iter().map(|row| row[j] as usize).sum::<usize>()]).sum();
        (own + (of_draws - 2.0 * joint) / n_draws) / self.draws.n_observations as f64
    }

    fn improve(&mut self) {
        for _ in 0..MOST_SWEEPS {
            let moved = self.sweep();
            let merged = self.merge();
            if !moved && !merged {
                break;
            }
        }
    }

    /// Moves each observation to the cluster, or to one of its own, that gains most. Whether any moved.
    fn sweep(&mut self) -> bool {
        let f = &self.draws.n_log_n;
        let mut any = false;
        let mut costs = Vec::new();
        for i in 0..self.labels.len() {
            let from = usize::from(self.labels[i]);
            let drawn = self.of_observation(i);
            let step = |n: usize| f[n + 1] - f[n];
            // What the rest of the sum would be with the observation in a cluster without it, times N.
            let cost = |label: usize| {
                let without = usize::from(label == from);
                let row = &self.tables[label];
                let shared: f64 = self
                    .offsets
                    .iter()
                    .zip(drawn)
                    .map(|(o, &j)| step(row[o + usize::from(j)] as usize - without))
                    .sum();
                step(self.sizes[label] - without) - 2.0 * shared / self.draws.n_draws as f64
            };
            costs.clear();
            costs.extend((0..self.sizes.len()).map(cost));
            let (to, least) = costs
                .iter()
                .copied()
                .enumerate()
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .expect("there is a cluster");
            // A cluster of its own costs nothing.
            let (to, least) = if least > LEAST_GAIN { (self.sizes.len(), 0.0) } else { (to, least) };
            if to == from || costs[from] - least <= LEAST_GAIN {
                continue;
            }
            if to == self.sizes.len() {
                let empty = self.sizes.iter().position(|&n| n == 0);
                if empty.is_none() {
                    self.sizes.push(0);
                    self.tables.push(vec![0; self.tables[0].len()]);
                }
                self.relabel(i, empty.unwrap_or(to));
            } else {
                self.relabel(i, to);
            }
            any = true;
        }
        any
    }

    fn relabel(&mut self, i: usize, to: usize) {
        let from = usize::from(self.labels[i]);
        self.count(i, from, -1);
        self.count(i, to, 1);
        self.sizes[from] -= 1;
        self.sizes[to] += 1;
        self.labels[i] = to as u16;
    }

    /// Merges the two clusters that gain most by it. Whether any did.
    fn merge(&mut self) -> bool {
        let f = &self.draws.n_log_n;
        let gain = |a: usize, b: usize| {
            let own = f[self.sizes[a] + self.sizes[b]] - f[self.sizes[a]] - f[self.sizes[b]];
            let pairs = self.tables[a].iter().zip(&self.tables[b]);
            let joint: f64 = pairs.map(|(&x, &y)| f[(x + y) as usize] - f[x as usize] - f[y as usize]).sum();
            2.0 * joint / self.draws.n_draws as f64 - own
        };
        let used = |label: &usize| self.sizes[*label] > 0;
        let labels: Vec<usize> = (0..self.sizes.len()).filter(used).collect();
        let pairs =
            labels.iter().enumerate().flat_map(|(place, &a)| labels[..place].iter().map(move |&b| (a, b)));
        let best = pairs.map(|(a, b)| (gain(a, b), a, b)).max_by(|x, y| x.0.total_cmp(&y.0));
        let Some((gain, a, b)) = best else { return false };
        if gain <= LEAST_GAIN {
            return false;
        }
        let moved = std::mem::take(&mut self.tables[a]);
        self.tables[b].iter_mut().zip(&moved).for_each(|(sum, n)| *sum += n);
        self.tables[a] = vec![0; moved.len()];
        self.sizes[b] += std::mem::take(&mut self.sizes[a]);
        self.labels.iter_mut().filter(|label| usize::from(**label) == a).for_each(|label| *label = b as u16);
        true
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    /// From entropies of label counts, as defined.
    fn variation_of_information(a: &[u16], b: &[u16]) -> f64 {
        let n = a.len() as f64;
        let entropy = |same: &dyn Fn(usize, usize) -> bool| -> f64 {
            // Each observation's own share of −Σ p ln p is −ln p / N.
            let share = |i: usize| (0..a.len()).filter(|&j| same(i, j)).count() as f64 / n;
            (0..a.len()).map(|i| -share(i).ln() / n).sum()
        };
        let joint = entropy(&|i, j| a[i] == a[j] && b[i] == b[j]);
        2.0 * joint - entropy(&|i, j| a[i] == a[j]) - entropy(&|i, j| b[i] == b[j])
    }

    /// All partitions of n observations, by restricted growth strings.
    fn all_partitions(n: usize) -> Vec<Vec<u16>> {
        let mut found = vec![vec![0u16]];
        for _ in 1..n {
            found = found
                .into_iter()
                .flat_map(|partition| {
                    let most = partition.iter().max().unwrap() + 1;
                    (0..=most).map(move |label| [&partition[..], &[label]].concat())
                })
                .collect();
        }
        found
    }

    fn expected(draws: &[Vec<u16>], partition: &[u16]) -> f64 {
        draws.iter().map(|draw| variation_of_information(draw, partition)).sum::<f64>() / draws.len() as f64
    }

    #[test]
    fn the_minimiser_is_that_of_enumeration() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let partitions = all_partitions(7);
        assert_eq!(partitions.len(), 877);
        for case in 0..40 {
            // Two or three groups, of which some observations are uncertain.
            let k = 2 + case % 2;
            let draw = |rng: &mut ChaCha8Rng| -> Vec<u16> {
                (0..7)
                    .map(|i| {
                        let certain = rng.random::<f64>() < 0.3 + 0.1 * (case % 7) as f64;
                        if certain { (i % k) as u16 } else { rng.random_range(0..3) }
                    })
                    .collect()
            };
            let draws: Vec<Vec<u16>> = (0..25).map(|_| draw(&mut rng)).collect();
            let of_draws = PartitionDraws::new(&draws);
            let least =
                partitions.iter().map(|partition| expected(&draws, partition)).fold(f64::INFINITY, f64::min);
            let found = of_draws.minimiser();
            assert_relative_eq!(
                of_draws.expected_variation_of_information(&found),
                expected(&draws, &found),
                epsilon = 1e-12
            );
            assert_relative_eq!(expected(&draws, &found), least, epsilon = 1e-12);
        }
    }

    #[test]
    fn draws_that_agree_are_the_minimiser_whatever_their_labels() {
        let of_draws = PartitionDraws::new(&[vec![2, 2, 0, 0, 1], vec![0, 0, 3, 3, 2]]);
        assert_eq!(of_draws.minimiser(), [0, 0, 1, 1, 2]);
        assert_relative_eq!(
            of_draws.expected_variation_of_information(&[0, 0, 1, 1, 2]),
            0.0,
            epsilon = 1e-12
        );
        let apart = of_draws.expected_variation_of_information(&[0; 5]);
        // Of one cluster: the entropy of the other.
        assert_relative_eq!(apart, -(0.8 * 0.4f64.ln() + 0.2 * 0.2f64.ln()), epsilon = 1e-12);
    }
}
