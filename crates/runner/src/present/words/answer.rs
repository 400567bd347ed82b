//! The answer and the verdicts it rests on, in words.

use gmm_scoring::{Criterion, FEW_TERMS, Flag, Scale, Verdict};

use super::list::{grouped, list, models};
use crate::scores::answer::{Answer, Prediction};
use crate::scores::clusters::Clusters;
use crate::scores::probabilities::{Doubt, Probabilities, Probability};
use crate::study::job::ModelKey;

/// Why nothing answers: of N rows and D columns no criterion has a score at any K.
#[must_use]
pub fn no_answer(n_observations: usize, n_features: usize) -> String {
    if n_observations <= n_features {
        format!(
            "No answer: {n_observations} rows determine no covariance matrix of {n_features} columns. Use fewer columns or more \
             rows."
        )
    } else {
        "No answer: no criterion has a score at any K. The notes on the page say why.".to_owned()
    }
}

/// The answer in a few words.
#[must_use]
pub fn headline(answer: &Answer) -> String {
    if let Some(found) = &answer.probabilities {
        return format!("{}, probability {}", answer.model, with_error(&found.most_probable()));
    }
    let qualifier = if answer.is_unreliable() {
        " (unreliable)"
    } else if answer.is_at_the_largest() {
        " (the largest K with a score)"
    } else if answer.criteria_disagree() {
        " (the criteria disagree)"
    } else {
        ""
    };
    format!("{}{qualifier}", answer.model)
}

/// "probability 0.92 (4: 0.08)": that of the most probable K, and those of others that are not negligible.
#[must_use]
pub fn probability(found: &Probabilities) -> String {
    let best = found.most_probable();
    let mut others: Vec<&Probability> = found
        .of_each
        .iter()
        .filter(|entry| entry.model != best.model && entry.probability >= SMALLEST_SHOWN)
        .collect();
    others.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let others: Vec<String> = others
        .iter()
        .take(OTHERS_SHOWN)
        .map(|other| format!("{}: {}", other.model.label(), two_digits(other.probability)))
        .collect();
    let text = format!("probability {}", with_error(&best));
    if others.is_empty() { text } else { format!("{text} ({})", others.join(", ")) }
}

/// Probabilities of other K below this are not shown beside the answer.
const SMALLEST_SHOWN: f64 = 0.005;
const OTHERS_SHOWN: usize = 3;

/// A probability with its standard error, where that shows in two digits.
fn with_error(of: &Probability) -> String {
    let text = two_digits(of.probability);
    if of.error < 0.005 || text.contains(' ') { text } else { format!("{text} ± {:.2}", of.error) }
}

/// A probability with two digits; never 1.00 or 0.00, which nothing measured is.
#[must_use]
pub fn two_digits(probability: f64) -> String {
    match probability {
        p if p > 0.995 => "above 0.99".to_owned(),
        p if p < 0.005 => "below 0.01".to_owned(),
        p => format!("{p:.2}"),
    }
}

/// The lines that answer, each with its name.
#[must_use]
pub fn lines(answer: &Answer, clusters: Option<&Clusters>) -> Option<Vec<String>> {
    let found = answer.probabilities.as_ref()?;
    let mut lines = vec![format!("Components   {:<3} {}", answer.model.label(), probability(found))];
    lines.extend(clusters.map(|Clusters { clustering, clear, agreement, .. }| {
        let share = 100.0 * clear;
        let agreement =
            agreement.map_or_else(String::new, |index| format!(" (adjusted Rand index {index:.2})"));
        let n = clustering.n_clusters;
        format!("Clusters     {n:<3} {share:.0} % of rows assigned with probability above 0.9{agreement}")
    }));
    lines.extend(answer.prediction.as_ref().map(prediction));
    Some(lines)
}

fn prediction(found: &Prediction) -> String {
    let Prediction { smallest, best, lead, lead_se } = found;
    let why = if smallest == best {
        // Of one component there is no smaller K.
        let ahead = if best.components > 1 { "; no smaller K comes near" } else { "" };
        format!("best prediction of held-out rows{ahead}")
    } else {
        format!(
            "smallest K that predicts held-out rows as well as the best ({}: {lead:+.1} ± {lead_se:.1} nats)",
            best.label()
        )
    };
    format!("Prediction   {:<3} {why}", smallest.label())
}

/// What could change the answer's lines, a sentence each.
#[must_use]
pub fn doubts(answer: &Answer) -> Vec<String> {
    answer.doubts().iter().map(doubt).collect()
}

