//! Everything that an experiment's stored fits say, and the answer to its question.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use gmm_sampler::start::em::EmOptimum;
use gmm_scoring::{Basis, Comparison, Criterion, Fingerprint, Row, Score, Verdict};
use rayon::prelude::*;

use crate::engine::experiment::Experiment;
use crate::engine::fit::maximise;
use crate::engine::scheduler::EndedFit;
use crate::engine::task::{HeldOutPart, Task};
use crate::scores::answer::Answer;
use crate::scores::diagnostic::Diagnostic;
use crate::scores::digest::{Digest, ScoreRow};
use crate::scores::findings::Findings;
use crate::scores::held_out::cross_validated;
use crate::scores::information::information_scores;
use crate::scores::laplace::laplace_score;
use crate::scores::leave_one_out::LeaveOneOut;
use crate::scores::plot_draws::PlotDraws;
use crate::storage::fits::HeldOut;
use crate::storage::store::Unavailable;
use crate::study::job::{Job, ModelKey, Variant};

/// A fit whose diagnostics find it unreliable.
#[derive(Debug, Clone, PartialEq)]
pub struct UnreliableFit {
    pub job: Job,
    /// What is wrong; not empty.
    pub diagnostics: Vec<Diagnostic>,
}

/// A fit, or an optimum, that is missing, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub what: String,
    pub reason: String,
}

impl Failure {
    /// Of a job of which nothing is there.
    #[must_use]
    pub fn from_unavailable((job, unavailable): (&Job, &Unavailable)) -> Self {
        Self { what: job.to_string(), reason: unavailable.to_string() }
    }

    /// Of a fit that failed; none if it did not.
    #[must_use]
    pub fn from_ended(ended: &EndedFit) -> Option<Self> {
        let error = ended.result.as_ref().err()?;
        Some(Self { what: ended.job.to_string(), reason: error.to_string() })
    }
}

/// One criterion over all K.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    pub criterion: Criterion,
    /// Of means over seeds.
    pub comparison: Comparison,
    pub verdict: Option<Verdict>,
    /// Ks that were tried and have no score; ascending.
    pub unscored: Vec<usize>,
    /// The best K of each seed, where several seeds were scored.
    pub best_by_seed: Vec<(u64, usize)>,
}

impl Ranking {
    /// The compared K in ascending order, as figures show them.
    #[must_use]
    pub fn rows_by_components(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.comparison.rows.iter().collect();
        rows.sort_by_key(|row| row.components);
        rows
    }

    /// Whether a K is the one that the others are compared with.
    #[must_use]
    pub fn is_best(&self, components: usize) -> bool {
        self.verdict.as_ref().is_some_and(|verdict| verdict.best == components)
    }
}

/// What one K's search finds: a failure of the second leaves the first.
type Search = (EmOptimum, Option<Result<ScoreRow>>);

/// What the report shows.
#[derive(Debug)]
pub struct Results {
    pub optima: Vec<(usize, EmOptimum)>,
    pub digests: Vec<Digest>,
    /// Of each K the fit that stands for it in figures: of the lowest seed among those without doubts, if there are any.
    /// Empty where no figures are wanted.
    pub plot_draws: BTreeMap<usize, PlotDraws>,
    /// The terms of LOO.
    pub left_out: Vec<LeaveOneOut>,
    pub scores: Vec<ScoreRow>,
    pub rankings: Vec<Ranking>,
    pub answer: Option<Answer>,
    pub failures: Vec<Failure>,
    /// Fits, also of parts of the rows, that are unreliable.
    pub unreliable: Vec<UnreliableFit>,
}

