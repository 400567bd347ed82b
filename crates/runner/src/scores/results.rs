//! Everything that an experiment's stored fits say, and the answer to its question.

use std::collections::BTreeMap;

use anyhow::Result;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::start::em::EmOptimum;
use gmm_scoring::{Basis, Criterion, Fingerprint};
use rayon::prelude::*;

use crate::data::most_components;
use crate::engine::experiment::Experiment;
use crate::engine::fit::maximise;
use crate::engine::progress::Display;
use crate::engine::task::{HeldOutPart, Task};
use crate::scores::answer::Answer;
use crate::scores::at_modes::{Found, scores_at_modes};
use crate::scores::clusters::Clusters;
use crate::scores::components::Components;
use crate::scores::digest::Digest;
use crate::scores::effort::{Effort, Step};
use crate::scores::failure::{Failure, UnreliableFit};
use crate::scores::findings::Findings;
use crate::scores::held_out::cross_validated;
use crate::scores::information::information_scores;
use crate::scores::leave_one_out::LeaveOneOut;
use crate::scores::mixtures::PosteriorMixtures;
use crate::scores::plot_draws::PlotDraws;
use crate::scores::probabilities::Probabilities;
use crate::scores::ranking::{Ranking, ranking};
use crate::scores::rows::ScoreRow;
use crate::storage::fits::HeldOut;
use crate::study::job::{Job, ModelKey, Variant};

