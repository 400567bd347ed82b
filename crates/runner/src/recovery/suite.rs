//! Suites: many simulated data sets, each run as an experiment, and how often each criterion finds the true K.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use gmm_scoring::Basis;
use rayon::prelude::*;

use super::figures::figures;
use super::findings::Findings;
use super::outcome::{Outcome, examine, needs_whole_fits, priors};
use super::stored::{outcome_of, write_biases, write_outcome, write_picks};
use super::work::{SCRATCH, Work, find, place, progress, set_inputs, stored};
use crate::cli::arguments::{Format, RunFlags, Talk, Verify};
use crate::cli::command::{DOUBTFUL, pool, print};
use crate::cli::messages::say;
use crate::cli::problem::Problems;
use crate::commands::run::default_out;
use crate::commands::status::{Line, Standing};
use crate::commands::verify::{Comparison, Verified, of_bytes, of_files, pick};
use crate::present::report::{PAGE, remove_report};
use crate::scores::results::Failure;
use crate::storage::atomic::{make_directory, remove_file, write_bytes};
use crate::storage::lock::{Holder, ReportLock, RunLock};
use crate::storage::provenance::SuiteProvenance;
use crate::storage::store::{Stored, Unavailable};

use crate::study::design::{Set, sets};
use crate::study::load::text;
use crate::study::spec::suite::{SuiteSpec, read_suite};

fn load(path: &Path) -> Result<SuiteSpec, Problems> {
    let shown = path.display().to_string();
    read_suite(&shown, &text(path, &shown)?)
}

/// How every data set of a suite stands in a directory, and the suite's name.
///
/// # Errors
/// The spec, a file that may not be read.
pub fn lines(path: &Path, root: &Path, holder: Option<&Holder>) -> Result<(String, Vec<Line>)> {
    let spec = load(path)?;
    let of_set = |set: &Set| -> Result<Line> {
        let found = find(&spec, root, set)?;
        let outcome = match &found {
            Stored::Found(file) => outcome_of(file).ok(),
            Stored::Unavailable(_) => None,
        };
        let failure = outcome.map_or(String::new(), |outcome| outcome.failure);
        let line = Line::of("data sets", set.to_string(), &found, holder);
        Ok(if failure.is_empty() {
            line
        } else {
            Line { standing: Standing::Failed, reason: failure, ..line }
        })
    };
    let lines = sets(&spec.suite).iter().map(of_set).collect::<Result<_>>()?;
    Ok((spec.name, lines))
}

/// `gmm run` of a suite.
///
/// # Errors
/// The spec, the disk, or another run in the same directory.
pub fn run(path: &Path, flags: &RunFlags, talk: &Talk) -> Result<ExitCode> {
    let began = Instant::now();
    let spec = load(path)?;
    let root = flags.out.clone().unwrap_or_else(|| default_out(&spec.name));
    // Before hours of work: can results be written at all, and by nobody else?
    let lock = RunLock::take(&root)?;
    let sets = sets(&spec.suite);
    let mut outcomes = Vec::with_capacity(sets.len());
    for set in &sets {
        if flags.fresh {
            remove_file(&place(&root, set))?;
        }
        let outcome = stored(&spec, &root, set)?;
        outcomes.push(outcome.filter(|outcome| !flags.retry_failed || outcome.failure.is_empty()));
    }
    write_bytes(&root.join("spec.toml"), spec.to_toml().as_bytes())?;
    let mut missing: Vec<&Set> =
        sets.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_none()).map(|(set, _)| set).collect();
    // The longest first, so that the last ones to end are short.
    missing.sort_by_key(|set| std::cmp::Reverse(set.cost()));
    if !talk.quiet {
        say!("{}: {} data sets, {} of them to be run", spec.name, sets.len(), missing.len());
    }
    let threads = flags.jobs.unwrap_or_else(|| pool(None).map_or(1, |pool| pool.current_num_threads()));
    let bar = progress(missing.len(), flags.no_progress || talk.quiet);
    let work = Work {
        spec: &spec,
        root: &root,
        lock: &lock,
        bar: &bar,
        fail_fast: flags.fail_fast,
        again: flags.again(),
    };
    let done = work.of(&missing, threads)?;
    bar.finish_and_clear();
    let seconds: BTreeMap<usize, f64> = done.iter().map(|(index, _, seconds)| (*index, *seconds)).collect();
    for (index, outcome, _) in done {
        outcomes[index - 1] = Some(outcome);
    }
    let Some(outcomes) = outcomes.into_iter().collect::<Option<Vec<Outcome>>>() else {
        say!("stopped at the first failure; the same command without --fail-fast goes on with the rest");
        return Ok(ExitCode::from(DOUBTFUL));
    };
    let findings = Findings::of(spec, sets, outcomes);
    let _lock = ReportLock::wait(&root)?;
    write(&root, &findings, !flags.no_report)?;
    SuiteProvenance::new(&root, threads, began.elapsed(), seconds).write(&root)?;
    present(&root, &findings, flags.format, !flags.no_report, talk)
}

