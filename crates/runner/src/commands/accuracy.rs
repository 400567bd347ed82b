//! `gmm accuracy`: runs the accuracy suite on all threads, prints its table and writes what is behind it.

mod page;

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use gmm_accuracy::case::{CaseError, CaseReport, Columns};
use gmm_accuracy::check::{Check, FAMILY_WISE_ERROR_RATE, Part, Verdict, verdicts};
use gmm_accuracy::suite::{Length, Suite, Task};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::cli::arguments::{Accuracy, Talk};
use crate::cli::command::{DOUBTFUL, pool, print};
use crate::cli::messages::say;
use crate::present::figures::calibration::CalibrationPlot;
use crate::present::figures::figure::{FIGURES, ReportFigure};
use crate::present::figures::p_values::PValuePlot;
use crate::present::figures::z_scores::ZScorePlot;
use crate::present::report::PAGE;
use crate::process::panics::{catch_panic, defect};
use crate::storage::accuracy::{write_checks, write_ranks, write_z_scores};
use crate::storage::atomic::{remove_directory, write_bytes};

/// What the whole suite found.
struct Findings {
    checks: Vec<(Check, Verdict)>,
    /// Per case, in the suite's order.
    outcomes: Vec<CaseReport>,
}

impl Findings {
    fn failed(&self) -> usize {
        self.checks.iter().filter(|(_, verdict)| *verdict == Verdict::Fail).count()
    }
}

/// Runs the suite, and fails by exit status where the sampler does.
///
/// # Errors
/// The disk.
pub fn accuracy(flags: &Accuracy, talk: &Talk) -> Result<ExitCode> {
    let suite = Suite::new(if flags.quick { Length::Quick } else { Length::Long });
    let tasks = suite.tasks();
    if !talk.quiet {
        say!("accuracy: {} cases, {} tasks", suite.n_cases(), tasks.len());
    }
    // Before minutes of work: can results be written at all?
    write_bytes(&flags.out.join("accuracy.csv"), b"")?;
    let bar = if talk.quiet { ProgressBar::hidden() } else { ProgressBar::new(tasks.len() as u64) };
    let style = ProgressStyle::with_template("[{bar:40}] {percent:>3} %  {elapsed_precise}");
    bar.set_style(style.expect("the template is sound").progress_chars("━━─"));
    let findings = pool(flags.jobs)?.install(|| {
        let findings = examine(&suite, &tasks, &bar);
        write(&flags.out, &findings).map(|()| findings)
    })?;
    print(&table(&findings))?;
    if !talk.quiet {
        say!("report: {}", flags.out.join("index.html").display());
    }
    Ok(if findings.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::from(DOUBTFUL) })
}

fn examine(suite: &Suite, tasks: &[Task], bar: &ProgressBar) -> Findings {
    let results: Vec<Result<Columns, CaseError>> = tasks
        .par_iter()
        // Tasks differ in length: each is to be taken by itself.
        .with_max_len(1)
        .map(|&task| {
            let result = run(suite, task);
            bar.inc(1);
            result
        })
        .collect();
    bar.finish_and_clear();
    let mut of_case = vec![Vec::new(); suite.n_cases()];
    for (task, result) in tasks.iter().zip(results) {
        of_case[task.case].push(result);
    }
    let outcomes: Vec<CaseReport> = of_case
        .into_par_iter()
        .with_max_len(1)
        .enumerate()
        .map(|(case, results)| suite.conclude(case, results))
        .collect();
    let checks: Vec<Check> = outcomes.iter().flat_map(|outcome| outcome.checks.clone()).collect();
    let verdicts = verdicts(&checks, FAMILY_WISE_ERROR_RATE);
    Findings { checks: checks.into_iter().zip(verdicts).collect(), outcomes }
}

/// A panic is a finding: the other cases go on.
fn run(suite: &Suite, task: Task) -> Result<Columns, CaseError> {
    catch_panic(|| Ok(suite.run(task)), defect)
        .unwrap_or_else(|panic| Err(CaseError::Panic(panic.to_string())))
}

/// One row per check, and the verdict over all.
fn table(findings: &Findings) -> String {
    let mut text = String::new();
    for (check, verdict) in &findings.checks {
        writeln!(text, "{}  {check}", verdict.name()).expect("writing to a string cannot fail");
    }
    writeln!(text, "\n{}", summary(findings)).expect("writing to a string cannot fail");
    text
}

fn summary(findings: &Findings) -> String {
    let (failed, all) = (findings.failed(), findings.checks.len());
    let rate = format!("family-wise error rate {FAMILY_WISE_ERROR_RATE}, Holm's procedure over all p-values");
    match failed {
        0 => format!("all {all} checks pass ({rate})"),
        _ => format!("{failed} of {all} checks FAIL ({rate})"),
    }
}

