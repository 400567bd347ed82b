//! LOO of one fit: reweighted draws, and where they fail, fits without the observation.

use std::fmt;

use gmm_scoring::{Score, khat_threshold, loo};

use super::digest::{Digest, append};
use crate::engine::task::Task;
use crate::storage::fits::HeldOut;
use crate::study::job::{LeftOut, Variant};

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

/// The terms of one K and seed.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaveOneOut {
    pub components: usize,
    pub seed: u64,
    /// Its Monte Carlo error is NaN while a term is bad.
    pub score: Score,
    /// Of each observation, in nats.
    pub elpd: Vec<f64>,
    pub p: Vec<f64>,
    /// Of the reweighted draws, also where they were not used in the end.
    pub pareto_k: Vec<f64>,
    pub how: Vec<How>,
}

impl LeaveOneOut {
    /// Of a fit of all rows and the refits that its LOO needs, each with what it found or the reason why it found nothing. None where LOO
    /// was not asked for. An observation whose refit failed, or is not to be trusted, stays bad.
    #[must_use]
    pub fn of(digest: &Digest, refits: &[(Task, Result<&HeldOut, String>)]) -> Option<Self> {
        let reweighted = digest.loo.as_ref()?;
        let n_draws = digest.health.n_draws;
        let mut points = reweighted.clone();
        let mut how = vec![How::Psis; points.len()];
        let (mut gain, mut variance) = (0.0, 0.0);
        let (mut refitted, mut largest, mut reasons) = (0, 0, Vec::new());
        for (task, held_out) in refits {
            let held_out = match held_out {
                Ok(held_out) => held_out,
                Err(reason) => {
                    reasons.push(reason.as_str());
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
                if !held_out.trouble.is_empty() {
                    point.pareto_k = reweighted[row].pareto_k;
                }
                gain += elpd - reweighted[row].elpd;
                points[row] = point;
            }
            if !held_out.trouble.is_empty() {
                reasons.push(&held_out.trouble);
            }
        }

        let mut score = loo(&points, n_draws);
        if refitted > 0 {
            let by = if largest > 1 {
                format!("{} without up to {largest} of them at a time", counted(refits.len(), "fit"))
            } else {
                "fits of their own".to_owned()
            };
            let threshold = khat_threshold(n_draws);
            let more = format!(
                "{} with a Pareto k above {threshold:.2} left out by {by}, which changed the estimate by {gain:+.2}",
                counted(refitted, "observation")
            );
            append(&mut score.note, &more);
        }
        if let Some(first) = reasons.first() {
            append(
                &mut score.note,
                &format!(
                    "{} of {} failed or are doubtful: {first}",
                    reasons.len(),
                    counted(refits.len(), "refit")
                ),
            );
        }
        let reweighted_alone = points.iter().zip(&how).filter(|(_, how)| **how == How::Psis);
        variance += reweighted_alone.map(|(point, _)| point.mcse * point.mcse).sum::<f64>();
        score.mcse = if score.n_bad == 0 { variance.sqrt() } else { f64::NAN };
        Some(Self {
            components: digest.job.model.components,
            seed: digest.job.seed,
            score: digest.health.doubt(score),
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

fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
