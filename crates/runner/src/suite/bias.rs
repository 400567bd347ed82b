//! How much predictive criteria flatter: their estimates less what fresh observations say that the fits are worth.

use gmm_scoring::Criterion;

use super::outcome::{Outcome, OutcomeRow};

/// One criterion at one K, averaged over data sets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bias {
    pub prior: usize,
    pub criterion: Criterion,
    pub components: usize,
    /// Data sets.
    pub n: usize,
    /// Mean of estimate less truth, in nats over all observations: positive where the criterion promises too much.
    pub mean: f64,
    /// Its standard error over data sets.
    pub se: f64,
}

/// Of every prior, predictive criterion and K that fresh observations judged; in that order.
#[must_use]
pub fn biases(outcomes: &[Outcome]) -> Vec<Bias> {
    let judged = |row: &&OutcomeRow| row.criterion.higher_is_better() && !row.expected.is_nan();
    let rows: Vec<&OutcomeRow> = outcomes.iter().flat_map(|outcome| &outcome.rows).filter(judged).collect();
    let mut keys: Vec<(usize, Criterion, usize)> =
        rows.iter().map(|row| (row.prior, row.criterion, row.row.components)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .map(|(prior, criterion, components)| {
            let excess: Vec<f64> = rows
                .iter()
                .filter(|row| {
                    (row.prior, row.criterion, row.row.components) == (prior, criterion, components)
                })
                .map(|row| row.row.estimate - row.expected)
                .filter(|excess| excess.is_finite())
                .collect();
            let n = excess.len() as f64;
            let mean = excess.iter().sum::<f64>() / n;
            let squares: f64 = excess.iter().map(|value| (value - mean).powi(2)).sum();
            Bias { prior, criterion, components, n: excess.len(), mean, se: (squares / (n - 1.0) / n).sqrt() }
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
                components: 2,
                estimate,
                se: 1.0,
                difference: 0.0,
                difference_se: 0.0,
                weight: 1.0,
                reliable: true,
            },
            expected,
        };
        let outcome = |loo, expected| Outcome {
            rows: vec![row(Criterion::Bic, 1.0, expected), row(Criterion::Loo, loo, expected)],
            ..Outcome::default()
        };
        let found = biases(&[outcome(-99.0, -100.0), outcome(-195.0, -198.0)]);
        let expected = Bias { prior: 0, criterion: Criterion::Loo, components: 2, n: 2, mean: 2.0, se: 1.0 };
        assert_eq!(found, [expected]);
        assert!(biases(&[outcome(-99.0, f64::NAN)]).is_empty());
    }
}
