//! `gmm status`: which fits are done, running, failed, stale, damaged or missing, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use crate::cli::arguments::{Status, Verbosity};
use crate::cli::output::show_results;
use crate::commands::stored::{load, load_experiment};
use crate::engine::experiment::Experiment;
use crate::engine::inputs::fit_inputs;
use crate::present::text_table::{TextTable, terminal_width};
use crate::recovery::stored::outcome_of;
use crate::recovery::work::find;
use crate::storage::atomic::{files_below, is_temporary};
use crate::storage::inputs::Change;
use crate::storage::lock::{Holder, holder};
use crate::storage::store::{Store, Stored, Unavailable};
use crate::study::design::{Set, sets};
use crate::study::job::Variant;
use crate::study::load::Study;
use crate::study::spec::suite::SuiteSpec;

/// How one job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Done,
    Running,
    Failed,
    Stale,
    Damaged,
    Missing,
}

impl Standing {
    const ALL: [Self; 6] =
        [Self::Done, Self::Running, Self::Failed, Self::Stale, Self::Damaged, Self::Missing];

    fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Stale => "stale",
            Self::Damaged => "damaged",
            Self::Missing => "missing",
        }
    }

    /// What the next run does about it.
    fn outlook(self) -> &'static str {
        match self {
            Self::Done | Self::Running => "",
            Self::Failed => "run again only with --retry-failed",
            Self::Stale | Self::Damaged => "will run again",
            Self::Missing => "will run",
        }
    }
}

/// One job with what is known of it.
#[derive(Debug)]
struct Line {
    /// Under which jobs are counted together.
    kind: &'static str,
    job: String,
    standing: Standing,
    /// None if it is done, running or missing.
    reason: Option<String>,
    /// Of a failure: what led to it.
    log: Vec<String>,
}

impl Line {
    fn new(kind: &'static str, job: String, found: &Stored, holder: Option<&Holder>) -> Self {
        let line = |standing, reason| Self { kind, job: job.clone(), standing, reason, log: Vec::new() };
        let runs = holder.is_some_and(|holder| holder.running.contains(&job));
        match found {
            Stored::Found(_) => line(Standing::Done, None),
            Stored::Unavailable(_) if runs => line(Standing::Running, None),
            Stored::Unavailable(Unavailable::Missing) => line(Standing::Missing, None),
            Stored::Unavailable(Unavailable::Stale(changes)) => {
                line(Standing::Stale, Some(Change::list(changes)))
            }
            Stored::Unavailable(Unavailable::Damaged(reason)) => {
                line(Standing::Damaged, Some(reason.clone()))
            }
            Stored::Unavailable(Unavailable::Failed { reason, log }) => {
                Self { log: log.clone(), ..line(Standing::Failed, Some(reason.clone())) }
            }
        }
    }
}

/// What is known of the jobs of a directory.
struct StatusReport {
    name: String,
    root: PathBuf,
    holder: Option<Holder>,
    lines: Vec<Line>,
    /// Sentences about files that belong to no line.
    remarks: Vec<String>,
}

/// `gmm status`.
///
/// # Errors
/// A directory that holds no results, a spec or data that cannot be read, a file that may not be.
pub fn status(flags: &Status, verbosity: &Verbosity) -> Result<ExitCode> {
    let root = &flags.directory;
    let holder = holder(root);
    let study = flags.spec.as_deref().map_or_else(|| load(root), |spec| Ok(Study::load(spec)?))?;
    let report = match (study, &flags.spec) {
        (Study::Suite(spec), _) => suite_status(spec, root, holder)?,
        (Study::Experiment(reading), Some(spec)) => {
            experiment_status(&Experiment::beside(spec, reading)?, root, holder)?
        }
        // As it would be run now: with the data as they are now.
        (Study::Experiment(reading), None) => {
            experiment_status(&load_experiment(root, reading)?.0, root, holder)?
        }
    };
    show_results(flags.format, || text(&report, verbosity), || json(&report))?;
    Ok(ExitCode::SUCCESS)
}

fn suite_status(spec: SuiteSpec, root: &Path, holder: Option<Holder>) -> Result<StatusReport> {
    let of_set = |set: &Set| -> Result<Line> {
        let found = find(&spec, root, set)?;
        let outcome = match &found {
            Stored::Found(file) => outcome_of(file).ok(),
            Stored::Unavailable(_) => None,
        };
        let line = Line::new("data sets", set.to_string(), &found, holder.as_ref());
        Ok(match outcome.and_then(|outcome| outcome.failure) {
            None => line,
            Some(reason) => Line { standing: Standing::Failed, reason: Some(reason), ..line },
        })
    };
    let lines = sets(&spec).iter().map(of_set).collect::<Result<Vec<_>>>()?;
    Ok(StatusReport { name: spec.name, root: root.to_path_buf(), holder, lines, remarks: Vec::new() })
}