/// What the report shows.
#[derive(Debug)]
pub struct Results {
    pub optima: Vec<(ModelKey, EmOptimum)>,
    /// The mixtures at the posterior's modes, on the data's own scale; none where no criterion needs them.
    pub modes: BTreeMap<ModelKey, Mixture>,
    /// The log evidence about that mode which has the most, in each system of axes, in nats on the sampler's scale.
    pub largest_parts: BTreeMap<ModelKey, Vec<Option<f64>>>,
    /// Drawn from the posterior; of the answer's K alone where K has no probability.
    mixtures: Option<PosteriorMixtures>,
    /// Those of the rows, by these mixtures; `None` until they are looked for.
    pub clusters: Option<Clusters>,
    /// At the mode of the answer's K with the most evidence about it.
    mode: Option<Mixture>,
    /// Of that mode.
    pub components: Option<Components>,
    pub digests: Vec<Digest>,
    /// Of each K the fit that stands for it in figures: of the lowest seed among those that are reliable, if there are any.
    pub plot_draws: BTreeMap<ModelKey, PlotDraws>,
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
    pub fn new(
        experiment: &Experiment,
        findings: Findings,
        mut failures: Vec<Failure>,
        display: Display,
    ) -> Result<Self> {
        let models = experiment.models();
        let mut seeds = experiment.spec.sampler.seeds.clone();
        seeds.sort_unstable();

        let effort = Effort::new(experiment, display);
        if display == Display::Automatic {
            effort.announce(experiment);
        }
        let mut optima = Vec::new();
        for (model, optimum) in searches(experiment, &models, &effort) {
            match optimum {
                Ok(optimum) => optima.push((model, optimum)),
                Err(error) => {
                    failures.push(Failure { subject: format!("EM, {model}"), reason: format!("{error:#}") });
                }
            }
        }
        let mut of_modes = Vec::new();
        let (mut modes, mut local_modes) = (BTreeMap::new(), BTreeMap::new());
        let mut largest_parts = BTreeMap::new();
        if experiment.spec.scoring.needs(Basis::Mode) {
            let optimum = |model: ModelKey| optima.iter().find(|(key, _)| *key == model);
            let starts: Vec<(ModelKey, Option<&EmOptimum>)> =
                models.iter().map(|&model| (model, optimum(model).map(|(_, optimum)| optimum))).collect();
            match scores_at_modes(experiment, &starts, &effort) {
                Ok((found, cross_validated)) => {
                    of_modes.extend(cross_validated);
                    for Found { score, mixture, local_modes: of_model, largest_parts: largest } in found {
                        largest_parts.insert(score.model, largest);
                        local_modes.insert(score.model, of_model);
                        modes.extend(mixture.map(|mixture| (score.model, mixture)));
                        of_modes.push(score);
                    }
                }
                Err(error) => {
                    failures.push(Failure { subject: "modes".to_owned(), reason: format!("{error:#}") });
                }
            }
        }

        drop(effort);
        let mut unreliable = Vec::new();
        let mut held_out = Vec::new();
        let asked = Criterion::ALL.into_iter().filter(|criterion| experiment.scores_by(*criterion));
        for criterion in asked.filter(|criterion| criterion.basis() == Basis::HeldOut) {
            let partitions = criterion.fits().map_or_else(Vec::new, |fits| experiment.parts(fits));
            let scorer =
                HeldOutScorer { experiment, findings: &findings, criterion, partitions: &partitions };
            for &model in &models {
                for &seed in &seeds {
                    held_out.extend(scorer.score(model, seed, &mut failures, &mut unreliable));
                }
            }
        }
        let (left_out, unreliable_refits) = left_out(experiment, &findings, &failures);
        unreliable.extend(unreliable_refits);
        let mut tempered = Vec::new();
        for (job, found) in findings.tempered() {
            if !found.diagnostics.is_empty() {
                unreliable.push(UnreliableFit { job, diagnostics: found.diagnostics.clone() });
            }
            tempered.push(found.score.clone());
        }
        let (digests, plot_draws) = findings.into_digests_and_plot_draws();
        let whole = digests
            .iter()
            .map(|digest| UnreliableFit { job: digest.job, diagnostics: digest.health.diagnostics() })
            .filter(|fit| !fit.diagnostics.is_empty());
        unreliable.splice(0..0, whole);

        let mut scores = information_scores(experiment, &optima);
        scores.extend(of_modes);
        scores.extend(digests.iter().flat_map(|digest| digest.scores.iter().cloned()));
        scores.extend(left_out.iter().map(|loo| loo.score.clone()));
        scores.extend(held_out);
        scores.extend(tempered);
        let data = Fingerprint::new(&experiment.dataset.data);
        scores.iter_mut().for_each(|row| row.score.data = Some(data));
        let order = |row: &ScoreRow| (row.model, row.seed, row.score.criterion);
        scores.sort_by_key(order);
        let rankings = Criterion::ALL
            .into_iter()
            .filter(|&criterion| experiment.scores_by(criterion))
            .filter_map(|criterion| ranking(criterion, &scores, &models).transpose())
            .collect::<Result<Vec<_>>>()?;
        let largest = models.last().map_or(0, |model| model.components);
        let answer = Answer::new(&experiment.spec.model, &rankings, &scores).map(|answer| Answer {
            could_be_larger: largest < most_components(&experiment.dataset.data, largest + 1),
            ..answer
        });
        let mixtures = answer.as_ref().and_then(|answer| {
            let of_modes = answer
                .probabilities
                .as_ref()
                .and_then(|probabilities| PosteriorMixtures::from_modes(probabilities, &local_modes));
            of_modes.or_else(|| plot_draws.get(&answer.model).map(PosteriorMixtures::from_fit))
        });
        let of_answer = answer.as_ref().map(|answer| answer.model);
        let mode = of_answer.and_then(|model| Some((model, local_modes.get(&model)?.first()?)));
        let components = mode.map(|(model, mode)| Components::new(model, mode));
        let mode = mode.map(|(_, mode)| mode.mixture());
        Ok(Self {
            modes,
            largest_parts,
            mixtures,
            clusters: None,
            mode,
            components,
            optima,
            digests,
            plot_draws,
            left_out,
            scores,
            rankings,
            answer,
            failures,
            unreliable,
        })
    }
}

impl Results {
    /// The posterior probability of every K, where the answer is one.
    #[must_use]
    pub fn probabilities(&self) -> Option<&Probabilities> {
        self.answer.as_ref()?.probabilities.as_ref()
    }

