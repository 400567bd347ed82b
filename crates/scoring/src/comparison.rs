//! Several models by one criterion: differences to the best with their errors, and weights.

use crate::criterion::Criterion;
use crate::descriptor::{Basis, Scale};
use crate::score::{Score, standard_error};
use crate::stacking::stacking;
use crate::terms::Terms;

/// One criterion's scores of several models, best first. `M` is what models are known by: an ordered key, such as K.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison<M> {
    /// The criterion of every score.
    pub criterion: Criterion,
    /// Terms (observations or groups) of each score; `None` for criteria that are not sums over terms.
    pub n_terms: Option<usize>,
    /// From best to worst; undefined estimates last.
    pub rows: Vec<Row<M>>,
}

/// One model in a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<M> {
    /// The model's key.
    pub model: M,
    /// [`Score::estimate`].
    pub estimate: f64,
    /// [`Score::se`].
    pub se: f64,
    /// [`Score::mcse`].
    pub mcse: f64,
    /// `estimate` less the best one's, on the criterion's scale: 0 for the best, and of the sign of worse for the others.
    pub difference: f64,
    /// Standard error of `difference` over paired terms: 0 for the best, NaN for criteria that are not sums over terms.
    pub difference_se: f64,
    /// Standard error of `difference` from those of how both estimates are computed: 0 for the best, NaN where either is not known.
    pub difference_mcse: f64,
    /// Stacking weight for predictive criteria; exp(−Δ / 2) normalised for those on the deviance scale, and exp(Δ) for log
    /// evidence, the probability of K if all were equally likely before. They sum to one.
    pub weight: f64,
    /// [`Score::reliable`].
    pub reliable: bool,
}

impl<M> Row<M> {
    /// The error that a verdict allows for: over terms where the criterion is a sum of them, of Monte Carlo alone elsewhere.
    #[must_use]
    pub fn difference_error(&self, criterion: Criterion) -> f64 {
        match criterion.scale() {
            Scale::Prediction => self.difference_se,
            Scale::Deviance | Scale::Evidence => self.difference_mcse,
        }
    }
}

/// Scores that cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompareError<M> {
    /// Nothing was given.
    #[error("there are no scores to compare")]
    Empty,
    /// Two criteria.
    #[error("{model} is scored by {found}, the first model by {expected}: their scales differ")]
    MixedCriteria {
        /// The model's key.
        model: M,
        /// The first score's criterion.
        expected: Criterion,
        /// This one's.
        found: Criterion,
    },
    /// Different numbers of terms.
    #[error(
        "{model} is a sum over {found} {terms}, the first model over {expected}: scores of different data cannot be compared"
    )]
    DifferentTerms {
        /// The model's key.
        model: M,
        /// Terms of the first score.
        expected: usize,
        /// Terms of this one.
        found: usize,
        /// What the terms are of.
        terms: &'static str,
    },
    /// Different fingerprints.
    #[error(
        "{model} is scored on other data than the first model: scores of different data cannot be compared"
    )]
    DifferentData {
        /// The model's key.
        model: M,
    },
    /// The same model twice.
    #[error("{model} is scored twice")]
    Repeated {
        /// The model's key.
        model: M,
    },
}

