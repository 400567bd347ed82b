//! The answer to "how many components?", and the disagreement that it must not hide.

use gmm_scoring::{Criterion, Flag, Scale, Verdict};

use crate::results::Ranking;

/// Criteria that may give the answer, the most trustworthy first. Who names groups says that their rows are not independent, and
/// only holding out whole groups allows for that. K-fold's fits never saw the rows they are scored on, not
/// even through the centroids that the prior is centred on; LOO and WAIC flatter such a prior. Of those of the maximised
/// likelihood BIC alone is consistent.
const PREFERENCE: [Criterion; 5] =
    [Criterion::Logo, Criterion::Kfold, Criterion::Loo, Criterion::Waic, Criterion::Bic];

/// A number of components, with its reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub components: usize,
    /// The criterion that the answer is taken from.
    pub criterion: Criterion,
    /// In a few words.
    pub headline: String,
    /// Sentences: why, who agrees, who does not.
    pub reasons: Vec<String>,
}

/// The K that a criterion speaks for: of predictions the simplest that it cannot tell from its best, since a spare component
/// costs predictions next to nothing; its best, for the others, which charge for components.
#[must_use]
pub fn choice(verdict: &Verdict) -> usize {
    if verdict.criterion.scale() == Scale::Prediction { verdict.smallest } else { verdict.best }
}

impl Answer {
    /// None where nothing was scored.
    #[must_use]
    pub fn of(rankings: &[Ranking]) -> Option<Self> {
        let verdicts: Vec<(&Ranking, &Verdict)> =
            rankings.iter().filter_map(|ranking| Some((ranking, ranking.verdict.as_ref()?))).collect();
        let (ranking, verdict) = PREFERENCE
            .iter()
            .find_map(|wanted| verdicts.iter().find(|(ranking, _)| ranking.criterion == *wanted))
            .or(verdicts.first())?;
        let components = choice(verdict);
        let mut reasons = vec![verdict.to_string()];

        let others = || verdicts.iter().filter(|(other, _)| other.criterion != ranking.criterion);
        let agreeing: Vec<&str> = others()
            .filter(|(_, other)| choice(other) == components)
            .map(|(r, _)| r.criterion.title())
            .collect();
        let disagreeing: Vec<String> = others()
            .filter(|(_, other)| choice(other) != components)
            .map(|(r, other)| format!("{} K = {}", r.criterion.title(), choice(other)))
            .collect();
        match (agreeing.is_empty(), disagreeing.is_empty()) {
            (true, true) => {}
            (false, true) => reasons.push(format!("{} agree{}.", join(&agreeing), plural(agreeing.len()))),
            (true, false) => reasons.push(format!("No other criterion agrees: {}.", disagreeing.join(", "))),
            (false, false) => reasons.push(format!(
                "{} agree{}, but not all criteria do: {}.",
                join(&agreeing),
                plural(agreeing.len()),
                disagreeing.join(", ")
            )),
        }
        if let [(_, first), rest @ ..] = ranking.best_by_seed.as_slice() {
            reasons.push(if rest.iter().all(|(_, best)| best == first) {
                format!("All {} seeds rank K = {first} first.", ranking.best_by_seed.len())
            } else {
                let by_seed: Vec<String> =
                    ranking.best_by_seed.iter().map(|(seed, best)| format!("seed {seed}: {best}")).collect();
                format!("Seeds differ in the K that they rank first ({}).", by_seed.join(", "))
            });
        }
        let doubtful = verdict.flags.iter().any(|flag| match flag {
            Flag::Unreliable { components: doubted } => {
                doubted.contains(&components) || doubted.contains(&verdict.best)
            }
            Flag::LargestIsBest { .. } => true,
            _ => false,
        });
        let tail = if doubtful {
            ", with reservations"
        } else if disagreeing.is_empty() {
            ""
        } else {
            ", and the criteria disagree"
        };
        let headline = format!("K = {components}{tail}");
        Some(Self { components, criterion: ranking.criterion, headline, reasons })
    }
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "s" } else { "" }
}

fn join(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}
