//! Suites: many simulated data sets, each run as an experiment, and how often each criterion finds the true K.

pub mod bias;
pub mod design;
pub mod outcome;
mod page;
pub mod tally;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use gmm_scoring::{Basis, Criterion};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::cli::{Format, RunFlags, Talk, Verify};
use crate::command::{DOUBTFUL, pool, print};
use crate::disk::{remove_directory, set_aside, sweep, write_bytes};
use crate::experiment;
use crate::lock::{Holder, ReportLock, RunLock};
use crate::problem::Problems;
use crate::provenance::SuiteProvenance;
use crate::report::figures::bias::{Biases, Series};
use crate::report::figures::recovery::{Recovery, Share};
use crate::report::{FIGURES, PAGE, Plate, remove_report};
use crate::spec::suite::{SuiteSpec, read_suite};
use crate::status::{Line, Standing};
use crate::stop::OnStop;
use crate::store::{self, Inputs, State, outcome_state, write_biases, write_outcome, write_picks};
use crate::talk::say;
use crate::verify::{Comparison, Verified, of_bytes, of_files, pick};
use bias::{Bias, biases};
use design::{Set, sets};
use outcome::{Outcome, examine, needs_whole_fits, priors};
use tally::{Factor, Judge, Paired, Pick, Rule, Tally, factors};

/// Everything that is known of a suite once its data sets are done.
pub struct Findings {
    pub spec: SuiteSpec,
    pub sets: Vec<Set>,
    /// In the order of the sets.
    pub outcomes: Vec<Outcome>,
    pub judges: Vec<Judge>,
    /// Of every judge, in the order of the sets.
    picks: Vec<Vec<Pick>>,
    pub factors: Vec<Factor>,
    pub biases: Vec<Bias>,
}

impl Findings {
    fn of(spec: SuiteSpec, sets: Vec<Set>, outcomes: Vec<Outcome>) -> Self {
        let judges = Judge::all(&spec);
        let of_judge = |judge: &Judge| {
            sets.iter().zip(&outcomes).map(|(set, outcome)| judge.pick(&spec, set, outcome)).collect()
        };
        let picks = judges.iter().map(of_judge).collect();
        let (factors, biases) = (factors(&spec, &sets), biases(&outcomes));
        Self { spec, sets, outcomes, judges, picks, factors, biases }
    }

    fn picks(&self, judge: Judge) -> &[Pick] {
        let position = self.judges.iter().position(|other| *other == judge);
        &self.picks[position.expect("every judge of a suite has its picks")]
    }

    /// Of some sets, by their index from 0, or of all.
    #[must_use]
    pub fn tally(&self, judge: Judge, only: Option<&[usize]>) -> Tally {
        let picks = self.picks(judge);
        let of = |i: usize| (picks[i], self.sets[i].components);
        match only {
            Some(indices) => Tally::of(indices.iter().map(|&i| of(i))),
            None => Tally::of((0..self.sets.len()).map(of)),
        }
    }

    /// A judge beside BIC, whose components have full covariances like the model's.
    #[must_use]
    pub fn against_bic(&self, judge: Judge) -> Option<Paired> {
        let bic = Judge { prior: 0, rule: Rule::Best(Criterion::Bic) };
        if judge == bic || !self.judges.contains(&bic) {
            return None;
        }
        let found = |judge: Judge, i: usize| self.picks(judge)[i].0 == Some(self.sets[i].components);
        Some(Paired::of((0..self.sets.len()).map(|i| (found(judge, i), found(bic, i)))))
    }

    /// Sets of which something is missing, each with the reason.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let failed = self.sets.iter().zip(&self.outcomes).filter(|(_, outcome)| !outcome.failure.is_empty());
        failed.map(|(set, outcome)| format!("set {}: {}", set.index, outcome.failure)).collect()
    }
}

fn load(path: &Path) -> Result<SuiteSpec, Problems> {
    let shown = path.display().to_string();
    read_suite(&shown, &experiment::text(path, &shown)?)
}

/// Where the outcome of a set is.
fn place(root: &Path, set: &Set) -> PathBuf {
    root.join("sets").join(format!("set={:05}", set.index)).join("outcome.parquet")
}

/// What is stored of one data set.
///
/// # Errors
/// A file that may not be read.
fn state(spec: &SuiteSpec, root: &Path, set: &Set) -> Result<State> {
    outcome_state(&place(root, set), &Inputs::of_set(spec, set))
}

/// How every data set of a suite stands in a directory, and the suite's name.
///
/// # Errors
/// The spec, a file that may not be read.
pub fn lines(path: &Path, root: &Path, holder: Option<&Holder>) -> Result<(String, Vec<Line>)> {
    let spec = load(path)?;
    let of_set = |set: &Set| -> Result<Line> {
        let state = state(&spec, root, set)?;
        let failure = match &state {
            State::Done(file) => store::outcome(file).map(|outcome| outcome.failure).unwrap_or_default(),
            _ => String::new(),
        };
        let line = Line::of("data sets", set.to_string(), state, holder);
        Ok(if failure.is_empty() {
            line
        } else {
            Line { standing: Standing::Failed, reason: failure, ..line }
        })
    };
    let lines = sets(&spec.suite).iter().map(of_set).collect::<Result<_>>()?;
    Ok((spec.name, lines))
}