impl<M: Copy + Ord> Comparison<M> {
    /// Compares scores, each with the key of its model, of the same data by the same criterion.
    ///
    /// Data are the same if their [fingerprints](Score::with_data) are. Of scores without one nothing but the number of terms can be
    /// checked: their terms must be of the same observations in the same order.
    ///
    /// # Errors
    /// If there are no scores, if their criteria, data or numbers of terms differ, or if a model comes twice.
    pub fn new(scores: &[(M, &Score)]) -> Result<Self, CompareError<M>> {
        let (_, first) = scores.first().ok_or(CompareError::Empty)?;
        let criterion = first.criterion;
        let expected = first.pointwise.len();
        for (position, (model, score)) in scores.iter().enumerate() {
            let (model, found) = (*model, score.pointwise.len());
            if score.criterion != criterion {
                return Err(CompareError::MixedCriteria {
                    model,
                    expected: criterion,
                    found: score.criterion,
                });
            }
            if score.data != first.data {
                return Err(CompareError::DifferentData { model });
            }
            if found != expected {
                let terms = criterion.descriptor().terms.map_or("terms", Terms::name);
                return Err(CompareError::DifferentTerms { model, expected, found, terms });
            }
            if scores[..position].iter().any(|(earlier, _)| *earlier == model) {
                return Err(CompareError::Repeated { model });
            }
        }
        // Undefined losses sort last; equal ones leave the smaller model first.
        let loss = |score: &Score| criterion.loss(score.estimate, 0.0);
        let rank = |a: f64, b: f64| a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(&b));
        let mut order = scores.to_vec();
        order.sort_by(|(k, a), (l, b)| rank(loss(a), loss(b)).then(k.cmp(l)));
        let (best_model, best) = order[0];
        let ordered: Vec<&Score> = order.iter().map(|(_, score)| *score).collect();
        let rows = order.iter().zip(weights(criterion, &ordered)).map(|((model, score), weight)| {
            let difference =
                if *model == best_model { Difference::to_itself(best) } else { Difference::new(score, best) };
            let Score { estimate, se, mcse, reliable, .. } = **score;
            Row {
                model: *model,
                estimate,
                se,
                mcse,
                difference: difference.estimate,
                difference_se: difference.se,
                difference_mcse: difference.mcse,
                weight,
                reliable,
            }
        });
        Ok(Self { criterion, n_terms: (expected > 0).then_some(expected), rows: rows.collect() })
    }
}

/// The difference of two scores of the same data. NaN where a quantity is undefined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The first estimate less the second.
    pub estimate: f64,
    /// Standard error of `estimate` over paired terms.
    pub se: f64,
    /// Monte Carlo standard error of `estimate`.
    pub mcse: f64,
}

impl Difference {
    /// The difference of a score to another: Vehtari, Gelman & Gabry (2017), eq. 24. Pairing matters: some observations are hard for
    /// every model, and that part of the spread cancels. Monte Carlo errors of different fits are
    /// independent; an error of Laplace's method is shared.
    #[must_use]
    pub fn new(score: &Score, other: &Score) -> Self {
        let differences: Vec<f64> =
            score.pointwise.iter().zip(&other.pointwise).map(|(a, b)| a - b).collect();
        Self {
            estimate: score.estimate - other.estimate,
            se: standard_error(&differences),
            mcse: match score.criterion.basis() {
                Basis::Mode => (score.mcse - other.mcse).abs(),
                _ => score.mcse.hypot(other.mcse),
            },
        }
    }

    /// The best model's difference to itself: nothing, unless it is not defined.
    fn to_itself(best: &Score) -> Self {
        let zero_if_defined = |value: f64| if value.is_nan() { f64::NAN } else { 0.0 };
        let estimate = zero_if_defined(best.estimate);
        let error = |error: f64| if error.is_nan() { f64::NAN } else { estimate };
        Self { estimate, se: error(best.se), mcse: error(best.mcse) }
    }
}

