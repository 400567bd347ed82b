//! A test of the uniformity of ranks: empirical distribution, simultaneous band and exact p-value.
//!
//! Source: Säilynoja, Bürkner & Vehtari (2022), "Graphical test for discrete uniformity and its applications in goodness-of-fit
//! evaluation and multiple sample comparison", Statistics and Computing 32.

use statrs::distribution::{Binomial, Discrete};

/// Probability that the simultaneous band of a figure covers the whole empirical distribution of uniform ranks.
pub const BAND_COVERAGE: f64 = 0.95;

/// The ranks of one quantity, tested for uniformity.
#[derive(Debug, Clone, PartialEq)]
pub struct RankUniformity {
    pub case: String,
    pub quantity: String,
    pub n_replicates: usize,
    /// One rank per replicate, in `0..n_ranks`.
    pub ranks: Vec<usize>,
    pub n_ranks: usize,
    /// The empirical distribution minus the uniform one: for i = 1 … n_ranks − 1, the share of ranks below i minus i / n_ranks.
    pub difference: Vec<f64>,
    /// Lower and upper limits of the simultaneous band with [`BAND_COVERAGE`] for `difference`, at the same points.
    pub band: Vec<[f64; 2]>,
    /// The smallest of the pointwise two-sided binomial tail probabilities.
    pub smallest_tail: f64,
    /// Probability that the smallest tail of independent uniform ranks is at most as large. Exact.
    pub p_value: f64,
}

/// The null distribution: `n` independent ranks, uniform over `n_ranks` values.
#[derive(Debug)]
pub(crate) struct UniformRanks {
    n: usize,
    n_ranks: usize,
    /// Per point i, counts r = 0 … n: 2 min(P(B ≤ r), P(B ≥ r)) for B ~ Binomial(n, i / n_ranks).
    tails: Vec<Vec<f64>>,
    /// The tail probability that defines the simultaneous band.
    band_tail: f64,
}

impl UniformRanks {
    pub(crate) fn new(n: usize, n_ranks: usize) -> Self {
        let tails = (1..n_ranks).map(|i| two_sided_tails(n, i as f64 / n_ranks as f64)).collect();
        let mut uniform = Self { n, n_ranks, tails, band_tail: 0.0 };
        // Bisection: coverage decreases as the tail grows. Forty halvings are enough to separate any two regions of counts.
        let (mut inside, mut outside) = (0.0, 1.0);
        for _ in 0..40 {
            let middle = 0.5 * (inside + outside);
            if uniform.coverage(middle) >= BAND_COVERAGE { inside = middle } else { outside = middle }
        }
        uniform.band_tail = inside;
        uniform
    }

    /// The first and the last count at point i whose tail exceeds `tail`; none if all are smaller.
    fn region(&self, i: usize, tail: f64) -> Option<(usize, usize)> {
        let inside = |&other: &f64| other > tail;
        let from = self.tails[i].iter().position(inside)?;
        let to = self.tails[i].iter().rposition(inside)?;
        Some((from, to))
    }

    /// P(the tails of all counts exceed `tail`), by recursion over the points: given the count at one point, the increment to the
    /// next is binomial among the ranks not yet counted (Säilynoja, Bürkner & Vehtari 2022, section 2.3).
    fn coverage(&self, tail: f64) -> f64 {
        let (mut start, mut probability) = (0, vec![1.0]);
        for i in 0..self.tails.len() {
            let Some((from, to)) = self.region(i, tail) else { return 0.0 };
            let p = 1.0 / (self.n_ranks - i) as f64;
            let odds = p / (1.0 - p);
            let mut next = vec![0.0; to - from + 1];
            for (offset, &before) in probability.iter().enumerate() {
                let left = self.n - (start + offset);
                let mut step = before * libm::pow(1.0 - p, left as f64);
                for increment in 0..=left {
                    let count = start + offset + increment;
                    if count > to {
                        break;
                    }
                    if count >= from {
                        next[count - from] += step;
                    }
                    step *= odds * (left - increment) as f64 / (increment + 1) as f64;
                }
            }
            (start, probability) = (from, next);
        }
        probability.iter().sum()
    }

