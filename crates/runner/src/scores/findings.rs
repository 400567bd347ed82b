//! What is kept in memory of every fit: read from disk, or taken from its draws as soon as these are stored.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::Result;
use rayon::prelude::*;

use crate::engine::errors::FitError;
use crate::engine::experiment::Experiment;
use crate::engine::inputs::fit_inputs;
use crate::engine::task::Task;
use crate::process::panics::{catch_panic, defect};
use crate::scores::digest::{Digest, digest};
use crate::scores::held_out::score_held_out;
use crate::scores::plot_draws::PlotDraws;
use crate::scores::tempered::Tempered;
use crate::storage;
use crate::storage::atomic::DiskError;
use crate::storage::fits::{Fit, HeldOut};
use crate::storage::seal::Sealed;
use crate::storage::store::{Store, Stored, Unavailable};
use crate::study::job::{Job, Kept, ModelKey, Variant};

/// Every fit's findings, in the order of its jobs.
#[derive(Debug, Default)]
pub struct Findings {
    digests: BTreeMap<Job, Digest>,
    held_out: BTreeMap<Job, HeldOut>,
    tempered: BTreeMap<Job, Tempered>,
    /// Of each K the fit that stands for it in figures.
    plot_draws: BTreeMap<ModelKey, PlotDraws>,
}

/// What one fit leaves.
pub enum Finding {
    /// Of all rows, and draws to plot.
    Whole(Box<(Digest, PlotDraws)>),
    /// Of all rows, tempered.
    Tempered(Tempered),
    /// Of a part of them: what it says of the others.
    HeldOut(HeldOut),
}

impl Finding {
    /// Of a fit on all rows, tempered or not.
    ///
    /// # Errors
    /// [`FitError::Unscorable`]: draws that are no mixtures, a panic.
    fn from_draws(experiment: &Experiment, job: Job, fit: &Fit) -> Result<Self, FitError> {
        let score = || match job.variant {
            Variant::Tempered => Tempered::from_fit(experiment, job, fit).map(Self::Tempered),
            _ => digest(experiment, job, fit).map(|found| Self::Whole(Box::new(found))),
        };
        catch_panic(score, defect).map_err(FitError::Unscorable)
    }

    /// Stores a finished fit, or what it says of the rows held out, and gives what is kept in memory.
    ///
    /// # Errors
    /// The disk; draws that are no mixtures.
    pub fn store(experiment: &Experiment, store: &Store, task: &Task, fit: &Fit) -> Result<Self, FitError> {
        let (job, inputs) = (task.job, fit_inputs(experiment, task));
        match job.variant.kept() {
            Kept::Draws => {
                store.write_fit(job, &inputs, fit)?;
                Self::from_draws(experiment, job, fit)
            }
            Kept::HeldOut => {
                let held_out = score_held_out(experiment, task, fit)?;
                store.write_held_out(job, &inputs, &held_out)?;
                Ok(Self::HeldOut(held_out))
            }
        }
    }

    fn from_file(experiment: &Experiment, job: Job, file: &Sealed) -> Result<Self, Unavailable> {
        let damaged = |error: anyhow::Error| Unavailable::Damaged(format!("{error:#}"));
        match job.variant.kept() {
            Kept::Draws => {
                let n_features = experiment.dataset.data.n_features();
                let fit = storage::fits::fit(file, job.model.components, n_features).map_err(damaged)?;
                let failed =
                    |error: FitError| Unavailable::Failed { reason: error.to_string(), log: Vec::new() };
                Self::from_draws(experiment, job, &fit).map_err(failed)
            }
            Kept::HeldOut => storage::fits::held_out(file).map(Self::HeldOut).map_err(damaged),
        }
    }
}

impl Findings {
    /// Adds those of every task whose result is stored, whole and not stale; the others come back with what keeps them from it, in
    /// the order of the jobs. Call it inside the pool whose threads it may use.
    ///
    /// # Errors
    /// A file that may not be read, a directory in its place.
    pub fn read(
        self,
        experiment: &Experiment,
        store: &Store,
        tasks: &[Task],
    ) -> Result<(Self, BTreeMap<Job, Unavailable>), DiskError> {
        let findings = Mutex::new(self);
        let read = |task: &Task| -> Result<Option<(Job, Unavailable)>, DiskError> {
            let found = match store.find(task.job, &fit_inputs(experiment, task))? {
                Stored::Found(file) => Finding::from_file(experiment, task.job, &file),
                Stored::Unavailable(unavailable) => Err(unavailable),
            };
            Ok(match found {
                Ok(finding) => {
                    findings.lock().expect("no holder of the lock panics").add(task.job, finding);
                    None
                }
                Err(unavailable) => Some((task.job, unavailable)),
            })
        };
        let unavailable =
            tasks.par_iter().filter_map(|task| read(task).transpose()).collect::<Result<_, _>>()?;
        Ok((findings.into_inner().expect("no holder of the lock panics"), unavailable))
    }

    pub fn add(&mut self, job: Job, finding: Finding) {
        match finding {
            Finding::Whole(found) => {
                let (digest, plot_draws) = *found;
                if self.stands_for_its_model(job, &digest) {
                    self.plot_draws.insert(job.model, plot_draws);
                }
                self.digests.insert(job, digest);
            }
            Finding::Tempered(tempered) => {
                self.tempered.insert(job, tempered);
            }
            Finding::HeldOut(held_out) => {
                self.held_out.insert(job, held_out);
            }
        }
    }

    /// Whether a fit goes before those of its K that are there: without doubts before doubtful, then by its seed. In whatever
    /// order fits come, the same one is left.
    fn stands_for_its_model(&self, job: Job, digest: &Digest) -> bool {
        let rank = |job: Job, digest: &Digest| (!digest.health.diagnostics().is_empty(), job.seed);
        self.plot_draws.get(&job.model).is_none_or(|plot_draws| {
            let other = Job { seed: plot_draws.seed, ..job };
            rank(job, digest) < rank(other, &self.digests[&other])
        })
    }

    /// The fits that LOO needs beside those of all rows, the longest first, those that differ in their seeds alone together.
    #[must_use]
    pub fn refits(&self, experiment: &Experiment) -> Vec<Task> {
        let mut tasks: Vec<Task> =
            self.digests.values().flat_map(|digest| digest.refits(experiment)).collect();
        tasks.sort_by_key(|task| {
            let Job { model, variant, seed } = task.job;
            (Reverse(model), variant, task.held_out.clone(), seed)
        });
        tasks
    }

    #[must_use]
    pub fn held_out(&self, job: Job) -> Option<&HeldOut> {
        self.held_out.get(&job)
    }

    /// Of all tempered fits in the order of K and seed.
    pub fn tempered(&self) -> impl Iterator<Item = (Job, &Tempered)> {
        self.tempered.iter().map(|(job, tempered)| (*job, tempered))
    }

    /// Of all fits on all rows in the order of K and seed.
    pub fn digests(&self) -> impl Iterator<Item = &Digest> {
        self.digests.values()
    }

    /// Of all fits on all rows in the order of K and seed, and of each K the draws that its figures show, if there are any.
    #[must_use]
    pub fn into_digests_and_plot_draws(self) -> (Vec<Digest>, BTreeMap<ModelKey, PlotDraws>) {
        (self.digests.into_values().collect(), self.plot_draws)
    }
}