fn weights(criterion: Criterion, best_first: &[&Score]) -> Vec<f64> {
    let nats = match criterion.scale() {
        Scale::Prediction => {
            return stacking(&best_first.iter().map(|score| score.pointwise.as_slice()).collect::<Vec<_>>());
        }
        // Burnham & Anderson (2002), section 2.9; for BIC, posterior probabilities of equally likely models up to O(1).
        Scale::Deviance => 0.5,
        Scale::Evidence => 1.0,
    };
    let relative = |score: &&Score| libm::exp(-nats * criterion.loss(score.estimate, best_first[0].estimate));
    let relative: Vec<f64> = best_first.iter().map(relative).collect();
    let total: f64 = relative.iter().filter(|w| !w.is_nan()).sum();
    relative.iter().map(|w| w / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::{aic, bic, kfold};
    use crate::fingerprint::Fingerprint;

    #[test]
    fn deviance_weights_are_normalised_likelihoods_and_smaller_is_better() {
        let scores = [(1, bic(-110.0, 5, 100)), (2, bic(-100.0, 5, 100)), (3, bic(f64::NAN, 5, 100))];
        let comparison = Comparison::new(&scores.each_ref().map(|(k, score)| (*k, score))).unwrap();
        assert_eq!(comparison.rows.iter().map(|row| row.model).collect::<Vec<_>>(), [2, 1, 3]);
        assert_eq!(comparison.rows.iter().map(|row| row.difference).collect::<Vec<_>>()[..2], [0.0, 20.0]);
        let odds = (-10.0_f64).exp();
        assert!((comparison.rows[0].weight - 1.0 / (1.0 + odds)).abs() < 1e-15);
        assert!((comparison.rows[1].weight - odds / (1.0 + odds)).abs() < 1e-15);
        assert!(comparison.rows[2].weight.is_nan() && comparison.rows[2].difference.is_nan());
        assert_eq!(comparison.n_terms, None);
    }

    #[test]
    fn evidence_gives_probabilities_and_the_errors_of_both() {
        let of = |estimate: f64, mcse: f64| Score { mcse, ..Score::new(Criterion::Evidence, estimate) };
        let scores = [of(-100.0, 0.3), of(-98.0, 0.4)];
        let comparison = Comparison::new(&[(1, &scores[0]), (2, &scores[1])]).unwrap();
        let [best, other] = [&comparison.rows[0], &comparison.rows[1]];
        assert_eq!((best.model, best.difference, best.difference_mcse), (2, 0.0, 0.0));
        assert!((other.difference + 2.0).abs() < 1e-12 && (other.difference_mcse - 0.5).abs() < 1e-12);
        assert!(best.difference_se.is_nan() && other.difference_se.is_nan());
        assert!((other.weight / best.weight - (-2.0_f64).exp()).abs() < 1e-12);
    }

    #[test]
    fn paired_errors_forget_what_is_hard_for_every_model() {
        let hard: Vec<f64> = (0..40).map(|i| -f64::from(i)).collect();
        let easier: Vec<f64> = hard.iter().map(|elpd| elpd + 0.5).collect();
        let (a, b) = (kfold(hard), kfold(easier));
        let comparison = Comparison::new(&[(1, &a), (2, &b)]).unwrap();
        assert!(
            (comparison.rows[1].difference + 20.0).abs() < 1e-12 && comparison.rows[1].difference_se < 1e-12
        );
        assert!(comparison.rows[1].se > 70.0);
    }

    #[test]
    fn an_impossible_model_is_last_and_infinitely_behind() {
        let (a, b) = (kfold(vec![f64::NEG_INFINITY, -1.0]), kfold(vec![-3.0, -3.0]));
        let comparison = Comparison::new(&[(1, &a), (2, &b)]).unwrap();
        assert_eq!(comparison.rows[1].model, 1);
        assert_eq!(comparison.rows[1].difference, f64::NEG_INFINITY);
    }

    #[test]
    fn what_does_not_compare_is_refused() {
        let (a, b) = (aic(-1.0, 2), bic(-1.0, 2, 10));
        let (short, long) = (kfold(vec![-1.0; 3]), kfold(vec![-1.0; 4]));
        let refusal = |scores: &[(usize, &Score)]| Comparison::new(scores).unwrap_err().to_string();
        assert_eq!(refusal(&[]), "there are no scores to compare");
        assert_eq!(
            refusal(&[(1, &a), (2, &b)]),
            "2 is scored by BIC, the first model by AIC: their scales differ"
        );
        assert_eq!(
            refusal(&[(1, &short), (2, &long)]),
            "2 is a sum over 4 observations, the first model over 3: scores of different data cannot be compared"
        );
        assert_eq!(refusal(&[(2, &a), (2, &a)]), "2 is scored twice");
        let of_data = |data: &[f64]| short.clone().with_data(Fingerprint::from_columns([data]));
        let (these, those) = (of_data(&[1.0, 2.0, 3.0]), of_data(&[1.0, 2.0, 4.0]));
        let others =
            "2 is scored on other data than the first model: scores of different data cannot be compared";
        assert_eq!(refusal(&[(1, &these), (2, &those)]), others);
        assert_eq!(refusal(&[(1, &these), (2, &short)]), others);
        assert!(Comparison::new(&[(1, &these), (2, &these)]).is_ok());
    }
}
