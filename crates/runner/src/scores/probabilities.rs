//! Posterior probabilities of K: evidence times the prior of K, and how well they are known.

use std::collections::BTreeMap;

use gmm_scoring::{Basis, Criterion, Scale, log_sum_exp};

use crate::scores::ranking::Ranking;
use crate::study::job::ModelKey;
use crate::study::spec::ComponentsPrior;

/// The posterior probability of each K that has an evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Probabilities {
    /// What the evidence is from.
    pub criterion: Criterion,
    /// In the order of K; they sum to one.
    pub of_each: Vec<Probability>,
}

/// The posterior probability of one K.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probability {
    pub model: ModelKey,
    pub probability: f64,
    /// Standard error of `probability`, from that of the evidence; 0 where no evidence has one.
    pub error: f64,
    /// Prior probability among the K that have an evidence.
    pub prior: f64,
    /// Whether the evidence is reliable.
    pub reliable: bool,
}

impl Probabilities {
    /// `None` for criteria that estimate no evidence, or if no K has one.
    #[must_use]
    pub fn new(prior: ComponentsPrior, ranking: &Ranking) -> Option<Self> {
        if ranking.criterion.scale() != Scale::Evidence {
            return None;
        }
        let rows = ranking.rows_by_model();
        let rows: Vec<_> = rows.into_iter().filter(|row| !row.estimate.is_nan()).collect();
        let log_priors: Vec<f64> = rows.iter().map(|row| prior.log_density(row.model.components)).collect();
        let joint: Vec<f64> =
            rows.iter().zip(&log_priors).map(|(row, log_prior)| row.estimate + log_prior).collect();
        if log_sum_exp(&joint) == f64::NEG_INFINITY {
            return None;
        }
        let errors: Vec<f64> =
            rows.iter().map(|row| if row.mcse.is_nan() { 0.0 } else { row.mcse }).collect();
        let known = match ranking.criterion.basis() {
            Basis::Mode => with_a_shared_error(&joint, &errors),
            _ => with_errors_of_their_own(&joint, &errors),
        };
        let known = known.into_iter().zip(normalised(&log_priors));
        let of_each = rows.iter().zip(known).map(|(row, ((probability, error), prior))| Probability {
            model: row.model,
            probability,
            error,
            prior,
            reliable: row.reliable,
        });
        Some(Self { criterion: ranking.criterion, of_each: of_each.collect() })
    }

    /// The most probable K; the smallest of equally probable ones.
    ///
    /// # Panics
    /// Never: there is at least one.
    #[must_use]
    pub fn most_probable(&self) -> Probability {
        let larger = |best: Probability, other: Probability| {
            if other.probability > best.probability { other } else { best }
        };
        self.of_each.iter().copied().reduce(larger).expect("at least one K has an evidence")
    }

    /// The probability of one K; `None` if it has no evidence.
    #[must_use]
    pub fn of(&self, model: ModelKey) -> Option<f64> {
        self.of_each.iter().find(|entry| entry.model == model).map(|entry| entry.probability)
    }

    /// What could make another K the most probable one. `models` are all that were tried, ascending; `gaps` says where, and by how many
    /// nats, two searches for modes differ.
    #[must_use]
    pub fn doubts(&self, models: &[ModelKey], gaps: &BTreeMap<ModelKey, f64>) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        if let (Some(&model), Some(last)) = (models.last(), self.of_each.last())
            && last.model == model
            && last.probability > RIVAL * self.most_probable().probability
        {
            doubts.push(Doubt::LargestIsProbable { model, probability: last.probability });
        }
        let is_missing = |model: &ModelKey| self.of(*model).is_none();
        let is_near_probable = |model: &ModelKey| {
            let below = self.of_each.iter().rev().find(|entry| entry.model < *model);
            let above = self.of_each.iter().find(|entry| entry.model > *model);
            below.into_iter().chain(above).any(|entry| entry.probability > NEGLIGIBLE)
        };
        let missing: Vec<ModelKey> =
            models.iter().copied().filter(|model| is_missing(model) && is_near_probable(model)).collect();
        if !missing.is_empty() {
            doubts.push(Doubt::NoEvidence { models: missing });
        }
        let unreliable: Vec<ModelKey> = self
            .of_each
            .iter()
            .filter(|entry| !entry.reliable && entry.probability > NEGLIGIBLE)
            .map(|entry| entry.model)
            .collect();
        if !unreliable.is_empty() {
            doubts.push(Doubt::Unreliable { models: unreliable });
        }
        doubts.extend(self.overlooked(gaps));
        doubts
    }

    /// The K that would be the most probable ones with as much more evidence as two searches differ by at that which is: what a search
    /// can miss there it can miss elsewhere. That they differ at other K says little, because with a surplus component one of them
    /// often ends far below the other.
    fn overlooked(&self, gaps: &BTreeMap<ModelKey, f64>) -> Option<Doubt> {
        let best = self.most_probable();
        let nats = *gaps.get(&best.model)?;
        let could_be_more = |entry: &&Probability| {
            entry.model != best.model && libm::log(entry.probability) + nats > libm::log(best.probability)
        };
        let models: Vec<ModelKey> =
            self.of_each.iter().filter(could_be_more).map(|entry| entry.model).collect();
        (!models.is_empty()).then_some(Doubt::SearchesDiffer { models, nats })
    }
}

