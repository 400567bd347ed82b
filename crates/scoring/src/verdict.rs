//! What a comparison says: which model it prefers, and how firmly.

use crate::comparison::{Comparison, Row};
use crate::criterion::Criterion;
use crate::descriptor::Scale;
use crate::terms::Terms;

/// Predictive differences smaller than this, in nats, are small whatever their standard error says, which is least reliable
/// when they are: Sivula, Magnusson, Matamoros & Vehtari (2020).
pub const SMALL_ELPD_DIFFERENCE: f64 = 4.0;

/// Standard errors within which a difference could be chance. Two, the customary 95 % of a normal: Sivula et al. (2020) show that the
/// errors are themselves estimated, and too small more often than too large.
const SMALL_DIFFERENCE_IN_SE: f64 = 2.0;

/// Deviance-scale differences below this are "not worth more than a bare mention": Kass & Raftery (1995), section 3.2.
const SMALL_DEVIANCE_DIFFERENCE: f64 = 2.0;

/// The same of log evidence, in nats.
const SMALL_EVIDENCE_DIFFERENCE: f64 = 1.0;

/// Fewer terms than this leave the standard error of a difference doubtful: Sivula et al. (2020).
pub const FEW_TERMS: usize = 100;

/// With more models than this the best of them is partly lucky: `loo` warns from the same number on (McLatchie & Vehtari 2024).
const MANY_MODELS: usize = 11;

/// Which model one criterion prefers, and how firmly.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict<M> {
    /// The criterion.
    pub criterion: Criterion,
    /// The model of the best estimate.
    pub best: M,
    /// The models that are indistinguishable from the best, itself included; ascending.
    pub indistinguishable: Vec<M>,
    /// The least of those: what to prefer if fewer components are easier to live with.
    pub smallest: M,
    /// Models that have a score.
    pub n_scored: usize,
    /// Reasons for doubt.
    pub flags: Vec<Flag<M>>,
}

/// A reason to doubt a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flag<M> {
    /// The best model is the largest that has a score: a larger one may be better still.
    LargestIsBest {
        /// Its key.
        model: M,
    },
    /// The scores of these models are unreliable by their own diagnostics.
    Unreliable {
        /// Ascending.
        models: Vec<M>,
    },
    /// These models have no score.
    Undefined {
        /// Ascending.
        models: Vec<M>,
    },
    /// Standard errors of differences need more terms than these.
    FewTerms {
        /// How many there are.
        n_terms: usize,
        /// What they are of.
        terms: Terms,
    },
    /// So many models were compared that the best looks better than it is.
    ManyModels {
        /// How many.
        n_models: usize,
    },
}

impl<M: Copy + Ord> Verdict<M> {
    /// What a comparison says; `None` if no score is a number.
    #[must_use]
    pub fn new(comparison: &Comparison<M>) -> Option<Self> {
        let criterion = comparison.criterion;
        let best = comparison.rows.first().filter(|row| !row.estimate.is_nan())?;
        let close = comparison.rows.iter().filter(|row| row.model == best.model || is_close(criterion, row));
        let mut indistinguishable: Vec<M> = close.map(|row| row.model).collect();
        indistinguishable.sort_unstable();
        let (best, smallest) = (best.model, indistinguishable[0]);
        let n_scored = comparison.rows.iter().filter(|row| !row.estimate.is_nan()).count();
        Some(Self { criterion, best, smallest, indistinguishable, n_scored, flags: flags(comparison, best) })
    }
}

impl<M> Verdict<M> {
    /// Differences below this, on the criterion's scale, are too small to count.
    #[must_use]
    pub fn small_difference(&self) -> f64 {
        small_difference(self.criterion)
    }
}

fn small_difference(criterion: Criterion) -> f64 {
    match criterion.scale() {
        Scale::Prediction => SMALL_ELPD_DIFFERENCE,
        Scale::Deviance => SMALL_DEVIANCE_DIFFERENCE,
        Scale::Evidence => SMALL_EVIDENCE_DIFFERENCE,
    }
}

/// Whether a model's difference to the best is too small to count, or too uncertain.
fn is_close<M>(criterion: Criterion, row: &Row<M>) -> bool {
    let loss = criterion.loss(row.difference, 0.0);
    // A NaN error is no reason.
    loss < small_difference(criterion) || loss < SMALL_DIFFERENCE_IN_SE * row.difference_error(criterion)
}

