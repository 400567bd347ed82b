//! Everything that is known of a suite once its data sets are done.

use gmm_scoring::Criterion;

use super::bias::{Bias, biases};
use super::outcome::Outcome;
use super::tally::{Factor, Judge, Paired, Pick, Rule, Tally, factors};
use crate::study::design::Set;
use crate::study::spec::suite::SuiteSpec;

/// Outcomes, and what judges make of them.
pub struct Findings {
    pub spec: SuiteSpec,
    pub sets: Vec<Set>,
    /// In the order of the sets.
    pub outcomes: Vec<Outcome>,
    pub judges: Vec<Judge>,
    /// Of every judge, in the order of the sets.
    pub picks: Vec<Vec<Pick>>,
    pub factors: Vec<Factor>,
    pub biases: Vec<Bias>,
}

impl Findings {
    #[must_use]
    pub fn of(spec: SuiteSpec, sets: Vec<Set>, outcomes: Vec<Outcome>) -> Self {
        let judges = Judge::all(&spec);
        let of_judge = |judge: &Judge| {
            sets.iter().zip(&outcomes).map(|(set, outcome)| judge.pick(&spec, set, outcome)).collect()
        };
        let picks = judges.iter().map(of_judge).collect();
        let (factors, biases) = (factors(&spec, &sets), biases(&outcomes));
        Self { spec, sets, outcomes, judges, picks, factors, biases }
    }

    #[must_use]
    pub fn picks(&self, judge: Judge) -> &[Pick] {
        let position = self.judges.iter().position(|other| *other == judge);
        &self.picks[position.expect("every judge of a suite has its picks")]
    }

    /// Of some sets, by their index from 0, or of all.
    #[must_use]
    pub fn tally(&self, judge: Judge, only: Option<&[usize]>) -> Tally {
        let picks = self.picks(judge);
        let of = |i: usize| (picks[i], self.sets[i].components);
        match only {
            Some(indices) => Tally::of(indices.iter().map(|&i| of(i))),
            None => Tally::of((0..self.sets.len()).map(of)),
        }
    }

    /// A judge beside BIC, whose components have full covariances like the model's.
    #[must_use]
    pub fn against_bic(&self, judge: Judge) -> Option<Paired> {
        let bic = Judge { prior: 0, rule: Rule::Best(Criterion::Bic) };
        if judge == bic || !self.judges.contains(&bic) {
            return None;
        }
        let found = |judge: Judge, i: usize| self.picks(judge)[i].0 == Some(self.sets[i].components);
        Some(Paired::of((0..self.sets.len()).map(|i| (found(judge, i), found(bic, i)))))
    }

    /// Sets of which something is missing, each with the reason.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let failed = self.sets.iter().zip(&self.outcomes).filter(|(_, outcome)| !outcome.failure.is_empty());
        failed.map(|(set, outcome)| format!("set {}: {}", set.index, outcome.failure)).collect()
    }
}
