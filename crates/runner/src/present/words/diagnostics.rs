//! What is wrong with fits and scores, in words: what was seen, and what to do.

use gmm_scoring::Diagnostic as Criterion;

use super::list::{counted, list, sentences};
use crate::engine::errors::REMEDY;
use crate::scores::diagnostic::{Diagnostic, RefitProblem, Remark, ScoreDiagnostic};
use crate::scores::rows::ScoreRow;

/// What is wrong with a fit.
#[must_use]
pub fn diagnostic(diagnostic: &Diagnostic) -> String {
    match diagnostic {
        Diagnostic::ChainsLeftOut { chains } => format!(
            "{} fell into the spike of tied observations (a σ far below the column's resolution) and {} left out. Under this prior the exact posterior is improper; {REMEDY}",
            numbered(chains),
            was(chains)
        ),
        Diagnostic::ChainsOnSpike { chains } => format!(
            "{} sit{} on tied observations (a σ far below the column's resolution). This mode is an artefact of rounding. A scale prior with less mass near 0 avoids it",
            numbered(chains),
            if chains.len() == 1 { "s" } else { "" }
        ),
        Diagnostic::UndefinedRhat => {
            "R-hat is undefined: too few draws, or draws that never change".to_owned()
        }
        Diagnostic::LargeRhat { rhat, span } => format!(
            "R-hat {rhat:.4}: the chains disagree, their mean log densities by {span:.1} nats. More draws help slow mixing, but not chains in different modes"
        ),
        Diagnostic::SmallEss { ess: Some(ess), key } => {
            format!("effective sample size {ess:.0}: raise `{}` or `chains`", key.name())
        }
        Diagnostic::SmallEss { ess: None, key } => {
            format!(
                "the effective sample size is undefined, with so few draws: raise `{}` or `chains`",
                key.name()
            )
        }
        Diagnostic::Divergences { divergences, n_draws } => format!(
            "{divergences} of {n_draws} draws diverged. Part of the posterior may be missing: raise `target_accept`"
        ),
        Diagnostic::SmallBfmi { bfmi, key } => {
            format!("E-BFMI {bfmi:.2}: the sampler explores energies slowly. Raise `{}`", key.name())
        }
        Diagnostic::Recorded(words) => words.clone(),
    }
}

/// Everything that is wrong with a fit, in sentences on one line.
#[must_use]
pub fn diagnostics(diagnostics: &[Diagnostic]) -> String {
    sentences(diagnostics.iter().map(diagnostic))
}

/// What slows a fit, or may surprise.
#[must_use]
pub fn remark(remark: &Remark) -> String {
    match remark {
        Remark::CutOffTrajectories { cut_off, n_draws } => format!(
            "{cut_off} of {n_draws} trajectories were cut off by `max_tree_depth`. The draws are right, and cost more than they need"
        ),
        Remark::LabelsSwitched { share } => {
            format!("labels switched in {:.1} % of draws. Summaries are of relabelled draws", 100.0 * share)
        }
    }
}

/// What a criterion's own diagnostic found.
#[must_use]
pub fn criterion(diagnostic: &Criterion) -> String {
    match diagnostic {
        Criterion::NotFinite => "the log-likelihood is not finite".to_owned(),
        Criterion::LargeVariance { n_bad, n_terms, threshold } => format!(
            "the log-likelihood of {n_bad} of {n_terms} observations has a posterior variance that exceeds {threshold} or is not finite. Use PSIS-LOO or K-fold"
        ),
        Criterion::LargeParetoK { n_bad, n_terms, threshold } => format!(
            "{n_bad} of {n_terms} observations have a Pareto k that exceeds {threshold:.2} or is not finite. Their terms are unreliable and probably too high. Use K-fold"
        ),
        Criterion::UndefinedDensity { n_bad, n_terms, terms } => {
            format!("{n_bad} of {n_terms} held-out {} have no finite log predictive density", terms.name())
        }
    }
}