fn doubt(doubt: &Doubt) -> String {
    let have = |models: &[ModelKey], one: &'static str, more: &'static str| {
        if models.len() == 1 { one } else { more }
    };
    match doubt {
        Doubt::LargestIsProbable { model, probability } => format!(
            "{model} is the largest K tried and has probability {}: try larger ones.",
            two_digits(*probability)
        ),
        Doubt::NoEvidence { models: ks } => format!(
            "{} {} no evidence, so {} not judged.",
            models(ks, "and"),
            have(ks, "has", "have"),
            have(ks, "it is", "they are")
        ),
        Doubt::Unreliable { models: ks } => format!(
            "The evidence of {} is rough, because components coincide there: {} may be more or less probable.",
            models(ks, "and"),
            have(ks, "it", "they")
        ),
        Doubt::SearchesDiffer { models: ks, nats } => format!(
            "Two searches for modes ended {nats:.0} nats apart: {} may be more probable.",
            models(ks, "or")
        ),
    }
}

/// Sentences: why, which criteria agree, which do not.
#[must_use]
pub fn reasons(answer: &Answer) -> Vec<String> {
    if answer.probabilities.is_some() {
        let others = answer.choices.iter().filter(|(model, _)| **model != answer.model);
        let others = others.map(|(model, criteria)| {
            let verb = if criteria.len() == 1 { "prefers" } else { "prefer" };
            format!("{} {verb} {model}.", list(criteria, "and"))
        });
        return doubts(answer).into_iter().chain(others).collect();
    }
    let mut reasons = vec![verdict(&answer.verdict, &answer.unscored)];
    let agreeing: Vec<Criterion> = answer.agreeing().collect();
    if !agreeing.is_empty() {
        let agree = if agreeing.len() == 1 { "agrees" } else { "agree" };
        reasons.push(format!("{} {agree}.", list(&agreeing, "and")));
    }
    if answer.criteria_disagree() {
        reasons.push("The criteria disagree, because they ask different questions:".to_owned());
        reasons.extend(answer.choices.iter().map(|(model, criteria)| side(*model, criteria)));
    }
    if let Some(excess) = answer.optimism {
        reasons.push(format!(
            "At {} PSIS-LOO exceeds K-fold by {:.1} ± {:.1} nats, so PSIS-LOO is probably optimistic: its prior and scaling \
             may depend on the row that it leaves out. K-fold also trains on fewer rows.",
            answer.model, excess.estimate, excess.se
        ));
    }
    reasons.extend(seeds(&answer.best_by_seed));
    reasons
}

/// One model and why criteria choose it.
fn side(model: ModelKey, criteria: &[Criterion]) -> String {
    // One rationale is given once, for all that share it.
    let sides = grouped(criteria.iter().map(|criterion| (criterion.descriptor().rationale, *criterion)));
    let sides = sides.iter().map(|(rationale, criteria)| match criteria[..] {
        [only] if rationale.contains(only.title()) => (*rationale).to_owned(),
        _ => format!("{rationale} ({})", list(criteria, "and")),
    });
    format!("{model} {}.", sides.collect::<Vec<_>>().join(". It "))
}

fn seeds(best_by_seed: &[(u64, ModelKey)]) -> Option<String> {
    let [(_, first), rest @ ..] = best_by_seed else { return None };
    Some(if rest.iter().all(|(_, best)| best == first) {
        let all = match best_by_seed.len() {
            2 => "Both seeds".to_owned(),
            n => format!("All {n} seeds"),
        };
        format!("{all} rank {first} first.")
    } else {
        let by_seed = best_by_seed.iter().map(|(seed, best)| format!("seed {seed}: {}", best.components));
        format!("The best K depends on the seed ({}): raise `draws`.", by_seed.collect::<Vec<_>>().join(", "))
    })
}

/// What one criterion says, with what to do about its flags. `unscored` are the Ks that were tried and have no score by it.
#[must_use]
pub fn verdict(verdict: &Verdict<ModelKey>, unscored: &[ModelKey]) -> String {
    let Verdict { criterion, best, smallest, .. } = verdict;
    let others: Vec<ModelKey> =
        verdict.indistinguishable.iter().copied().filter(|model| model != best).collect();
    let are = if others.len() == 1 { "is" } else { "are" };
    let unreliable = verdict.flags.iter().any(|flag| matches!(flag, Flag::Unreliable { .. }));
    let mut text = format!("{criterion} is best at {best}");
    text += &match (others.as_slice(), smallest < best) {
        ([], _) if verdict.n_scored == 1 => ", the only K with a score.".to_owned(),
        ([], _) if unreliable => ", ahead of every other K.".to_owned(),
        ([], _) => ", clearly ahead of every other K.".to_owned(),
        // A criterion that charges for components has charged; no smaller K is to be preferred on top of that.
        _ if criterion.scale() != Scale::Prediction => format!(
            "; {} {are} within {} of it, a difference too small to matter.",
            models(&others, "and"),
            verdict.small_difference()
        ),
        (_, true) => format!(
            "; {} {are} indistinguishable from it. {smallest} is the smallest of these.",
            models(&others, "and")
        ),
        (_, false) => {
            format!("; {} {are} indistinguishable from it, but no smaller K is.", models(&others, "and"))
        }
    };
    for flag in &verdict.flags {
        text.push(' ');
        text += &self::flag(flag, unscored);
    }
    text
}