fn flags<M: Copy + Ord>(comparison: &Comparison<M>, best: M) -> Vec<Flag<M>> {
    let rows = &comparison.rows;
    let those = |wanted: fn(&Row<M>) -> bool| {
        let mut models: Vec<M> = rows.iter().filter(|row| wanted(row)).map(|row| row.model).collect();
        models.sort_unstable();
        (!models.is_empty()).then_some(models)
    };
    let scored = rows.iter().filter(|row| !row.estimate.is_nan());
    let largest = scored.map(|row| row.model).max();
    let few = comparison.n_terms.filter(|n| *n < FEW_TERMS && rows.len() > 1);
    let few = few.zip(comparison.criterion.descriptor().terms);
    [
        (rows.len() > 1 && largest == Some(best)).then_some(Flag::LargestIsBest { model: best }),
        those(|row| !row.reliable && !row.estimate.is_nan()).map(|models| Flag::Unreliable { models }),
        those(|row| row.estimate.is_nan()).map(|models| Flag::Undefined { models }),
        few.map(|(n_terms, terms)| Flag::FewTerms { n_terms, terms }),
        (rows.len() > MANY_MODELS).then_some(Flag::ManyModels { n_models: rows.len() }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::{bic, kfold};
    use crate::score::Score;

    fn verdict(scores: &[(usize, Score)]) -> Verdict<usize> {
        let borrowed: Vec<(usize, &Score)> = scores.iter().map(|(k, score)| (*k, score)).collect();
        Verdict::new(&Comparison::new(&borrowed).unwrap()).unwrap()
    }

    /// A held-out score of `n` observations: `mean` each, give or take `spread` in a pattern that the seed moves.
    fn predictive(n: usize, mean: f64, spread: f64, seed: usize) -> Score {
        kfold((0..n).map(|i| mean + spread * (((i * 7 + seed * 3) % 11) as f64 - 5.0)).collect())
    }

    #[test]
    fn a_firm_verdict_names_one_number() {
        let scores = [(1, bic(-500.0, 5, 200)), (2, bic(-400.0, 11, 200)), (3, bic(-395.0, 17, 200))];
        let verdict = verdict(&scores);
        assert_eq!(
            (verdict.best, verdict.smallest, verdict.indistinguishable.as_slice()),
            (2, 2, [2].as_slice())
        );
        assert!(verdict.flags.is_empty());
    }

    #[test]
    fn a_deviance_within_two_is_named_and_the_best_stays() {
        let scores = [(1, bic(-416.8, 5, 200)), (2, bic(-400.0, 11, 200)), (3, bic(-395.0, 17, 200))];
        let verdict = verdict(&scores);
        assert_eq!((verdict.best, verdict.indistinguishable.as_slice()), (2, [1, 2].as_slice()));
    }

    #[test]
    fn a_single_score_is_ahead_of_nothing() {
        let verdict = verdict(&[(4, bic(-400.0, 11, 200))]);
        assert_eq!((verdict.best, verdict.n_scored), (4, 1));
    }

    #[test]
    fn small_predictive_differences_keep_the_smaller_model() {
        let scores = [
            (1, predictive(200, -2.0, 0.1, 0)),
            (2, predictive(200, -1.01, 0.1, 1)),
            (3, predictive(200, -1.0, 0.1, 2)),
            (4, predictive(200, -1.005, 0.1, 3)),
        ];
        let verdict = verdict(&scores);
        assert_eq!((verdict.best, verdict.smallest), (3, 2));
        assert_eq!(verdict.indistinguishable, [2, 3, 4]);
    }

    #[test]
    fn a_large_difference_within_two_standard_errors_is_not_a_difference() {
        let noisy = [(1, predictive(400, -2.05, 3.0, 0)), (2, predictive(400, -2.0, 3.0, 5))];
        let quiet = [(1, predictive(400, -2.05, 0.0, 0)), (2, predictive(400, -2.0, 0.0, 5))];
        assert_eq!(verdict(&noisy).smallest, 1);
        assert_eq!(verdict(&quiet).smallest, 2);
    }

    #[test]
    fn reservations_are_flagged() {
        let impossible = kfold([vec![-1.0; 49], vec![f64::NEG_INFINITY]].concat());
        let undefined = kfold(vec![f64::NAN; 50]);
        let verdict = verdict(&[(1, impossible), (2, undefined), (3, predictive(50, -1.0, 0.1, 0))]);
        let expected = [
            Flag::LargestIsBest { model: 3 },
            Flag::Unreliable { models: vec![1] },
            Flag::Undefined { models: vec![2] },
            Flag::FewTerms { n_terms: 50, terms: Terms::Observations },
        ];
        assert_eq!(
            (verdict.indistinguishable.as_slice(), verdict.flags.as_slice()),
            ([3].as_slice(), expected.as_slice())
        );
        let many: Vec<(usize, Score)> = (1..=12).map(|k| (k, bic(-100.0 - k as f64, 5 * k, 100))).collect();
        assert_eq!(self::verdict(&many).flags, [Flag::ManyModels { n_models: 12 }]);
    }

    #[test]
    fn nothing_defined_gives_no_verdict() {
        let undefined = kfold(vec![f64::NAN; 5]);
        let comparison = Comparison::new(&[(1, &undefined)]).unwrap();
        assert_eq!(Verdict::new(&comparison), None);
    }
}