impl Results {
    /// Scores and compares what was found; call it inside the pool whose threads it may use.
    ///
    /// # Errors
    /// Scores that cannot be compared.
    pub fn of(experiment: &Experiment, findings: Findings, mut failures: Vec<Failure>) -> Result<Self> {
        let ks = experiment.ks();
        let mut seeds = experiment.spec.sampler.seeds.clone();
        seeds.sort_unstable();

        let mut optima = Vec::new();
        let mut of_modes = Vec::new();
        for (k, optimum) in searches(experiment, &ks) {
            let mut failed = |what: &str, error: anyhow::Error| {
                failures.push(Failure { what: format!("{what}, K = {k}"), reason: format!("{error:#}") });
            };
            match optimum {
                Ok((optimum, of_mode)) => {
                    optima.push((k, optimum));
                    match of_mode.transpose() {
                        Ok(score) => of_modes.extend(score),
                        Err(error) => failed("mode", error),
                    }
                }
                Err(error) => failed("EM", error),
            }
        }

        let mut doubts = Vec::new();
        let mut held_out = Vec::new();
        let asked = Criterion::ALL.into_iter().filter(|criterion| experiment.scores_by(*criterion));
        for criterion in asked.filter(|criterion| criterion.basis() == Basis::HeldOut) {
            let partitions = criterion.fits().map_or_else(Vec::new, |fits| experiment.parts(fits));
            let scorer =
                HeldOutScorer { experiment, findings: &findings, criterion, partitions: &partitions };
            for &components in &ks {
                for &seed in &seeds {
                    held_out.extend(scorer.score(components, seed, &mut failures, &mut doubts));
                }
            }
        }
        let (left_out, doubtful_refits) = left_out(experiment, &findings, &failures);
        doubts.extend(doubtful_refits);
        let mut tempered = Vec::new();
        for (job, found) in findings.tempered() {
            if !found.diagnostics.is_empty() {
                doubts.push(UnreliableFit { job, diagnostics: found.diagnostics.clone() });
            }
            tempered.push(found.score.clone());
        }
        let (digests, plot_draws) = findings.into_digests_and_plot_draws();
        let whole = digests
            .iter()
            .map(|digest| UnreliableFit { job: digest.job, diagnostics: digest.health.diagnostics() })
            .filter(|fit| !fit.diagnostics.is_empty());
        doubts.splice(0..0, whole);

        let mut scores = information_scores(experiment, &optima);
        scores.extend(of_modes);
        scores.extend(digests.iter().flat_map(|digest| digest.scores.iter().cloned()));
        scores.extend(left_out.iter().map(|loo| loo.score.clone()));
        scores.extend(held_out);
        scores.extend(tempered);
        let data = Fingerprint::new(&experiment.dataset.data);
        scores.iter_mut().for_each(|row| row.score.data = Some(data));
        let order = |row: &ScoreRow| (row.components, row.seed, row.score.criterion);
        scores.sort_by_key(order);
        let rankings = Criterion::ALL
            .into_iter()
            .filter(|&criterion| experiment.scores_by(criterion))
            .filter_map(|criterion| ranking(criterion, &scores, &ks).transpose())
            .collect::<Result<Vec<_>>>()?;
        let answer = Answer::new(&experiment.spec.model.prior, &rankings, &scores);
        Ok(Self {
            optima,
            digests,
            plot_draws,
            left_out,
            scores,
            rankings,
            answer,
            failures,
            unreliable: doubts,
        })
    }
}

/// The search for each K's maximised likelihood, and the score by the mode above what it finds, where criteria ask for them.
fn searches(experiment: &Experiment, ks: &[usize]) -> Vec<(usize, Result<Search>)> {
    let with_mode = experiment.spec.scoring.needs(Basis::Mode);
    let search = |k: usize| -> Result<Search> {
        let optimum = maximise(experiment, ModelKey::full(k))?;
        let of_mode = with_mode.then(|| laplace_score(experiment, k, &optimum));
        Ok((optimum, of_mode))
    };
    if experiment.spec.scoring.needs_optima() {
        ks.par_iter().map(|&k| (k, search(k))).collect()
    } else {
        Vec::new()
    }
}

/// LOO of every fit of all rows, with its refits, and those of these that are doubtful.
fn left_out(
    experiment: &Experiment,
    findings: &Findings,
    failures: &[Failure],
) -> (Vec<LeaveOneOut>, Vec<UnreliableFit>) {
    let mut doubts = Vec::new();
    let mut of_digest = |digest: &Digest| {
        let found = |task: Task| {
            let what = task.job.to_string();
            let held_out = findings.held_out(task.job).ok_or_else(|| {
                let failure = failures.iter().find(|failure| failure.what == what);
                failure.map(|failure| failure.reason.clone())
            });
            if let Ok(held_out) = held_out
                && !held_out.diagnostics.is_empty()
            {
                doubts.push(UnreliableFit { job: task.job, diagnostics: held_out.diagnostics.clone() });
            }
            (task, held_out)
        };
        let refits: Vec<_> = digest.refits(experiment).into_iter().map(found).collect();
        LeaveOneOut::of(digest, &refits)
    };
    let left_out = findings.digests().filter_map(&mut of_digest).collect();
    (left_out, doubts)
}