fn write(root: &Path, findings: &Findings, with_page: bool) -> Result<()> {
    // Before any new table, so that an interruption leaves no page that contradicts one.
    remove_report(root)?;
    let mut picks = Vec::with_capacity(findings.sets.len() * findings.judges.len());
    for (i, set) in findings.sets.iter().enumerate() {
        for (judge, of_judge) in findings.judges.iter().zip(&findings.picks) {
            picks.push((*set, judge.name(&findings.spec), of_judge[i]));
        }
    }
    write_picks(&root.join("picks.parquet"), &picks)?;
    if !findings.biases.is_empty() {
        write_biases(&root.join("bias.parquet"), &findings.biases)?;
    } else {
        remove_file(&root.join("bias.parquet"))?;
    }
    write_bytes(&root.join("table.csv"), super::words::csv(findings).as_bytes())?;
    write_bytes(&root.join("summary.md"), super::words::markdown(findings).as_bytes())?;
    if !with_page {
        return Ok(());
    }
    let figures = figures(findings)?;
    figures.iter().try_for_each(|figure| figure.write(root))?;
    Ok(write_bytes(&root.join(PAGE), super::page::render(findings, &figures)?.as_bytes())?)
}

fn present(
    root: &Path,
    findings: &Findings,
    format: Format,
    with_page: bool,
    talk: &Talk,
) -> Result<ExitCode> {
    match format {
        Format::Table => print(&super::words::text(findings))?,
        Format::Json => print(&format!("{:#}\n", json(findings)))?,
    }
    let failures = findings.failures();
    for failure in &failures {
        say!("failed: {failure}");
    }
    if !talk.quiet {
        match with_page {
            true => say!("report: {}", root.join(PAGE).display()),
            false => say!("results: {}; `gmm report` draws the report", root.display()),
        }
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(DOUBTFUL) })
}

fn json(findings: &Findings) -> serde_json::Value {
    let shares = findings.judges.iter().map(|&judge| {
        let tally = findings.tally(judge, None);
        serde_json::json!({
            "judge": judge.name(&findings.spec),
            "n": tally.n,
            "found": tally.found,
            "too_small": tally.too_small,
            "too_large": tally.too_large,
            "silent": tally.silent,
            "share": tally.share(),
            "se": tally.se(),
        })
    });
    serde_json::json!({ "name": findings.spec.name, "shares": shares.collect::<Vec<_>>() })
}

