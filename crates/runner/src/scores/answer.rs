//! The answer to "how many components?", and the disagreement that it must not hide.

use std::collections::BTreeMap;

use gmm_scoring::{Criterion, Difference, Flag, SMALL_ELPD_DIFFERENCE, Scale, Verdict};

use crate::scores::digest::ScoreRow;
use crate::scores::results::Ranking;
use crate::study::spec::PriorSpec;

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
    pub fn of(prior: &PriorSpec, rankings: &[Ranking], scores: &[ScoreRow]) -> Option<Self> {
        let verdicts: Vec<(&Ranking, &Verdict)> =
            rankings.iter().filter_map(|ranking| Some((ranking, ranking.verdict.as_ref()?))).collect();
        let (ranking, verdict) = Criterion::ranked()
            .into_iter()
            .filter_map(|wanted| verdicts.iter().find(|(ranking, _)| ranking.criterion == wanted))
            .find(|(ranking, _)| may_answer(prior, ranking))
            .or(verdicts.first())?;
        let components = choice(verdict);
        let mut reasons = vec![verdict.to_string()];

        let agreeing: Vec<&str> = verdicts
            .iter()
            .filter(|(other, verdict)| other.criterion != ranking.criterion && choice(verdict) == components)
            .map(|(other, _)| other.criterion.title())
            .collect();
        if !agreeing.is_empty() {
            reasons.push(format!("{} agree{}.", join(&agreeing), plural(agreeing.len())));
        }
        let disagreement = disagreement(&verdicts);
        let disagree = disagreement.is_some();
        reasons.extend(disagreement);
        reasons.extend(flattery(components, scores));
        if let [(_, first), rest @ ..] = ranking.best_by_seed.as_slice() {
            reasons.push(if rest.iter().all(|(_, best)| best == first) {
                let all = match ranking.best_by_seed.len() {
                    2 => "Both seeds".to_owned(),
                    n => format!("All {n} seeds"),
                };
                format!("{all} rank K = {first} first.")
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
        } else if disagree {
            ", and the criteria disagree"
        } else {
            ""
        };
        let headline = format!("K = {components}{tail}");
        Some(Self { components, criterion: ranking.criterion, headline, reasons })
    }
}

/// Whether a ranking may give the answer: evidence only under a prior that it is evidence of, and where its best is to be trusted.
fn may_answer(prior: &PriorSpec, ranking: &Ranking) -> bool {
    ranking.criterion.scale() != Scale::Evidence
        || prior.precedes_data() && ranking.comparison.rows.first().is_some_and(|best| best.reliable)
}

/// The Ks that criteria choose, and what each of these asks, where they do not all choose one. An average of them would answer
/// nobody's question.
fn disagreement(verdicts: &[(&Ranking, &Verdict)]) -> Option<String> {
    let mut by_choice: BTreeMap<usize, Vec<Criterion>> = BTreeMap::new();
    for (ranking, verdict) in verdicts {
        by_choice.entry(choice(verdict)).or_default().push(ranking.criterion);
    }
    let (least, most) = (by_choice.keys().next()?, by_choice.keys().next_back()?);
    if least == most {
        return None;
    }
    let sides: Vec<String> = by_choice
        .iter()
        .map(|(components, criteria)| {
            // One meaning is told once, for all that share it.
            let mut meanings: Vec<(&str, Vec<&str>)> = Vec::new();
            for criterion in criteria {
                match meanings.iter_mut().find(|(known, _)| *known == criterion.descriptor().rationale) {
                    Some((_, titles)) => titles.push(criterion.title()),
                    None => meanings.push((criterion.descriptor().rationale, vec![criterion.title()])),
                }
            }
            let told: Vec<String> = meanings
                .iter()
                .map(|(meaning, titles)| format!("{meaning} ({})", titles.join(", ")))
                .collect();
            format!("K = {components} {}", told.join(", and "))
        })
        .collect();
    Some(format!(
        "The criteria disagree, from {least} to {most} components, because they ask different things. {}.",
        sides.join("; ")
    ))
}

/// By how much PSIS-LOO exceeds K-fold at one K, where that is too much for chance.
fn flattery(components: usize, scores: &[ScoreRow]) -> Option<String> {
    let of = |criterion: Criterion| {
        scores.iter().find(|row| row.components == components && row.score.criterion == criterion)
    };
    let (loo, kfold) = (of(Criterion::Loo)?, of(Criterion::Kfold)?);
    let Difference { estimate: difference, se, .. } = Difference::new(&loo.score, &kfold.score);
    (difference > SMALL_ELPD_DIFFERENCE && difference > 2.0 * se).then(|| {
        format!(
            "At K = {components} PSIS-LOO promises {difference:.1} ± {se:.1} nats more than K-fold keeps: a prior or a scale that was \
             taken from all rows has seen the row that LOO leaves out, and folds train on fewer rows."
        )
    })
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
