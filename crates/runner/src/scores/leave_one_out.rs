//! LOO of one fit: reweighted draws, and where they fail, fits without the observation.

use std::fmt;

use gmm_scoring::{khat_threshold, loo};

use super::diagnostic::{RefitProblem, ScoreDiagnostic};
use super::digest::Digest;
use crate::engine::task::Task;
use crate::scores::rows::ScoreRow;
use crate::storage::fits::HeldOut;
use crate::study::job::{Job, LeftOut, ModelKey, Variant};

/// How an observation's term came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Psis,
    /// By a fit without the observation.
    Refit,
    /// By a fit without so many, this one among them.
    RefitInFold(usize),
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Psis => f.write_str("psis"),
            Self::Refit => f.write_str("refit"),
            Self::RefitInFold(n) => write!(f, "refit in a fold of {n}"),
        }
    }
}

/// The terms of one model and seed.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaveOneOut {
    pub model: ModelKey,
    pub seed: u64,
    /// Its Monte Carlo error is NaN while a term is bad.
    pub score: ScoreRow,
    /// Of each observation, in nats.
    pub elpd: Vec<f64>,
    pub p: Vec<f64>,
    /// Of the reweighted draws, also where they were not used in the end.
    pub pareto_k: Vec<f64>,
    pub how: Vec<How>,
}

impl LeaveOneOut {
    /// Of a fit of all rows and the refits that its LOO needs, each with what it found or the reason why it found nothing (none if it was not run). None where LOO
    /// was not asked for. An observation whose refit failed, or is unreliable, stays bad.
    #[must_use]
    pub fn new(digest: &Digest, refits: &[(Task, Result<&HeldOut, Option<String>>)]) -> Option<Self> {
        let reweighted = digest.loo.as_ref()?;
        let n_draws = digest.health.n_draws;
        let mut points = reweighted.clone();
        let mut how = vec![How::Psis; points.len()];
        let (mut gain, mut variance) = (0.0, 0.0);
        let (mut refitted, mut largest, mut bad) = (0, 0, Vec::new());
        for (task, held_out) in refits {
            let held_out = match held_out {
                Ok(held_out) => held_out,
                Err(reason) => {
                    bad.push(RefitProblem::Failed(reason.clone()));
                    continue;
                }
            };
            let n = held_out.rows.len();
            variance += held_out.mcse * held_out.mcse;
            (refitted, largest) = (refitted + n, largest.max(n));
            for (&row, &elpd) in held_out.rows.iter().zip(&held_out.elpd) {
                how[row] = match task.job.variant {
                    Variant::LeaveOut(LeftOut::Fold(_)) if n > 1 => How::RefitInFold(n),
                    _ => How::Refit,
                };
                let mut point = reweighted[row].refitted(elpd);
                if !held_out.diagnostics.is_empty() {
                    point.pareto_k = reweighted[row].pareto_k;
                }
                gain += elpd - reweighted[row].elpd;
                points[row] = point;
            }
            if !held_out.diagnostics.is_empty() {
                bad.push(RefitProblem::Unreliable(held_out.diagnostics.clone()));
            }
        }

        let mut score = loo(&points, n_draws);
        let reweighted_alone = points.iter().zip(&how).filter(|(_, how)| **how == How::Psis);
        variance += reweighted_alone.map(|(point, _)| point.mcse * point.mcse).sum::<f64>();
        score.mcse = if score.n_bad == 0 { variance.sqrt() } else { f64::NAN };
        let Job { model, seed, .. } = digest.job;
        let mut score = ScoreRow::new(model, Some(seed), score);
        if refitted > 0 {
            let threshold = khat_threshold(n_draws);
            let (n, n_fits) = (refitted, refits.len());
            score.push(ScoreDiagnostic::Refitted { n, threshold, n_fits, largest, change: gain });
        }
        let n = bad.len();
        if let Some(first) = bad.into_iter().next() {
            score.push(ScoreDiagnostic::BadRefits { n, n_refits: refits.len(), first });
        }
        score.push_fit(&digest.health.diagnostics());
        Some(Self {
            model,
            seed,
            score,
            elpd: points.iter().map(|point| point.elpd).collect(),
            p: points.iter().map(|point| point.p).collect(),
            pareto_k: reweighted.iter().map(|point| point.pareto_k).collect(),
            how,
        })
    }
}

impl LeaveOneOut {
    /// Observations that were left out by fits.
    #[must_use]
    pub fn n_refitted(&self) -> usize {
        self.how.iter().filter(|how| **how != How::Psis).count()
    }
}