/// `gmm check` of a suite.
///
/// # Errors
/// What is wrong with the spec.
pub fn check(path: &Path) -> Result<ExitCode> {
    let spec = load(path)?;
    let sets = sets(&spec.suite);
    let list = |mut values: Vec<usize>| {
        values.sort_unstable();
        values.dedup();
        values.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
    };
    let count = |of: fn(&Set) -> usize| sets.iter().map(of).collect::<Vec<usize>>();
    let (fewest, most) = spec.suite.n_observations.range();
    let (least, largest) = spec.suite.overlap.range();
    let range = |from: String, to: String| if from == to { from } else { format!("{from} to {to}") };
    let held_out = spec.scoring.folds * spec.scoring.repeats;
    let per_k = usize::from(needs_whole_fits(&spec))
        + usize::from(spec.scoring.needs(Basis::Tempered))
        + usize::from(spec.scoring.needs(Basis::HeldOut)) * held_out;
    let n_priors = priors(&spec).len();
    let fits = sets.len() * n_priors * spec.model.components.len() * spec.sampler.seeds.len() * per_k;
    let optima = if spec.scoring.needs_optima() { sets.len() * spec.model.components.len() } else { 0 };
    print(&format!(
        "{}\n  data sets   {}, simulated; N {}, D {}, K {}, average overlap {}\n  searched    K {}\n  priors      {n_priors}\n  fits        {fits}, and {optima} searches for a maximised likelihood\n  draws       {} chains × ({} warm-up + {} draws)\n  criteria    {}\n",
        spec.name,
        sets.len(),
        range(fewest.to_string(), most.to_string()),
        list(count(|set| set.n_features)),
        list(count(|set| set.components)),
        range(least.to_string(), largest.to_string()),
        list(spec.model.components.clone()),
        spec.sampler.chains,
        spec.sampler.warmup,
        spec.sampler.draws,
        spec.scoring.criteria.iter().map(|criterion| criterion.name()).collect::<Vec<_>>().join(", "),
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// `gmm verify` of a suite: a sample of its data sets examined again, tables, figures and page made again.
///
/// # Errors
/// Outcomes that are not there, the disk.
pub fn verify(flags: &Verify, scratch: &Path) -> Result<Verified> {
    let root = &flags.directory;
    let (findings, lacking) = read_all(root)?;
    let (spec, sets) = (&findings.spec, &findings.sets);
    let chosen = pick(sets, flags);
    let draws = scratch.join(SCRATCH);
    make_directory(&draws)?;
    let again = |set: &Set| -> Result<Comparison> {
        let outcome = examine(spec, set, &draws)?;
        write_outcome(&place(scratch, set), &set_inputs(spec, set), &outcome)?;
        let difference = of_bytes(&place(root, set), &place(scratch, set))?;
        Ok(Comparison { what: set.to_string(), difference })
    };
    let jobs = pool(flags.jobs)?.install(|| chosen.par_iter().map(again).collect::<Result<_>>())?;
    write(scratch, &findings, root.join(PAGE).exists())?;
    let files = of_files(root, scratch)?;
    Ok(Verified { jobs, n_stored: sets.len(), files, lacking })
}

/// `gmm report` of a suite, also while it runs: tables, figures and page again from the outcomes that are there.
///
/// # Errors
/// A directory that holds no outcome, the disk.
pub fn report(directory: &Path, format: Format, talk: &Talk) -> Result<ExitCode> {
    let _lock = ReportLock::wait(directory)?;
    let (findings, lacking) = read_all(directory)?;
    if !lacking.is_empty() && !talk.quiet {
        let (done, all) = (findings.sets.len(), findings.sets.len() + lacking.len());
        say!(
            "{done} of {all} data sets are done: the report is of these; `gmm status {}` tells why",
            directory.display()
        );
    }
    write(directory, &findings, true)?;
    let status = present(directory, &findings, format, true, talk)?;
    Ok(if lacking.is_empty() { status } else { ExitCode::from(DOUBTFUL) })
}

/// What is there of a suite, and what keeps the other data sets from being there.
///
/// # Errors
/// The spec, a file that may not be read, a suite of which nothing is there.
fn read_all(directory: &Path) -> Result<(Findings, Vec<Failure>)> {
    let spec = load(&directory.join("spec.toml"))?;
    let (mut done, mut outcomes, mut lacking) = (Vec::new(), Vec::new(), Vec::new());
    for set in sets(&spec.suite) {
        let outcome = match find(&spec, directory, &set)? {
            Stored::Found(file) => {
                outcome_of(&file).map_err(|error| Unavailable::Damaged(format!("{error:#}")))
            }
            Stored::Unavailable(unavailable) => Err(unavailable),
        };
        match outcome {
            Ok(outcome) => {
                outcomes.push(outcome);
                done.push(set);
            }
            Err(unavailable) => {
                lacking.push(Failure { what: set.to_string(), reason: unavailable.to_string() });
            }
        }
    }
    if done.is_empty() {
        bail!("{} holds no data set that is done: `gmm run` completes the suite", directory.display());
    }
    Ok((Findings::of(spec, done, outcomes), lacking))
}
