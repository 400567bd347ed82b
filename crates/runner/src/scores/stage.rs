//! One stage of an experiment: what is stored of its tasks is read, and the rest is run. The fits of all rows and of their parts
//! are one stage, those that LOO turns out to need another.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use crate::engine::progress::Progress;
use crate::engine::scheduler::{EndedFit, RunContext, sample};
use crate::engine::task::Task;
use crate::scores::failure::Failure;
use crate::scores::findings::{Finding, Findings};
use crate::storage::atomic::{DiskError, DiskResult};
use crate::storage::fits::Fit;
use crate::storage::store::Unavailable;
use crate::study::job::Job;

/// What is taken for done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReusePolicy {
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
    pub ended: Vec<EndedFit>,
}

impl Stage {
    /// Reads what is stored of tasks, and moves damaged results out of the way; call it inside the pool whose threads it may use.
    ///
    /// # Errors
    /// The disk.
    pub fn new(
        context: &RunContext<'_>,
        tasks: &[Task],
        findings: Findings,
        policy: ReusePolicy,
    ) -> DiskResult<Self> {
        let (experiment, store) = (context.experiment, context.store);
        let (findings, mut unavailable) = if policy == ReusePolicy::Nothing {
            tasks.iter().try_for_each(|task| store.remove(task.job))?;
            (findings, tasks.iter().map(|task| (task.job, Unavailable::Missing)).collect::<BTreeMap<_, _>>())
        } else {
            findings.read(experiment, store, tasks)?
        };
        let mut stage =
            Self { findings, missing: Vec::new(), known_failures: Vec::new(), set_aside: Vec::new() };
        for task in tasks {
            match unavailable.remove(&task.job) {
                None => continue,
                Some(Unavailable::Failed { reason, .. }) if policy == ReusePolicy::All => {
                    stage.known_failures.push((task.job, Failure { subject: task.job.to_string(), reason }));
                    continue;
                }
                Some(Unavailable::Damaged(reason)) => {
                    stage.set_aside.push((task.job, store.set_aside(task.job)?, reason));
                }
                Some(Unavailable::Missing | Unavailable::Stale(_) | Unavailable::Failed { .. }) => {}
            }
            stage.missing.push(task.clone());
        }
        Ok(stage)
    }

    /// Runs what is missing; call it inside the pool whose threads it may use.
    ///
    /// # Errors
    /// The disk.
    pub fn run(self, context: &RunContext<'_>, progress: &Progress) -> Result<Done, DiskError> {
        let (experiment, store) = (context.experiment, context.store);
        let findings = Mutex::new(self.findings);
        let keep = |task: &Task, fit: &Fit| {
            let finding = Finding::store(experiment, store, task, fit)?;
            findings.lock().expect("no holder of the lock panics").add(task.job, finding);
            Ok(())
        };
        let ended = sample(context, &self.missing, progress, &keep)?;
        let findings = findings.into_inner().expect("no holder of the lock panics");
        let mut failures = self.known_failures;
        failures.extend(ended.iter().filter_map(|ended| Some((ended.job, Failure::from_ended(ended)?))));
        Ok(Done { findings, failures, ended })
    }

    /// Failures of earlier runs that are not tried again.
    #[must_use]
    pub fn n_known_failures(&self) -> usize {
        self.known_failures.len()
    }
}