fn experiment_status(experiment: &Experiment, root: &Path, holder: Option<Holder>) -> Result<StatusReport> {
    let store = Store::new(root.to_path_buf());
    let tasks = experiment.tasks();
    let mut lines = Vec::with_capacity(tasks.len());
    for task in &tasks {
        let found = store.find(task.job, &fit_inputs(experiment, task))?;
        let line = Line::new(task.job.variant.kind(), task.job.to_string(), &found, holder.as_ref());
        lines.push((task.job, line));
    }
    lines.sort_by_key(|(job, _)| *job);
    let used: BTreeSet<PathBuf> = tasks.iter().map(|task| store.path(task.job)).collect();
    let remarks = remarks(root, &used)?;
    let lines = lines.into_iter().map(|(_, line)| line).collect();
    Ok(StatusReport { name: experiment.spec.name.clone(), root: root.to_path_buf(), holder, lines, remarks })
}

/// What is to be said of files that are no task's.
fn remarks(root: &Path, used: &BTreeSet<PathBuf>) -> Result<Vec<String>> {
    let (mut refits, mut unused, mut set_aside) = (0, 0, Vec::new());
    for directory in Variant::DIRECTORIES {
        for path in files_below(&root.join(directory))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if is_temporary(&path) {
                continue;
            }
            if name.contains(".damaged") {
                set_aside.push(path.display().to_string());
            } else if name.ends_with(".parquet") && directory == "refits" {
                refits += 1;
            } else if name.ends_with(".parquet") && !used.contains(&path) {
                unused += 1;
            }
        }
    }
    let mut remarks = Vec::new();
    if refits > 0 {
        remarks
            .push(format!("{refits} refits for LOO are stored; the next run decides which of them it needs"));
    }
    if unused > 0 {
        remarks.push(format!(
            "{unused} stored results belong to no fit of this spec (other values of K, seeds or folds)"
        ));
    }
    remarks.extend(set_aside.into_iter().map(|path| format!("damaged, moved aside: {path}")));
    Ok(remarks)
}

/// Jobs that are named for one reason, unless more is asked for.
const JOBS_SHOWN: usize = 4;

fn text(report: &StatusReport, verbosity: &Verbosity) -> String {
    let count = |lines: &[&Line], standing| lines.iter().filter(|line| line.standing == standing).count();
    let all: Vec<&Line> = report.lines.iter().collect();
    let present: Vec<Standing> = Standing::ALL
        .into_iter()
        .filter(|&standing| standing == Standing::Done || count(&all, standing) > 0)
        .collect();
    let mut text = format!("{} in {}", report.name, report.root.display());
    if let Some(holder) = &report.holder {
        write!(text, ", running in {holder}").expect(STRING);
    }
    text.push_str("\n\n");
    let mut kinds: Vec<&'static str> = report.lines.iter().map(|line| line.kind).collect();
    kinds.dedup();
    let mut seen = BTreeSet::new();
    kinds.retain(|kind| seen.insert(*kind));
    let mut rows: Vec<(&str, Vec<&Line>)> = kinds
        .iter()
        .map(|kind| (*kind, all.iter().copied().filter(|line| line.kind == *kind).collect()))
        .collect();
    if rows.len() > 1 {
        rows.push(("total", all.clone()));
    }
    let header = ["", "jobs"].into_iter().chain(present.iter().map(|standing| standing.name()));
    let mut table: Vec<Vec<String>> = vec![header.map(str::to_owned).collect()];
    table.extend(rows.into_iter().map(|(kind, lines)| {
        let counts = present.iter().map(|&standing| count(&lines, standing).to_string());
        [kind.to_owned(), lines.len().to_string()].into_iter().chain(counts).collect()
    }));
    text.push_str(&TextTable::with_names(table).render(terminal_width(), 1));
    let mut reasons: BTreeMap<(Standing, Option<&str>), Vec<&Line>> = BTreeMap::new();
    for line in all.iter().filter(|line| !matches!(line.standing, Standing::Done | Standing::Running)) {
        reasons.entry((line.standing, line.reason.as_deref())).or_default().push(line);
    }
    for ((standing, reason), lines) in &reasons {
        let shown = if verbosity.verbose { lines.len() } else { lines.len().min(JOBS_SHOWN) };
        let jobs: Vec<&str> = lines[..shown].iter().map(|line| line.job.as_str()).collect();
        let more = lines.len() - shown;
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let because = reason.map_or(String::new(), |reason| format!(": {reason}"));
        write!(text, "\n{}{because}\n  {}: {}{more}\n", standing.name(), standing.outlook(), jobs.join("; "))
            .expect(STRING);
        for line in lines.iter().filter(|line| verbosity.verbose && !line.log.is_empty()) {
            line.log.iter().for_each(|entry| writeln!(text, "  {}: {entry}", line.job).expect(STRING));
        }
    }
    if !report.remarks.is_empty() {
        text.push('\n');
        report.remarks.iter().for_each(|remark| writeln!(text, "{remark}").expect(STRING));
    }
    text
}

const STRING: &str = "writing to a string cannot fail";

fn json(report: &StatusReport) -> serde_json::Value {
    let jobs: Vec<_> = report
        .lines
        .iter()
        .map(|line| {
            json!({
                "job": line.job,
                "kind": line.kind,
                "standing": line.standing.name(),
                "reason": line.reason,
                "log": line.log,
            })
        })
        .collect();
    json!({ "name": report.name, "directory": report.root, "run_by": report.holder, "jobs": jobs, "remarks": report.remarks })
}
