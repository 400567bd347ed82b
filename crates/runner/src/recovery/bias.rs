//! How much predictive criteria flatter: their estimates less what fresh observations say that the fits are worth.

use crate::study::job::ModelKey;
use gmm_scoring::Criterion;

use super::outcome::{Outcome, OutcomeRow};

/// One criterion at one K, averaged over data sets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bias {
    pub prior: usize,
    pub criterion: Criterion,
    pub model: ModelKey,
    /// Data sets.
    pub n: usize,
    /// Estimate less truth, in nats over all observations: positive where the criterion promises too much.
    pub excess: Mean,
    /// Estimate less that of K-fold on the same data sets. The truth, and most of what data sets differ in, cancels. NaN of K-fold
    /// itself, and where it was not asked for.
    pub over_kfold: Mean,
}

/// A mean over data sets with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    pub mean: f64,
    pub se: f64,
}

impl Mean {
    /// Of values, one a data set.
    #[must_use]
    pub fn from_values(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self { mean, se: (squares / (n - 1.0) / n).sqrt() }
    }
}

/// Of every prior, predictive criterion and K that fresh observations judged; in that order.
#[must_use]
pub fn biases(outcomes: &[Outcome]) -> Vec<Bias> {
    let judged = |row: &&OutcomeRow| row.criterion.higher_is_better() && !row.expected.is_nan();
    let key = |row: &OutcomeRow| (row.prior, row.criterion, row.row.model);
    let mut keys: Vec<(usize, Criterion, ModelKey)> =
        outcomes.iter().flat_map(|outcome| &outcome.rows).filter(judged).map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    let find = |outcome: &Outcome, wanted| {
        let row = outcome.rows.iter().filter(judged).find(|row| key(row) == wanted);
        row.filter(|row| row.row.estimate.is_finite()).cloned()
    };
    keys.into_iter()
        .map(|(prior, criterion, model)| {
            let rows = || {
                outcomes
                    .iter()
                    .filter_map(|outcome| Some((outcome, find(outcome, (prior, criterion, model))?)))
            };
            let excess: Vec<f64> = rows().map(|(_, row)| row.row.estimate - row.expected).collect();
            let over_kfold: Vec<f64> = rows()
                .filter(|_| criterion != Criterion::Kfold)
                .filter_map(|(outcome, row)| {
                    let kfold = find(outcome, (prior, Criterion::Kfold, model))?;
                    Some(row.row.estimate - kfold.row.estimate)
                })
                .collect();
            let (n, excess, over_kfold) =
                (excess.len(), Mean::from_values(&excess), Mean::from_values(&over_kfold));
            Bias { prior, criterion, model, n, excess, over_kfold }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use gmm_scoring::Row;

    use super::*;

    #[test]
    fn estimates_are_held_against_the_truth_of_their_own_data_set() {
        let row = |criterion, estimate, expected| OutcomeRow {
            prior: 0,
            criterion,
            row: Row {
                model: ModelKey::full(2),
                estimate,
                se: 1.0,
                mcse: f64::NAN,
                difference: 0.0,
                difference_se: 0.0,
                difference_mcse: f64::NAN,
                weight: 1.0,
                reliable: true,
            },
            expected,
        };
        let outcome = |loo, kfold, expected| Outcome {
            rows: vec![
                row(Criterion::Bic, 1.0, expected),
                row(Criterion::Loo, loo, expected),
                row(Criterion::Kfold, kfold, expected),
            ],
            ..Outcome::default()
        };
        let found = biases(&[outcome(-99.0, -103.0, -100.0), outcome(-195.0, -200.0, -198.0)]);
        assert_eq!(found.len(), 2);
        let [loo, kfold] = [found[0], found[1]];
        assert_eq!((loo.criterion, loo.model, loo.n), (Criterion::Loo, ModelKey::full(2), 2));
        assert_eq!(loo.excess, Mean { mean: 2.0, se: 1.0 });
        assert_eq!(loo.over_kfold, Mean { mean: 4.5, se: 0.5 });
        assert_eq!(kfold.excess, Mean { mean: -2.5, se: 0.5 });
        assert!(kfold.over_kfold.mean.is_nan());
        assert!(biases(&[outcome(-99.0, -103.0, f64::NAN)]).is_empty());
    }
}
