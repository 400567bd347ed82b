//! Several numbers of components by one criterion: differences to the best with their errors, and weights.

use crate::score::standard_error;
use crate::{Criterion, Scale, Score, stacking};

/// One criterion's scores of several K, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub criterion: Criterion,
    /// N of the pointwise terms; none for criteria that have none.
    pub n_observations: Option<usize>,
    /// From best to worst; undefined estimates last.
    pub rows: Vec<Row>,
}

/// One K in a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// K.
    pub components: usize,
    pub estimate: f64,
    pub se: f64,
    /// `estimate` less the best one's, on the criterion's scale: 0 for the best, and of the sign of worse for the others.
    pub difference: f64,
    /// Standard error of `difference`, 0 for the best: of predictions from paired observations; of log evidence the Monte Carlo
    /// errors of both estimates, which are independent; NaN for the other criteria.
    pub difference_se: f64,
    /// Stacking weight for predictive criteria; exp(−Δ / 2) normalised for those on the deviance scale, and exp(Δ) for log
    /// evidence, the probability of K if all were equally likely before. They sum to one.
    pub weight: f64,
    /// Whether the criterion trusts this score: [`Score::reliable`].
    pub reliable: bool,
}

/// Scores that cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    #[error("there are no scores to compare")]
    Empty,
    #[error("K = {components} is scored by {found}, the first model by {expected}: their scales differ")]
    MixedCriteria { components: usize, expected: Criterion, found: Criterion },
    #[error(
        "K = {components} is scored on {found} observations, the first model on {expected}: scores of different data do not compare"
    )]
    DifferentObservations { components: usize, expected: usize, found: usize },
    #[error("K = {components} is scored twice")]
    Repeated { components: usize },
}

impl Comparison {
    /// Compares scores of the same observations, in the same order, by the same criterion.
    ///
    /// # Errors
    /// If there are none, if criteria or numbers of observations differ, or if a K comes twice.
    pub fn of(scores: &[(usize, &Score)]) -> Result<Self, CompareError> {
        let (_, first) = scores.first().ok_or(CompareError::Empty)?;
        let criterion = first.criterion;
        let expected = first.pointwise.len();
        for (position, (components, score)) in scores.iter().enumerate() {
            let (components, found) = (*components, score.pointwise.len());
            if score.criterion != criterion {
                return Err(CompareError::MixedCriteria {
                    components,
                    expected: criterion,
                    found: score.criterion,
                });
            }
            if found != expected {
                return Err(CompareError::DifferentObservations { components, expected, found });
            }
            if scores[..position].iter().any(|(earlier, _)| *earlier == components) {
                return Err(CompareError::Repeated { components });
            }
        }
        // Undefined losses sort last; equal ones leave the smaller K first.
        let loss = |score: &Score| criterion.loss(score.estimate, 0.0);
        let rank = |a: f64, b: f64| a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(&b));
        let mut order = scores.to_vec();
        order.sort_by(|(k, a), (l, b)| rank(loss(a), loss(b)).then(k.cmp(l)));
        let (best_k, best) = order[0];
        let ordered: Vec<&Score> = order.iter().map(|(_, score)| *score).collect();
        let rows = order.iter().zip(weights(criterion, &ordered)).map(|((components, score), weight)| {
            let (difference, difference_se) =
                if *components == best_k { to_itself(best) } else { paired_difference(score, best) };
            let Score { estimate, se, reliable, .. } = **score;
            Row { components: *components, estimate, se, difference, difference_se, weight, reliable }
        });
        Ok(Self { criterion, n_observations: (expected > 0).then_some(expected), rows: rows.collect() })
    }
}

/// The best model's difference to itself: nothing, unless it is not defined.
fn to_itself(best: &Score) -> (f64, f64) {
    let difference = if best.estimate.is_nan() { f64::NAN } else { 0.0 };
    (difference, if best.se.is_nan() { f64::NAN } else { difference })
}