/// Each exp(log) over their sum.
pub fn normalised(logs: &[f64]) -> Vec<f64> {
    let total = log_sum_exp(logs);
    logs.iter().map(|log| libm::exp(log - total)).collect()
}

/// Where errors are of Monte Carlo and independent: the probabilities, with their errors to first order, dP_k / dl_j = P_k ([j = k] − P_j).
fn with_errors_of_their_own(logs: &[f64], errors: &[f64]) -> Vec<(f64, f64)> {
    let probabilities = normalised(logs);
    let error = |k: usize| {
        let parts = probabilities.iter().zip(errors).enumerate();
        let squares = parts.map(|(j, (p, error))| ((if j == k { 1.0 } else { 0.0 } - p) * error).powi(2));
        probabilities[k] * squares.sum::<f64>().sqrt()
    };
    (0..logs.len()).map(|k| (probabilities[k], error(k))).collect()
}

/// Where all logs are off by the same unknown multiple of their errors: mean and standard deviation of the probabilities, that
/// multiple being standard normal. Unlike an error of their own it does not cancel between K that differ much.
fn with_a_shared_error(logs: &[f64], errors: &[f64]) -> Vec<(f64, f64)> {
    /// Of the trapezoidal rule, which on a normal density within six standard deviations is exact to 1e-8.
    const STEP: f64 = 0.25;
    const POINTS: i32 = 24;
    let (mut total, mut sums) = (0.0, vec![(0.0, 0.0); logs.len()]);
    for point in -POINTS..=POINTS {
        let multiple = STEP * f64::from(point);
        let density = libm::exp(-0.5 * multiple * multiple);
        total += density;
        let moved: Vec<f64> = logs.iter().zip(errors).map(|(log, error)| log + multiple * error).collect();
        for ((sum, squares), probability) in sums.iter_mut().zip(normalised(&moved)) {
            *sum += density * probability;
            *squares += density * probability * probability;
        }
    }
    let mean_and_sd = |(sum, squares): (f64, f64)| {
        let mean = sum / total;
        (mean, (squares / total - mean * mean).max(0.0).sqrt())
    };
    sums.into_iter().map(mean_and_sd).collect()
}

/// A K with a smaller probability cannot be the answer, even if its log evidence is a few nats too low.
pub const NEGLIGIBLE: f64 = 0.01;

/// The largest K tried is a rival of the most probable one with at least this share of its probability: a larger one, which was not
/// tried, could be as probable as both.
const RIVAL: f64 = 0.1;

/// A doubt that could change which K is the most probable.
#[derive(Debug, Clone, PartialEq)]
pub enum Doubt {
    /// Larger K, which were not tried, may be more probable.
    LargestIsProbable { model: ModelKey, probability: f64 },
    /// These K have no evidence, and a K next to them is probable.
    NoEvidence { models: Vec<ModelKey> },
    /// The evidence of these K may be wrong by several nats.
    Unreliable { models: Vec<ModelKey> },
    /// Two searches for modes differ by so many nats that these K may be more probable.
    SearchesDiffer { models: Vec<ModelKey>, nats: f64 },
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use gmm_scoring::Score;

    use super::*;
    use crate::scores::ranking::ranking;
    use crate::scores::rows::ScoreRow;

    fn of(prior: ComponentsPrior, evidence: &[f64]) -> Option<Probabilities> {
        let rows: Vec<ScoreRow> = evidence
            .iter()
            .enumerate()
            .map(|(index, &value)| {
                ScoreRow::new(ModelKey::full(index + 1), None, Score::new(Criterion::Laplace, value))
            })
            .collect();
        let models: Vec<ModelKey> = rows.iter().map(|row| row.model).collect();
        Probabilities::new(prior, &ranking(Criterion::Laplace, &rows, &models).unwrap().unwrap())
    }

    #[test]
    fn probabilities_are_evidence_times_prior() {
        let found = of(ComponentsPrior::Poisson(1.0), &[-1000.0, -999.0, f64::NAN, -998.0]).unwrap();
        let weights = [1.0, 1.0f64.exp() / 2.0, 2.0f64.exp() / 24.0];
        let total: f64 = weights.iter().sum();
        for (entry, (k, weight)) in
            found.of_each.iter().zip([(1, weights[0]), (2, weights[1]), (4, weights[2])])
        {
            assert_eq!(entry.model.components, k);
            assert_relative_eq!(entry.probability, weight / total, max_relative = 1e-12);
        }
        assert_eq!(found.most_probable().model, ModelKey::full(2));
        assert_eq!(found.of(ModelKey::full(3)), None);
    }

