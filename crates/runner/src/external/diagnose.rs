//! `gmm diagnose`: moments, quantiles and convergence of every variable in a file of draws.

use std::process::ExitCode;

use anyhow::Result;
use gmm_sampler::diagnostics::Summary;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::reliability::{caveat, conclude, four_digits};
use crate::cli::arguments::{Diagnose, Verbosity};
use crate::cli::messages::say;
use crate::cli::output::show_results;
use crate::cli::problem::Problems;
use crate::present::text_table::{TextTable, terminal_width};
use crate::present::words::list::counted;
use crate::process::threads::pool;
use crate::storage::draws::{Content, DrawsFile};

/// Sampler statistics under the names that ArviZ gives them, and ours: they describe trajectories, not the posterior. Stan's end
/// in two underscores.
const STATISTICS: [&str; 6] =
    ["acceptance_rate", "step_size", "tree_depth", "n_steps", "diverging", "energy"];

fn is_variable(name: &str) -> bool {
    !STATISTICS.contains(&name) && (name == "lp__" || !name.ends_with("__"))
}

struct Variable {
    name: String,
    summary: Summary,
    /// Its one value, if there is no other: nothing moves, and nothing is to be diagnosed.
    is_constant: bool,
    caveat: Option<String>,
}

/// Describes the draws of a file.
///
/// # Errors
/// A file that holds no draws of several chains, or the system.
pub fn diagnose(flags: &Diagnose, verbosity: &Verbosity) -> Result<ExitCode> {
    let file = DrawsFile::open(&flags.draws, Content::Variables, is_variable)?;
    let n_chains = file.n_chains();
    let described: Result<Vec<Vec<Variable>>, Problems> = pool(flags.jobs)?.install(|| {
        let batch = |batch: std::ops::Range<usize>| {
            let columns = file.columns(batch.clone())?;
            let names = &file.names()[batch];
            Ok(names
                .par_iter()
                .zip(&columns)
                .map(|(name, column)| describe(name, column, n_chains))
                .collect())
        };
        file.batches().into_par_iter().map(batch).collect()
    });
    let variables: Vec<Variable> = described?.into_iter().flatten().collect();
    let text = || {
        let shape = format!(
            "{}: {} of {} draws, {}\n\n",
            file.shown(),
            counted(n_chains, "chain"),
            file.n_draws() / n_chains,
            counted(variables.len(), "variable"),
        );
        format!("{shape}{}", table(&variables))
    };
    show_results(flags.format, text, || json(&file, &variables))?;
    let constant = variables.iter().filter(|variable| variable.is_constant).count();
    if constant > 0 && !verbosity.quiet {
        say!("{constant} of {} never change: they have no diagnostics", counted(variables.len(), "variable"));
    }
    let caveats: Vec<String> = variables
        .iter()
        .filter_map(|variable| {
            let caveat = variable.caveat.as_ref()?;
            Some(format!("{}: {caveat}", variable.name.escape_debug()))
        })
        .collect();
    Ok(conclude(&caveats, verbosity))
}

fn describe(name: &str, column: &[f64], n_chains: usize) -> Variable {
    let summary = Summary::from_column(column, n_chains);
    let is_constant = column[0].is_finite() && column.iter().all(|value| *value == column[0]);
    let caveat = if is_constant { None } else { caveat(&summary, n_chains) };
    Variable { name: name.to_owned(), summary, is_constant, caveat }
}

fn table(variables: &[Variable]) -> String {
    let header = ["variable", "mean", "sd", "q5", "median", "q95", "MCSE", "bulk ESS", "tail ESS", "R-hat "];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for Variable { name, summary, caveat, .. } in variables {
        let whole = |ess: f64| if ess.is_nan() { "–".to_owned() } else { format!("{ess:.0}") };
        let mut row = vec![name.escape_debug().to_string()];
        row.extend(
            [summary.mean, summary.sd, summary.q5, summary.median, summary.q95, summary.mcse_mean]
                .map(four_digits),
        );
        row.extend([summary.ess_bulk, summary.ess_tail].map(whole));
        let rhat = if summary.rhat.is_nan() { "–".to_owned() } else { format!("{:.3}", summary.rhat) };
        row.push(format!("{rhat}{}", if caveat.is_some() { "?" } else { " " }));
        rows.push(row);
    }
    let legend =
        if variables.iter().any(|variable| variable.caveat.is_some()) { "\n?  unreliable\n" } else { "" };
    format!("{}{legend}", TextTable::with_names(rows).render(terminal_width(), 1))
}

/// What is undefined is null.
fn json(file: &DrawsFile, variables: &[Variable]) -> Value {
    let variables: Vec<Value> = variables
        .iter()
        .map(|Variable { name, summary, caveat, .. }| {
            json!({
                "name": name,
                "mean": summary.mean,
                "sd": summary.sd,
                "q5": summary.q5,
                "median": summary.median,
                "q95": summary.q95,
                "mcse_mean": summary.mcse_mean,
                "ess_bulk": summary.ess_bulk,
                "ess_tail": summary.ess_tail,
                "rhat": summary.rhat,
                "reliable": caveat.is_none(),
                "note": caveat.as_deref().unwrap_or(""),
            })
        })
        .collect();
    json!({"n_chains": file.n_chains(), "n_draws": file.n_draws() / file.n_chains(), "variables": variables})
}