/// Difference of two estimates and its standard error: Vehtari, Gelman & Gabry (2017), eq. 24. Pairing matters: some observations are
/// hard for every model, and that part of the spread cancels. Scores without terms for observations have errors of their own.
#[must_use]
pub fn paired_difference(score: &Score, best: &Score) -> (f64, f64) {
    if score.pointwise.is_empty() {
        return (score.estimate - best.estimate, score.se.hypot(best.se));
    }
    let differences: Vec<f64> = score.pointwise.iter().zip(&best.pointwise).map(|(a, b)| a - b).collect();
    (score.estimate - best.estimate, standard_error(&differences))
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
    use crate::{aic, bic, kfold};

    #[test]
    fn deviance_weights_are_normalised_likelihoods_and_smaller_is_better() {
        let scores = [(1, bic(-110.0, 5, 100)), (2, bic(-100.0, 5, 100)), (3, bic(f64::NAN, 5, 100))];
        let comparison = Comparison::of(&scores.each_ref().map(|(k, score)| (*k, score))).unwrap();
        assert_eq!(comparison.rows.iter().map(|row| row.components).collect::<Vec<_>>(), [2, 1, 3]);
        assert_eq!(comparison.rows.iter().map(|row| row.difference).collect::<Vec<_>>()[..2], [0.0, 20.0]);
        let odds = (-10.0_f64).exp();
        assert!((comparison.rows[0].weight - 1.0 / (1.0 + odds)).abs() < 1e-15);
        assert!((comparison.rows[1].weight - odds / (1.0 + odds)).abs() < 1e-15);
        assert!(comparison.rows[2].weight.is_nan() && comparison.rows[2].difference.is_nan());
        assert_eq!(comparison.n_observations, None);
    }

    #[test]
    fn evidence_gives_probabilities_and_the_errors_of_both() {
        let of = |estimate: f64, se: f64| {
            let pointwise = Vec::new();
            Score { estimate, se, pointwise, criterion: Criterion::Evidence, ..kfold(vec![0.0; 2]) }
        };
        let scores = [of(-100.0, 0.3), of(-98.0, 0.4)];
        let comparison = Comparison::of(&[(1, &scores[0]), (2, &scores[1])]).unwrap();
        let [best, other] = [&comparison.rows[0], &comparison.rows[1]];
        assert_eq!((best.components, best.difference, best.difference_se), (2, 0.0, 0.0));
        assert!((other.difference + 2.0).abs() < 1e-12 && (other.difference_se - 0.5).abs() < 1e-12);
        assert!((other.weight / best.weight - (-2.0_f64).exp()).abs() < 1e-12);
    }

    #[test]
    fn paired_errors_forget_what_is_hard_for_every_model() {
        let hard: Vec<f64> = (0..40).map(|i| -f64::from(i)).collect();
        let easier: Vec<f64> = hard.iter().map(|elpd| elpd + 0.5).collect();
        let (a, b) = (kfold(hard), kfold(easier));
        let comparison = Comparison::of(&[(1, &a), (2, &b)]).unwrap();
        assert!(
            (comparison.rows[1].difference + 20.0).abs() < 1e-12 && comparison.rows[1].difference_se < 1e-12
        );
        assert!(comparison.rows[1].se > 70.0);
    }

    #[test]
    fn an_impossible_model_is_last_and_infinitely_behind() {
        let (a, b) = (kfold(vec![f64::NEG_INFINITY, -1.0]), kfold(vec![-3.0, -3.0]));
        let comparison = Comparison::of(&[(1, &a), (2, &b)]).unwrap();
        assert_eq!(comparison.rows[1].components, 1);
        assert_eq!(comparison.rows[1].difference, f64::NEG_INFINITY);
    }

    #[test]
    fn what_does_not_compare_is_refused() {
        let (a, b) = (aic(-1.0, 2), bic(-1.0, 2, 10));
        let (short, long) = (kfold(vec![-1.0; 3]), kfold(vec![-1.0; 4]));
        let refusal = |scores: &[(usize, &Score)]| Comparison::of(scores).unwrap_err().to_string();
        assert_eq!(refusal(&[]), "there are no scores to compare");
        assert_eq!(
            refusal(&[(1, &a), (2, &b)]),
            "K = 2 is scored by BIC, the first model by AIC: their scales differ"
        );
        assert_eq!(
            refusal(&[(1, &short), (2, &long)]),
            "K = 2 is scored on 4 observations, the first model on 3: scores of different data do not compare"
        );
        assert_eq!(refusal(&[(2, &a), (2, &a)]), "K = 2 is scored twice");
    }
}