/// The outcome of one data set, if it is stored, whole and not stale. What is damaged is set aside.
fn stored(spec: &SuiteSpec, root: &Path, set: &Set) -> Result<Option<Outcome>> {
    let damage = match state(spec, root, set)? {
        State::Done(file) => match store::outcome(&file) {
            Ok(outcome) => return Ok(Some(outcome)),
            Err(error) => format!("{error:#}"),
        },
        State::Damaged(reason) => reason,
        State::Missing | State::Stale(_) | State::Failed(_) => return Ok(None),
    };
    let path = set_aside(&place(root, set))?;
    say!("damaged: {set}: {damage}; set aside as {}, to be run again", path.display());
    Ok(None)
}

/// `gmm run` of a suite.
///
/// # Errors
/// The spec, the disk, or another run in the same directory.
pub fn run(path: &Path, flags: &RunFlags, talk: &Talk) -> Result<ExitCode> {
    let began = Instant::now();
    let spec = load(path)?;
    let root = flags.out.clone().unwrap_or_else(|| Path::new("reports").join(&spec.name));
    // Before hours of work: can results be written at all, and by nobody else?
    let lock = RunLock::take(&root)?;
    sweep(&root)?;
    let sets = sets(&spec.suite);
    let mut outcomes = Vec::with_capacity(sets.len());
    for set in &sets {
        let outcome = if flags.fresh { None } else { stored(&spec, &root, set)? };
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
    let work = Work { spec: &spec, root: &root, lock: &lock, bar: &bar, fail_fast: flags.fail_fast };
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

fn progress(n: usize, hidden: bool) -> ProgressBar {
    let bar = if hidden { ProgressBar::hidden() } else { ProgressBar::new(n as u64) };
    let style = ProgressStyle::with_template(
        "[{bar:40}] {pos} of {len} data sets  {elapsed_precise}, {eta_precise} left",
    );
    bar.with_style(style.expect("the template is sound").progress_chars("━━─"))
}

/// Where draws pass through that are not kept; a run that is killed leaves it to the next one.
const SCRATCH: &str = ".scratch";

/// What sets are run with.
struct Work<'a> {
    spec: &'a SuiteSpec,
    root: &'a Path,
    lock: &'a RunLock,
    bar: &'a ProgressBar,
    fail_fast: bool,
}

impl Work<'_> {
    /// Runs sets, each whole on one thread, and stores every outcome the moment it is there: index, outcome and seconds of each. Of one
    /// data set there is then no more than one in memory for every thread, and its numbers are those of any number of threads.
    fn of(&self, missing: &[&Set], threads: usize) -> Result<Vec<(usize, Outcome, f64)>> {
        let scratch = self.root.join(SCRATCH);
        remove_directory(&scratch)?;
        std::fs::create_dir_all(&scratch).with_context(|| format!("{} cannot be made", scratch.display()))?;
        let _on_stop = OnStop::say(self.farewell(missing.len()));
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Ok(Vec::new())));
        let halted = AtomicBool::new(false);
        let worker = || -> Result<()> {
            let own = pool(Some(1))?;
            while let Some(set) = missing.get(next.fetch_add(1, Ordering::Relaxed))
                && !halted.load(Ordering::Relaxed)
            {
                let began = Instant::now();
                self.lock.begin(set.to_string());
                let outcome = own.install(|| examine(self.spec, set, &scratch))?;
                write_outcome(&place(self.root, set), &Inputs::of_set(self.spec, set), &outcome)?;
                self.lock.end(&set.to_string());
                if self.fail_fast && !outcome.failure.is_empty() {
                    say!("failed: {set}: {}", outcome.failure);
                    halted.store(true, Ordering::Relaxed);
                }
                let entry = (set.index, outcome, began.elapsed().as_secs_f64());
                if let Ok(done) = done.lock().expect("no holder of the lock panics").as_mut() {
                    done.push(entry);
                }
                self.bar.inc(1);
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            for _ in 0..threads.min(missing.len()) {
                scope.spawn(|| {
                    if let Err(error) = worker() {
                        halted.store(true, Ordering::Relaxed);
                        *done.lock().expect("no holder of the lock panics") = Err(error);
                    }
                });
            }
        });
        remove_directory(&scratch)?;
        done.into_inner().expect("no holder of the lock panics")
    }

    /// What is said where the run is stopped by a signal.
    fn farewell(&self, n_sets: usize) -> impl Fn() + Send + 'static {
        let (bar, root) = (self.bar.clone(), self.root.to_path_buf());
        move || {
            let done = bar.position();
            bar.finish_and_clear();
            drop(remove_directory(&root.join(SCRATCH)));
            say!(
                "stopped: {done} of {n_sets} are done and kept in {}; the same command goes on with the rest",
                root.display()
            );
        }
    }
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
    }
    write_bytes(&root.join("table.csv"), words::csv(findings).as_bytes())?;
    write_bytes(&root.join("summary.md"), words::markdown(findings).as_bytes())?;
    if !with_page {
        return Ok(());
    }
    let plates = plates(findings)?;
    for plate in &plates {
        let path = |ending: &str| root.join(FIGURES).join(format!("{}.{ending}", plate.name));
        write_bytes(&path("svg"), plate.figure.svg.as_bytes())?;
        write_bytes(&path("png"), &plate.figure.png)?;
    }
    write_bytes(&root.join(PAGE), page::render(findings, &plates)?.as_bytes())
}