/// What is to be said of a score beside that.
#[must_use]
pub fn score(diagnostic: &ScoreDiagnostic) -> String {
    match diagnostic {
        ScoreDiagnostic::Fit(fit) => self::diagnostic(fit),
        ScoreDiagnostic::DegenerateStarts { n_starts } => {
            format!("all {n_starts} starts of EM ended in a degenerate solution")
        }
        ScoreDiagnostic::TinyCluster { n_starts, min_count, min_eigenvalue } => format!(
            "every optimum of {n_starts} starts of EM depends on a tiny cluster. Its expected count is {min_count:.1}, its relative eigenvalue {min_eigenvalue:.1e}"
        ),
        ScoreDiagnostic::SpuriousOptimum { gain } => {
            format!("a spurious optimum {gain:.1} nats higher was rejected")
        }
        ScoreDiagnostic::ImproperPosterior => {
            "tied observations make the exact posterior improper. This evidence covers only its regular modes"
                .to_owned()
        }
        ScoreDiagnostic::PriorFromCentroids => {
            "the prior means are k-means centroids of the same data. This is not evidence in the strict sense".to_owned()
        }
        ScoreDiagnostic::PriorUnitFromData => "the prior takes its location or unit from the data".to_owned(),
        ScoreDiagnostic::NoEvidence(error) => error.to_string(),
        ScoreDiagnostic::LargeEvidenceError => {
            "the Monte Carlo error is as large as differences that matter. Raise `draws`".to_owned()
        }
        ScoreDiagnostic::HalvesDisagree { halves: [first, second] } => format!(
            "the halves of the chains give {first:.2} and {second:.2}. They differ by more than their errors allow"
        ),
        ScoreDiagnostic::NoLaplace(error) => error.to_string(),
        ScoreDiagnostic::NoRegularMode => {
            "every search for a mode ended in the spike of tied observations".to_owned()
        }
        ScoreDiagnostic::ComponentsCoincide => {
            "components coincide at the mode with the most evidence, where the posterior is not normal. The estimate is too high"
                .to_owned()
        }
        ScoreDiagnostic::SearchesDiffer { nats } => format!(
            "the modes of one of two searches have {nats:.1} nats more evidence than those of the other. There may be modes that neither found"
        ),
        ScoreDiagnostic::MeanOfPartitions { n, sd } => {
            format!("mean of {n} partitions, whose estimates have a standard deviation of {sd:.2}")
        }
        ScoreDiagnostic::LargeHeldOutError { mcse, se } => format!(
            "the Monte Carlo error {mcse:.2} is more than a tenth of the standard error {se:.2}. Raise `fold_draws`"
        ),
        ScoreDiagnostic::UnreliablePart { part, diagnostics, n_more } => {
            let more = match n_more {
                0 => "",
                1 => " One more part is unreliable",
                n => &format!(" {n} more parts are unreliable"),
            };
            let name = part.to_string();
            format!("{} is unreliable. {}{more}", name.trim_start_matches(", "), self::diagnostics(diagnostics))
        }
        ScoreDiagnostic::Refitted { n, threshold, n_fits, largest, change } => {
            let by = if *largest > 1 {
                format!("{}, each without up to {largest} of them", counted(*n_fits, "fit"))
            } else {
                "one fit each".to_owned()
            };
            format!(
                "{} with a Pareto k above {threshold:.2} refitted ({by}). This changed the estimate by {change:+.2}",
                counted(*n, "observation")
            )
        }
        ScoreDiagnostic::BadRefits { n, n_refits, first } => {
            let first = match first {
                RefitProblem::Failed(None) => "it was not run".to_owned(),
                RefitProblem::Failed(Some(reason)) => reason.clone(),
                RefitProblem::Unreliable(found) => diagnostics(found),
            };
            format!("{n} of {} failed or are unreliable. The first: {first}", counted(*n_refits, "refit"))
        }
    }
}

/// The note of a score: all that is to be said of it, in sentences on one line; empty if nothing is.
#[must_use]
pub fn note(row: &ScoreRow) -> String {
    let own = row.score.diagnostics.iter().map(criterion);
    sentences(own.chain(row.diagnostics.iter().map(score)))
}

/// "chain 2", "chains 2 and 4"; counted from 1, as people do.
fn numbered(chains: &[usize]) -> String {
    let noun = if chains.len() == 1 { "chain" } else { "chains" };
    format!("{noun} {}", list(chains.iter().map(|chain| chain + 1), "and"))
}

fn was(chains: &[usize]) -> &'static str {
    if chains.len() == 1 { "was" } else { "were" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_counted_from_one() {
        let left_out = |chains: &[usize]| diagnostic(&Diagnostic::ChainsLeftOut { chains: chains.to_vec() });
        assert!(left_out(&[1]).starts_with("chain 2 fell into the spike"), "{}", left_out(&[1]));
        assert!(left_out(&[1, 3]).starts_with("chains 2 and 4 fell into the spike"));
        assert!(left_out(&[1, 3]).contains(" and were left out. Under this prior"));
    }
}