/// `accuracy.csv`. Cells of text hold commas, so they are quoted.
fn csv(findings: &Findings) -> String {
    let mut text = String::from("part,case,quantity,statistic,value,p_value,bound,verdict\n");
    let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:?}"));
    for (check, verdict) in &findings.checks {
        let result = &check.result;
        writeln!(
            text,
            "{},\"{}\",\"{}\",\"{}\",{},{},{},{}",
            check.part.name(),
            check.case,
            check.quantity,
            result.statistic().replace('"', "\"\""),
            number(result.value()),
            number(result.p_value()),
            number(result.bound()),
            verdict.name()
        )
        .expect("writing to a string cannot fail");
    }
    text
}

fn write(root: &Path, findings: &Findings) -> Result<()> {
    let all = |of: fn(&CaseReport) -> usize| findings.outcomes.iter().map(of).sum::<usize>();
    let mut z_scores = Vec::with_capacity(all(|outcome| outcome.z_scores.len()));
    let mut ranks = Vec::with_capacity(all(|outcome| outcome.ranks.len()));
    for outcome in &findings.outcomes {
        z_scores.extend_from_slice(&outcome.z_scores);
        ranks.extend_from_slice(&outcome.ranks);
    }
    write_bytes(&root.join("accuracy.csv"), csv(findings).as_bytes())?;
    write_checks(&root.join("accuracy.parquet"), &findings.checks)?;
    write_z_scores(&root.join("z_scores.parquet"), &z_scores)?;
    write_ranks(&root.join("ranks.parquet"), &ranks)?;

    let figures = figures(findings)?;
    // Figures of cases that are no longer run; the rest is drawn again.
    remove_directory(&root.join(FIGURES))?;
    figures.iter().try_for_each(|figure| figure.write(root))?;
    Ok(write_bytes(&root.join(PAGE), page::render(findings, &figures)?.as_bytes())?)
}

/// Every figure: the p-values of all checks, z-scores part by part, ranks case by case.
fn figures(findings: &Findings) -> Result<Vec<ReportFigure>> {
    let p_values = findings
        .checks
        .iter()
        .filter_map(|(check, _)| Some((check.part, check.result.p_value()?)))
        .filter(|(_, p_value)| !p_value.is_nan())
        .collect();
    let mut figures = vec![ReportFigure {
        name: "p-values".to_owned(),
        caption: "Every p-value against what it would be, were all independent and the sampler right: on the line, but for chance. \
                  Checks of one case share their draws, so that points wander together. Holm's procedure fails points above its limit, \
                  and all to the right of one that fails."
            .to_owned(),
        figure: PValuePlot { p_values, family_wise: FAMILY_WISE_ERROR_RATE }.draw().context("figure of the p-values")?,
    }];
    let parts = Part::ALL.into_par_iter().filter_map(|part| {
        let groups = findings.outcomes.iter().flat_map(|outcome| &outcome.z_scores);
        let groups: Vec<_> = groups.filter(|group| group.part == part).cloned().collect();
        (!groups.is_empty()).then_some((part, groups))
    });
    let z_scores = parts.map(|(part, groups)| {
        let figure = ZScorePlot { title: part.name().to_owned(), groups }.draw();
        Ok(ReportFigure {
            name: format!("z-scores-{}", part.name()),
            caption: format!(
                "{}: estimates less the truth in units of their Monte Carlo error, sorted, against the quantiles of the normal \
                 distribution. The band holds each of the sorted values in 95 % of simulations from N(0, C), C the correlation of the \
                 estimates: they are not independent, so that a right sampler's points may leave the diagonal together.",
                part.name()
            ),
            figure: figure.with_context(|| format!("figure of the z-scores of {}", part.name()))?,
        })
    });
    figures.extend(z_scores.collect::<Result<Vec<_>>>()?);
    let cases = findings.outcomes.par_iter().filter(|outcome| !outcome.ranks.is_empty());
    let ranks = cases.map(|outcome| {
        let (case, n) = (&outcome.ranks[0].case, outcome.ranks[0].n_replicates);
        let figure = CalibrationPlot { quantities: outcome.ranks.clone() }.draw();
        Ok(ReportFigure {
            name: format!("calibration-{}", slug(case)),
            caption: format!(
                "Calibration, {case}: {n} parameters drawn from the prior, ranked among draws of the posterior of data simulated from \
                 them. Empirical distribution of the ranks less the uniform one; a right sampler's line stays within its band with \
                 a probability of 95 % (Säilynoja, Bürkner & Vehtari 2022)."
            ),
            figure: figure.with_context(|| format!("figure of the ranks of {case}"))?,
        })
    });
    figures.extend(ranks.collect::<Result<Vec<_>>>()?);
    Ok(figures)
}

/// A case's name as part of a file's.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cases_become_names_of_files() {
        assert_eq!(slug("K = 2, D = 1, log-normal"), "k-2-d-1-log-normal");
    }
}