    /// Two K whose log odds are normal with mean 1 and standard deviation 2, and with errors too small to matter.
    #[test]
    fn an_uncertain_evidence_makes_an_uncertain_probability() {
        let found = with_a_shared_error(&[0.0, 1.0], &[1.0, 3.0]);
        let (mut mean, mut squares, mut total) = (0.0, 0.0, 0.0);
        for i in -8000..=8000 {
            let z = f64::from(i) / 1000.0;
            let (density, p) = ((-0.5 * z * z).exp(), 1.0 / (1.0 + (-(1.0 + 2.0 * z)).exp()));
            (mean, squares, total) = (mean + density * p, squares + density * p * p, total + density);
        }
        let (mean, squares) = (mean / total, squares / total);
        assert_relative_eq!(found[1].0, mean, max_relative = 1e-5);
        assert_relative_eq!(found[1].1, (squares - mean * mean).sqrt(), max_relative = 1e-4);
        assert_relative_eq!(found[0].0 + found[1].0, 1.0, max_relative = 1e-12);

        // To first order both kinds of error agree where only one K has any.
        let own = with_errors_of_their_own(&[0.0, 1.0], &[0.0, 1e-3]);
        let shared = with_a_shared_error(&[0.0, 1.0], &[0.0, 1e-3]);
        for (own, shared) in own.iter().zip(shared) {
            assert_relative_eq!(own.0, shared.0, max_relative = 1e-6);
            assert_relative_eq!(own.1, shared.1, max_relative = 1e-4);
        }
        assert_eq!(with_errors_of_their_own(&[0.0, 0.0], &[0.0; 2]), [(0.5, 0.0); 2]);
    }

    #[test]
    fn without_evidence_there_is_no_probability() {
        assert_eq!(of(ComponentsPrior::Uniform, &[f64::NAN]), None);
    }

    /// Ratios of the beta-negative-binomial with r = 1: p(K + 1) / p(K) = (b + K − 1)(r + K − 1) / ((a + b + r + K − 1) K).
    #[test]
    fn priors_of_k_have_their_ratios() {
        let ratio =
            |prior: ComponentsPrior, k: usize| (prior.log_density(k + 1) - prior.log_density(k)).exp();
        for k in 1..9 {
            let x = k as f64;
            assert_relative_eq!(
                ratio(ComponentsPrior::Poisson(2.0), k),
                2.0 / (x + 1.0),
                max_relative = 1e-12
            );
            assert_relative_eq!(ratio(ComponentsPrior::Geometric(0.25), k), 0.75, max_relative = 1e-12);
            let (r, a, b) = (1.0, 4.0, 3.0);
            let expected = (b + x - 1.0) * (r + x - 1.0) / ((a + b + r + x - 1.0) * x);
            let found = ratio(ComponentsPrior::BetaNegativeBinomial { r, a, b }, k);
            assert_relative_eq!(found, expected, max_relative = 1e-11);
        }
    }

    #[test]
    fn only_what_could_change_the_answer_is_a_doubt() {
        let models: Vec<ModelKey> = (1..=4).map(ModelKey::full).collect();
        let doubts = |evidence: &[f64]| {
            of(ComponentsPrior::Uniform, evidence).unwrap().doubts(&models, &BTreeMap::new())
        };
        assert_eq!(doubts(&[-10.0, -1.0, -10.0, -20.0]), []);
        assert_eq!(doubts(&[-10.0, -1.0, -10.0, f64::NAN]), []);
        assert_eq!(doubts(&[-10.0, -1.0, f64::NAN, -20.0]), [Doubt::NoEvidence { models: vec![models[2]] }]);
        assert!(matches!(doubts(&[-10.0, -1.0, -10.0, -2.0])[..], [Doubt::LargestIsProbable { .. }]));
        assert_eq!(doubts(&[-10.0, -1.0, -10.0, -4.0]), []);

        let found = of(ComponentsPrior::Uniform, &[-10.0, -1.0, -4.0, -9.0]).unwrap();
        let doubts = |k: usize, nats: f64| found.doubts(&models, &BTreeMap::from([(models[k - 1], nats)]));
        assert_eq!(doubts(3, 100.0), []);
        assert_eq!(doubts(2, 2.9), []);
        assert_eq!(doubts(2, 3.1), [Doubt::SearchesDiffer { models: vec![models[2]], nats: 3.1 }]);
        assert_eq!(doubts(2, 8.1), [Doubt::SearchesDiffer { models: models[2..].to_vec(), nats: 8.1 }]);
    }
}
