//! Posterior probabilities of K: evidence times the prior of K.

use gmm_scoring::{Criterion, Scale, log_sum_exp};

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
        let rows = ranking.rows_by_model().into_iter().filter(|row| !row.estimate.is_nan());
        let joint: Vec<(ModelKey, f64, bool)> = rows
            .map(|row| (row.model, row.estimate + prior.log_density(row.model.components), row.reliable))
            .collect();
        let total = log_sum_exp(&joint.iter().map(|(_, log, _)| *log).collect::<Vec<_>>());
        if total == f64::NEG_INFINITY {
            return None;
        }
        let of_each = joint
            .into_iter()
            .map(|(model, log, reliable)| Probability {
                model,
                probability: libm::exp(log - total),
                reliable,
            })
            .collect();
        Some(Self { criterion: ranking.criterion, of_each })
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

    /// What could make another K the most probable one. `models` are all that were tried, ascending.
    #[must_use]
    pub fn doubts(&self, models: &[ModelKey]) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        if let (Some(&model), Some(last)) = (models.last(), self.of_each.last())
            && last.model == model
            && last.probability > NEGLIGIBLE
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
        doubts
    }
}

/// A K with a smaller probability cannot be the answer, even if its log evidence is a few nats too low.
const NEGLIGIBLE: f64 = 0.01;

/// A doubt that could change which K is the most probable.
#[derive(Debug, Clone, PartialEq)]
pub enum Doubt {
    /// Larger K, which were not tried, may be more probable.
    LargestIsProbable { model: ModelKey, probability: f64 },
    /// These K have no evidence, and a K next to them is probable.
    NoEvidence { models: Vec<ModelKey> },
    /// The evidence of these K may be wrong by several nats.
    Unreliable { models: Vec<ModelKey> },
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
        let doubts = |evidence: &[f64]| of(ComponentsPrior::Uniform, evidence).unwrap().doubts(&models);
        assert_eq!(doubts(&[-10.0, -1.0, -10.0, -20.0]), []);
        assert_eq!(doubts(&[-10.0, -1.0, -10.0, f64::NAN]), []);
        assert_eq!(doubts(&[-10.0, -1.0, f64::NAN, -20.0]), [Doubt::NoEvidence { models: vec![models[2]] }]);
        assert!(matches!(doubts(&[-10.0, -1.0, -10.0, -2.0])[..], [Doubt::LargestIsProbable { .. }]));
    }
}
