//! What is kept in memory of every fit: read from disk, or taken from its draws as soon as these are stored.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use anyhow::{Context, Result};
use rayon::prelude::*;

use crate::engine::experiment::Experiment;
use crate::engine::fit::Fit;
use crate::engine::task::{Job, Part, Task};
use crate::present::report::Extent;
use crate::process::panics::caught;
use crate::scores::digest::{Digest, digest};
use crate::scores::held_out::HeldOut;
use crate::scores::plot_draws::PlotDraws;
use crate::scores::tempered::Tempered;
use crate::storage;
use crate::storage::seal::Sealed;
use crate::storage::store::{Lack, Store};

/// Every fit's findings, in the order of its jobs.
#[derive(Debug, Default)]
pub struct Findings {
    digests: BTreeMap<Job, Digest>,
    held_out: BTreeMap<Job, HeldOut>,
    tempered: BTreeMap<Job, Tempered>,
    /// Of each K the fit that stands for it in figures.
    plot_draws: BTreeMap<usize, PlotDraws>,
}

/// What one fit leaves.
pub enum Finding {
    /// Of all rows; draws to plot where figures are wanted.
    Whole(Box<(Digest, Option<PlotDraws>)>),
    /// Of all rows, tempered.
    Tempered(Tempered),
    /// Of a part of them: what it says of the others.
    HeldOut(HeldOut),
}

impl Finding {
    /// Of a fit on all rows, tempered or not.
    ///
    /// # Errors
    /// [`Unscorable`]: draws that are no mixtures, a panic.
    pub fn of_fit(experiment: &Experiment, job: Job, fit: &Fit, extent: Extent) -> Result<Self> {
        caught(|| match job.part {
            Part::Tempered => Tempered::of(experiment, job, fit).map(Self::Tempered),
            _ => digest(experiment, job, fit, extent).map(|found| Self::Whole(Box::new(found))),
        })
        .context(Unscorable)
    }

    fn of_file(experiment: &Experiment, job: Job, file: &Sealed, extent: Extent) -> Result<Self> {
        match job.part {
            Part::All | Part::Tempered => {
                let fit = storage::fits::fit(file, job.components, experiment.dataset.data.n_features())?;
                Self::of_fit(experiment, job, &fit, extent)
            }
            Part::Fold { .. } | Part::Group(_) | Part::Without(_) => {
                storage::fits::held_out(file).map(Self::HeldOut)
            }
        }
    }
}

/// The context of an error of what is made of a fit, by which it is told from one of the fit, and of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unscorable;

impl fmt::Display for Unscorable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the draws cannot be scored")
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
        extent: Extent,
    ) -> Result<(Self, BTreeMap<Job, Lack>)> {
        let findings = Mutex::new(self);
        let read = |task: &Task| -> Result<Option<(Job, Lack)>> {
            let file = match store.find(experiment, task)? {
                Ok(file) => file,
                Err(lack) => return Ok(Some((task.job, lack))),
            };
            Ok(match Finding::of_file(experiment, task.job, &file, extent) {
                Ok(finding) => {
                    findings.lock().expect("no holder of the lock panics").add(task.job, finding);
                    None
                }
                Err(error) if error.is::<Unscorable>() => {
                    Some((task.job, Lack::Failed { reason: format!("{error:#}"), log: Vec::new() }))
                }
                Err(error) => Some((task.job, Lack::Damaged(format!("{error:#}")))),
            })
        };
        let lacks = tasks.par_iter().filter_map(|task| read(task).transpose()).collect::<Result<_>>()?;
        Ok((findings.into_inner().expect("no holder of the lock panics"), lacks))
    }

    pub fn add(&mut self, job: Job, finding: Finding) {
        match finding {
            Finding::Whole(found) => {
                let (digest, plot_draws) = *found;
                if let Some(plot_draws) = plot_draws
                    && self.stands_for_its_components(job, &digest)
                {
                    self.plot_draws.insert(job.components, plot_draws);
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
    fn stands_for_its_components(&self, job: Job, digest: &Digest) -> bool {
        let rank = |job: Job, digest: &Digest| (!digest.health.doubts().is_empty(), job.seed);
        self.plot_draws.get(&job.components).is_none_or(|plot_draws| {
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
            let Job { components, part, seed } = task.job;
            (Reverse(components), part, task.held_out.clone(), seed)
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
    pub fn into_digests_and_plot_draws(self) -> (Vec<Digest>, BTreeMap<usize, PlotDraws>) {
        (self.digests.into_values().collect(), self.plot_draws)
    }
}