fn plates(findings: &Findings) -> Result<Vec<Plate>> {
    let share = |tally: Tally| Share { n: tally.n, share: tally.share(), interval: tally.interval() };
    let name = |judge: &Judge| judge.name(&findings.spec);
    let recovery = Recovery {
        judges: findings
            .judges
            .iter()
            .map(|judge| {
                let tally = findings.tally(*judge, None);
                let part = |count: usize| count as f64 / tally.n as f64;
                (
                    name(judge),
                    judge.rule == Rule::Answer,
                    share(tally),
                    part(tally.too_small),
                    part(tally.too_large),
                )
            })
            .collect(),
        factors: findings
            .factors
            .iter()
            .map(|factor| {
                let of_judge = |judge: &Judge| {
                    factor.groups.iter().map(|(_, sets)| share(findings.tally(*judge, Some(sets)))).collect()
                };
                let labels = factor.groups.iter().map(|(label, _)| label.clone()).collect();
                (factor.name.to_owned(), labels, findings.judges.iter().map(of_judge).collect())
            })
            .collect(),
    };
    let mut plates = vec![Plate {
        name: "recovery".to_owned(),
        caption: "Share of data sets whose number of components is found, over all and by the factors of the design, with 95 % \
                  intervals (Wilson 1927). “Simplest” is the smallest K that a predictive criterion cannot tell from its best."
            .to_owned(),
        figure: recovery.draw().context("figure of the shares")?,
    }];
    if !findings.biases.is_empty() {
        let series = |prior: usize| Series {
            name: words::prior_in_full(prior, priors(&findings.spec)[prior]),
            points: findings
                .biases
                .iter()
                .filter(|bias| bias.prior == prior)
                .map(|bias| {
                    (
                        crate::table::title(bias.criterion, &findings.spec.scoring),
                        bias.components,
                        bias.excess.mean,
                        bias.excess.se,
                    )
                })
                .collect(),
        };
        let panels = (0..priors(&findings.spec).len()).map(series).collect();
        plates.push(Plate {
            name: "bias".to_owned(),
            caption: "Estimated less true expected log predictive density of the fit to all rows, in nats over all observations: mean over \
                      data sets with two standard errors. Above 0 a criterion promises more than fresh observations keep."
                .to_owned(),
            figure: Biases { panels }.draw().context("figure of the biases")?,
        });
    }
    Ok(plates)
}

fn present(
    root: &Path,
    findings: &Findings,
    format: Format,
    with_page: bool,
    talk: &Talk,
) -> Result<ExitCode> {
    match format {
        Format::Table => print(&words::text(findings))?,
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
    let findings = stored_findings(root)?;
    let (spec, sets) = (&findings.spec, &findings.sets);
    let chosen = pick(sets, flags);
    let draws = scratch.join(SCRATCH);
    std::fs::create_dir_all(&draws).with_context(|| format!("{} cannot be made", draws.display()))?;
    let again = |set: &Set| -> Result<Comparison> {
        let outcome = examine(spec, set, &draws)?;
        write_outcome(&place(scratch, set), &Inputs::of_set(spec, set), &outcome)?;
        let difference = of_bytes(&place(root, set), &place(scratch, set))?;
        Ok(Comparison { what: set.to_string(), difference })
    };
    let jobs = pool(flags.jobs)?.install(|| chosen.par_iter().map(again).collect::<Result<_>>())?;
    write(scratch, &findings, root.join(PAGE).exists())?;
    let files = of_files(root, scratch)?;
    Ok(Verified { jobs, n_stored: sets.len(), files, lacking: Vec::new() })
}

/// `gmm report` of a suite: tables, figures and page again from stored outcomes.
///
/// # Errors
/// Outcomes that are not there, the disk.
pub fn report(directory: &Path, format: Format, talk: &Talk) -> Result<ExitCode> {
    let findings = stored_findings(directory)?;
    let _lock = ReportLock::wait(directory)?;
    write(directory, &findings, true)?;
    present(directory, &findings, format, true, talk)
}

fn stored_findings(directory: &Path) -> Result<Findings> {
    let spec = load(&directory.join("spec.toml"))?;
    let sets = sets(&spec.suite);
    let mut outcomes = Vec::with_capacity(sets.len());
    for set in &sets {
        match state(&spec, directory, set)? {
            State::Done(file) => outcomes.push(store::outcome(&file)?),
            _ => bail!("{set} has no sound stored outcome; `gmm run` completes the suite"),
        }
    }
    Ok(Findings::of(spec, sets, outcomes))
}