fn flag(flag: &Flag<ModelKey>, unscored: &[ModelKey]) -> String {
    match flag {
        Flag::LargestIsBest { model: largest } => {
            let larger: Vec<ModelKey> = unscored.iter().copied().filter(|model| model > largest).collect();
            if larger.is_empty() {
                format!("{largest} is the largest K tried: try larger ones.")
            } else {
                let were = if larger.len() == 1 { "was" } else { "were" };
                format!(
                    "{largest} is the largest K with a score: {} {were} tried and failed.",
                    models(&larger, "and")
                )
            }
        }
        Flag::Unreliable { models: ks } => {
            let (scores, are) = if ks.len() == 1 { ("score", "is") } else { ("scores", "are") };
            format!("The {scores} at {} {are} unreliable.", models(ks, "and"))
        }
        Flag::Undefined { models: ks } => {
            let have = if ks.len() == 1 { "has" } else { "have" };
            format!("{} {have} no score.", models(ks, "and"))
        }
        Flag::FewTerms { n_terms, terms } => format!(
            "With {n_terms} {} (fewer than {FEW_TERMS}) the standard errors of differences are rough.",
            terms.name()
        ),
        Flag::ManyModels { n_models } => format!(
            "With {n_models} models, part of the best one's lead is chance; prefer the smallest indistinguishable K."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gmm_scoring::{Comparison, Score, bic, kfold};

    fn words(scores: &[(usize, Score)], unscored: &[usize]) -> String {
        let borrowed: Vec<(ModelKey, &Score)> =
            scores.iter().map(|(k, score)| (ModelKey::full(*k), score)).collect();
        let unscored: Vec<ModelKey> = unscored.iter().copied().map(ModelKey::full).collect();
        verdict(&Verdict::new(&Comparison::new(&borrowed).unwrap()).unwrap(), &unscored)
    }

    /// A held-out score of 200 observations: `mean` each, give or take 0.1 in a pattern that the seed moves.
    fn predictive(mean: f64, seed: usize) -> Score {
        kfold((0..200).map(|i| mean + 0.1 * (((i * 7 + seed * 3) % 11) as f64 - 5.0)).collect())
    }

    #[test]
    fn a_firm_verdict_names_one_number() {
        let scores = [(1, bic(-500.0, 5, 200)), (2, bic(-400.0, 11, 200)), (3, bic(-395.0, 17, 200))];
        assert_eq!(words(&scores, &[]), "BIC is best at K = 2, clearly ahead of every other K.");
    }

    #[test]
    fn a_deviance_within_two_is_named_and_the_best_stays() {
        let scores = [(1, bic(-416.8, 5, 200)), (2, bic(-400.0, 11, 200)), (3, bic(-395.0, 17, 200))];
        assert_eq!(
            words(&scores, &[]),
            "BIC is best at K = 2; K = 1 is within 2 of it, a difference too small to matter."
        );
    }

    #[test]
    fn the_smallest_indistinguishable_prediction_is_named() {
        let scores = [
            (1, predictive(-2.0, 0)),
            (2, predictive(-1.01, 1)),
            (3, predictive(-1.0, 2)),
            (4, predictive(-1.005, 3)),
        ];
        assert_eq!(
            words(&scores, &[]),
            "K-fold is best at K = 3; K = 2 and 4 are indistinguishable from it. K = 2 is the smallest of these."
        );
    }

    #[test]
    fn ks_that_were_tried_and_failed_are_not_called_untried() {
        let scores = [(2, bic(-500.0, 5, 200)), (3, bic(-400.0, 11, 200))];
        assert!(words(&scores, &[]).ends_with("K = 3 is the largest K tried: try larger ones."));
        assert!(
            words(&scores, &[1, 4, 5, 6, 7, 8])
                .ends_with("K = 3 is the largest K with a score: K = 4 to 8 were tried and failed.")
        );
    }
}