    /// Finds the clusters of the rows, which suites have no use for; call it inside the pool whose threads it may use.
    pub fn find_clusters(&mut self, experiment: &Experiment) {
        let mixtures = self.mixtures.take();
        let (data, classes) = (&experiment.dataset.data, experiment.dataset.classes.as_deref());
        self.clusters = mixtures.map(|mixtures| Clusters::new(data, mixtures, classes));
        if let (Some(clusters), Some(mode), Some(Components::ToldApart(of_each))) =
            (&self.clusters, &self.mode, &mut self.components)
        {
            let found = clusters.of_components(data, mode);
            of_each.iter_mut().zip(found).for_each(|(component, cluster)| component.cluster = Some(cluster));
        }
    }
}

/// The search for each model's maximised likelihood, where criteria ask for it.
fn searches(
    experiment: &Experiment,
    models: &[ModelKey],
    effort: &Effort,
) -> Vec<(ModelKey, Result<EmOptimum>)> {
    if experiment.spec.scoring.needs_optima() {
        let maximise = |&model: &ModelKey| {
            let optimum = maximise(experiment, model);
            effort.did(Step::Em, model);
            (model, optimum)
        };
        // The largest take longest: they begin first.
        let mut found: Vec<_> = models.par_iter().rev().map(maximise).collect();
        found.reverse();
        found
    } else {
        Vec::new()
    }
}

/// LOO of every fit of all rows, with its refits, and the unreliable ones among these.
fn left_out(
    experiment: &Experiment,
    findings: &Findings,
    failures: &[Failure],
) -> (Vec<LeaveOneOut>, Vec<UnreliableFit>) {
    let mut unreliable = Vec::new();
    let mut of_digest = |digest: &Digest| {
        let found = |task: Task| {
            let what = task.job.to_string();
            let held_out = findings.held_out(task.job).ok_or_else(|| {
                let failure = failures.iter().find(|failure| failure.subject == what);
                failure.map(|failure| failure.reason.clone())
            });
            if let Ok(held_out) = held_out
                && !held_out.diagnostics.is_empty()
            {
                unreliable.push(UnreliableFit { job: task.job, diagnostics: held_out.diagnostics.clone() });
            }
            (task, held_out)
        };
        let refits: Vec<_> = digest.refits(experiment).into_iter().map(found).collect();
        LeaveOneOut::new(digest, &refits)
    };
    let left_out = findings.digests().filter_map(&mut of_digest).collect();
    (left_out, unreliable)
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
    /// The score of one K and seed, where all of its parts are there; parts with an unreliable fit are added to `unreliable`.
    fn score(
        &self,
        model: ModelKey,
        seed: u64,
        failures: &mut Vec<Failure>,
        unreliable: &mut Vec<UnreliableFit>,
    ) -> Option<ScoreRow> {
        let job = |variant| Job { model, seed, variant };
        let held_out = |&(part, _): &HeldOutPart| Some((part, self.findings.held_out(job(part))?));
        let found: Vec<Vec<(Variant, &HeldOut)>> =
            self.partitions.iter().map(|parts| parts.iter().filter_map(held_out).collect()).collect();
        for (part, held_out) in
            found.iter().flatten().filter(|(_, held_out)| !held_out.diagnostics.is_empty())
        {
            unreliable.push(UnreliableFit { job: job(*part), diagnostics: held_out.diagnostics.clone() });
        }
        if found.iter().zip(self.partitions).any(|(found, parts)| found.len() < parts.len()) {
            return None;
        }
        let n_observations = self.experiment.dataset.data.n_observations();
        match cross_validated(self.criterion, (model, seed), n_observations, &found) {
            Ok(row) => Some(row),
            Err(error) => {
                failures.push(Failure {
                    subject: format!("{} of {model}, seed {seed}", self.criterion),
                    reason: format!("{error:#}"),
                });
                None
            }
        }
    }
}