    /// Compares ranks with this null distribution.
    ///
    /// # Panics
    /// If the number of ranks is not `n`.
    pub(crate) fn test(&self, case: &str, quantity: &str, ranks: Vec<usize>) -> RankUniformity {
        assert_eq!(ranks.len(), self.n, "one rank per replicate");
        let mut counts = vec![0usize; self.n_ranks];
        ranks.iter().for_each(|&rank| counts[rank] += 1);
        let n = self.n as f64;
        let mut below = 0;
        let mut smallest_tail = 1.0f64;
        let (mut difference, mut band) = (Vec::new(), Vec::new());
        for i in 0..self.n_ranks - 1 {
            below += counts[i];
            smallest_tail = smallest_tail.min(self.tails[i][below]);
            let expected = (i + 1) as f64 / self.n_ranks as f64;
            difference.push(below as f64 / n - expected);
            let (from, to) = self.region(i, self.band_tail).unwrap_or((0, self.n));
            band.push([from as f64 / n - expected, to as f64 / n - expected]);
        }
        RankUniformity {
            case: case.to_owned(),
            quantity: quantity.to_owned(),
            n_replicates: self.n,
            ranks,
            n_ranks: self.n_ranks,
            difference,
            band,
            smallest_tail,
            p_value: 1.0 - self.coverage(smallest_tail),
        }
    }
}

/// For counts r = 0 … n: 2 min(P(B ≤ r), P(B ≥ r)), B ~ Binomial(n, p).
fn two_sided_tails(n: usize, p: f64) -> Vec<f64> {
    let binomial = Binomial::new(p, n as u64).expect("p is between 0 and 1");
    let probability: Vec<f64> = (0..=n).map(|count| binomial.pmf(count as u64)).collect();
    let mut at_least = probability.clone();
    for count in (0..n).rev() {
        at_least[count] += at_least[count + 1];
    }
    let mut at_most = 0.0;
    (0..=n)
        .map(|count| {
            at_most += probability[count];
            2.0 * f64::min(at_most, at_least[count])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Purpose, stream};
    use rand::RngExt;

    #[test]
    fn the_exact_coverage_agrees_with_simulated_ranks() {
        let (n, n_ranks) = (40, 11);
        let uniform = UniformRanks::new(n, n_ranks);
        let mut rng = stream("coverage", Purpose::Null, 0);
        let trials = 20_000;
        let mut below = [0; 3];
        for _ in 0..trials {
            let ranks = (0..n).map(|_| rng.random_range(0..n_ranks)).collect();
            let p_value = uniform.test("", "", ranks).p_value;
            for (below, level) in below.iter_mut().zip([0.5, 0.1, 0.01]) {
                *below += usize::from(p_value <= level);
            }
        }
        // The statistic is discrete: its p-value is at most the level no more often than that. Four standard errors either way.
        for (below, level) in below.iter().zip([0.5, 0.1, 0.01]) {
            let share = f64::from(*below as u32) / f64::from(trials);
            let se = (level * (1.0 - level) / f64::from(trials)).sqrt();
            assert!(share < level + 4.0 * se && share > 0.8 * level - 4.0 * se, "{share} at {level}");
        }
    }

    #[test]
    fn the_band_has_its_coverage_and_is_no_wider_than_needed() {
        let uniform = UniformRanks::new(100, 101);
        let coverage = uniform.coverage(uniform.band_tail);
        assert!((BAND_COVERAGE..BAND_COVERAGE + 0.01).contains(&coverage), "{coverage}");
    }

    #[test]
    fn ranks_that_are_too_low_or_too_central_are_detected() {
        let uniform = UniformRanks::new(100, 21);
        let p_value = |f: &dyn Fn(usize) -> usize| uniform.test("", "", (0..100).map(f).collect()).p_value;
        assert!(p_value(&|i| i % 21) > 0.9, "uniform");
        assert!(p_value(&|i| (i % 21) / 2) < 1e-6, "too low");
        assert!(p_value(&|i| 5 + i % 11) < 1e-6, "too central");
    }
}