/// Where scores by one criterion of held-out rows come from.
struct HeldOutScorer<'a> {
    experiment: &'a Experiment,
    findings: &'a Findings,
    criterion: Criterion,
    /// Each holds out every row once.
    partitions: &'a [Vec<HeldOutPart>],
}

impl HeldOutScorer<'_> {
    /// The score of one K and seed, where all of its parts are there; a part with a doubtful fit is a doubt.
    fn score(
        &self,
        components: usize,
        seed: u64,
        failures: &mut Vec<Failure>,
        doubts: &mut Vec<UnreliableFit>,
    ) -> Option<ScoreRow> {
        let job = |variant| Job { model: ModelKey::full(components), seed, variant };
        let held_out = |&(part, _): &HeldOutPart| Some((part, self.findings.held_out(job(part))?));
        let found: Vec<Vec<(Variant, &HeldOut)>> =
            self.partitions.iter().map(|parts| parts.iter().filter_map(held_out).collect()).collect();
        for (part, held_out) in
            found.iter().flatten().filter(|(_, held_out)| !held_out.diagnostics.is_empty())
        {
            doubts.push(UnreliableFit { job: job(*part), diagnostics: held_out.diagnostics.clone() });
        }
        if found.iter().zip(self.partitions).any(|(found, parts)| found.len() < parts.len()) {
            return None;
        }
        let n_observations = self.experiment.dataset.data.n_observations();
        match cross_validated(self.criterion, (components, seed), n_observations, &found) {
            Ok(row) => Some(row),
            Err(error) => {
                failures.push(Failure {
                    what: format!("{} of K = {components}, seed {seed}", self.criterion),
                    reason: format!("{error:#}"),
                });
                None
            }
        }
    }
}

/// The mean of several seeds' scores: each estimates the same quantity with its own Monte Carlo error.
fn mean_over_seeds(scores: &[&Score]) -> Option<Score> {
    let first = *scores.first()?;
    let n = scores.len() as f64;
    let mean = |value: &dyn Fn(&Score) -> f64| scores.iter().map(|score| value(score)).sum::<f64>() / n;
    Some(Score {
        criterion: first.criterion,
        estimate: mean(&|score| score.estimate),
        // Errors over observations are common to all seeds, Monte Carlo errors are not.
        se: mean(&|score| score.se),
        mcse: mean(&|score| score.mcse * score.mcse).sqrt() / n.sqrt(),
        p_eff: mean(&|score| score.p_eff),
        n_bad: scores.iter().map(|score| score.n_bad).max().unwrap_or(0),
        reliable: scores.iter().all(|score| score.reliable),
        // Each seed's own diagnostics stand with its own score.
        diagnostics: Vec::new(),
        pointwise: (0..first.pointwise.len()).map(|i| mean(&|score| score.pointwise[i])).collect(),
        data: first.data,
    })
}

fn ranking(criterion: Criterion, rows: &[ScoreRow], ks: &[usize]) -> Result<Option<Ranking>> {
    let rows: Vec<&ScoreRow> = rows.iter().filter(|row| row.score.criterion == criterion).collect();
    let scores: Vec<(usize, Score)> = rows
        .chunk_by(|a, b| a.components == b.components)
        .filter_map(|of_k| {
            let scores: Vec<&Score> = of_k.iter().map(|row| &row.score).collect();
            Some((of_k[0].components, mean_over_seeds(&scores)?))
        })
        .collect();
    if scores.is_empty() {
        return Ok(None);
    }
    let compare = |scores: &[(usize, &Score)]| {
        Comparison::new(scores).with_context(|| format!("scores by {criterion} cannot be compared"))
    };
    let comparison = compare(&scores.iter().map(|(k, score)| (*k, score)).collect::<Vec<_>>())?;
    let verdict = Verdict::new(&comparison);
    let mut seeds: Vec<u64> = rows.iter().filter_map(|row| row.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let mut best_by_seed = Vec::new();
    if seeds.len() > 1 {
        for seed in seeds {
            let of_seed: Vec<(usize, &Score)> = rows
                .iter()
                .filter(|row| row.seed == Some(seed))
                .map(|row| (row.components, &row.score))
                .collect();
            if let Some(verdict) = Verdict::new(&compare(&of_seed)?) {
                best_by_seed.push((seed, verdict.best));
            }
        }
    }
    let has_score = |k: &usize| scores.iter().any(|(scored, score)| scored == k && !score.estimate.is_nan());
    let unscored = ks.iter().copied().filter(|k| !has_score(k)).collect();
    Ok(Some(Ranking { criterion, comparison, verdict, unscored, best_by_seed }))
}
