//! One stage of an experiment: what is stored of its tasks is read, and the rest is run. The fits of all rows and of their parts
//! are one stage, those that LOO turns out to need another.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;

use crate::engine::progress::Progress;
use crate::engine::scheduler::{Outcome, Workshop, sample};
use crate::engine::task::{Job, Task};
use crate::scores::findings::Findings;
use crate::scores::results::Failure;
use crate::storage::store::Lack;

/// What is taken for done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Everything that is stored, failures included.
    All,
    /// Everything but failures.
    Results,
    Nothing,
}

/// Tasks of which is known what is to be done.
pub struct Stage {
    findings: Findings,
    /// To be run, in the order of the tasks.
    pub missing: Vec<Task>,
    /// That were tried before, and are not tried again.
    known_failures: Vec<(Job, Failure)>,
    /// What was found damaged and set aside: the job, where it is now, and how it showed.
    pub set_aside: Vec<(Job, PathBuf, String)>,
}

/// What a stage leaves.
pub struct Done {
    pub findings: Findings,
    /// Of this run and of earlier ones.
    pub failures: Vec<(Job, Failure)>,
    /// Of the jobs that were run.
    pub outcomes: Vec<Outcome>,
}

impl Stage {
    /// Reads what is stored of tasks, and moves damaged results out of the way; call it inside the pool whose threads it may use.
    ///
    /// # Errors
    /// The disk.
    pub fn of(workshop: &Workshop<'_>, tasks: &[Task], findings: Findings, trust: Trust) -> Result<Self> {
        let (experiment, store) = (workshop.experiment, workshop.store);
        let (findings, mut lacks) = if trust == Trust::Nothing {
            tasks.iter().try_for_each(|task| store.remove(task.job))?;
            (findings, tasks.iter().map(|task| (task.job, Lack::Missing)).collect::<BTreeMap<_, _>>())
        } else {
            findings.read(experiment, store, tasks, workshop.extent)?
        };
        let mut stage =
            Self { findings, missing: Vec::new(), known_failures: Vec::new(), set_aside: Vec::new() };
        for task in tasks {
            match lacks.remove(&task.job) {
                None => continue,
                Some(Lack::Failed { reason, .. }) if trust == Trust::All => {
                    stage.known_failures.push((task.job, Failure { what: task.job.to_string(), reason }));
                    continue;
                }
                Some(Lack::Damaged(reason)) => {
                    stage.set_aside.push((task.job, store.set_aside(task.job)?, reason));
                }
                Some(Lack::Missing | Lack::Stale(_) | Lack::Failed { .. }) => {}
            }
            stage.missing.push(task.clone());
        }
        Ok(stage)
    }

    /// Runs what is missing; call it inside the pool whose threads it may use.
    ///
    /// # Errors
    /// The disk.
    pub fn run(self, workshop: &Workshop<'_>, progress: &Progress) -> Result<Done> {
        let (outcomes, findings) = sample(workshop, &self.missing, self.findings, progress)?;
        let mut failures = self.known_failures;
        failures.extend(outcomes.iter().filter_map(|outcome| Some((outcome.job, outcome.failure()?))));
        Ok(Done { findings, failures, outcomes })
    }

    /// Failures of earlier runs that are not tried again.
    #[must_use]
    pub fn n_known_failures(&self) -> usize {
        self.known_failures.len()
    }
}
