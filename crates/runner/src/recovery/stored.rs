//! What a suite leaves as Parquet: one file per data set as soon as it is done, and the tables over all.

use std::path::Path;

use anyhow::{Context, Result};
use gmm_sampler::data::Data;
use gmm_scoring::{Criterion, Row, Scale};

use crate::parquet::Column;
use crate::recovery::bias::Bias;
use crate::recovery::outcome::{Outcome, OutcomeRow};
use crate::recovery::tally::Pick;
use crate::storage::atomic::DiskResult;
use crate::storage::footer::{INPUTS, VERSION, VERSION_ENTRY, version_alone};
use crate::storage::inputs::Inputs;
use crate::storage::seal::{self, Sealed};
use crate::study::design::Set;
use crate::study::job::ModelKey;

/// Footer entries of an outcome.
const FAILURE: &str = "gmm.failure";
const UNRELIABLE: &str = "gmm.doubtful";
const GAIN_FROM_TRUTH: &str = "gmm.gain_from_truth";

/// Stores the outcome of one data set.
///
/// # Errors
/// The disk.
pub fn write_outcome(path: &Path, inputs: &Inputs, outcome: &Outcome) -> DiskResult<()> {
    let count =
        |of: fn(&OutcomeRow) -> usize| outcome.rows.iter().map(|row| of(row) as u32).collect::<Vec<u32>>();
    let number = |of: fn(&OutcomeRow) -> f64| outcome.rows.iter().map(of).collect::<Vec<f64>>();
    let columns = vec![
        Column::new("prior", count(|row| row.prior)),
        Column::new("criterion", outcome.rows.iter().map(|row| row.criterion.name()).collect::<Vec<_>>()),
        Column::new("components", count(|row| row.row.model.components)),
        Column::new("estimate", number(|row| row.row.estimate)),
        Column::new("se", number(|row| row.row.se)),
        Column::new("mcse", number(|row| row.row.mcse)),
        Column::new("difference", number(|row| row.row.difference)),
        Column::new("difference_se", number(|row| row.row.difference_se)),
        Column::new("difference_mcse", number(|row| row.row.difference_mcse)),
        Column::new("weight", number(|row| row.row.weight)),
        Column::new("reliable", outcome.rows.iter().map(|row| row.row.reliable).collect::<Vec<bool>>()),
        Column::new("expected", number(|row| row.expected)),
    ];
    let footer = [
        (VERSION_ENTRY, VERSION.to_owned()),
        (INPUTS, inputs.text()),
        (FAILURE, outcome.failure.clone().unwrap_or_default()),
        (UNRELIABLE, outcome.n_unreliable.to_string()),
        (GAIN_FROM_TRUTH, outcome.gain_from_truth.map_or(String::new(), |gain| format!("{gain:?}"))),
    ];
    seal::write(path, columns, &footer)
}

/// The outcome that a file holds.
///
/// # Errors
/// A file of another shape.
pub fn outcome_of(file: &Sealed) -> Result<Outcome> {
    let mut table = file.table()?;
    let criteria = table.take::<String>("criterion")?;
    let reliable = table.take::<bool>("reliable")?;
    let (prior, components) = (table.take::<u32>("prior")?, table.take::<u32>("components")?);
    let [estimate, se, difference, difference_se, weight, expected] =
        ["estimate", "se", "difference", "difference_se", "weight", "expected"]
            .map(|name| table.take::<f64>(name));
    let (estimate, se, difference) = (estimate?, se?, difference?);
    let (difference_se, weight, expected) = (difference_se?, weight?, expected?);
    let monte_carlo = if table.has("mcse") {
        Some((table.take::<f64>("mcse")?, table.take::<f64>("difference_mcse")?))
    } else {
        None
    };
    let rows = (0..prior.len()).map(|i| {
        let criterion: Criterion = criteria[i].parse()?;
        let errors = (se[i], difference_se[i]);
        let ((se, difference_se), (mcse, difference_mcse)) = match &monte_carlo {
            Some((mcse, difference_mcse)) => (errors, (mcse[i], difference_mcse[i])),
            // Files of earlier versions have one pair of errors: over terms for predictions, of Monte Carlo for the others.
            None if criterion.scale() == Scale::Prediction => (errors, (f64::NAN, f64::NAN)),
            None => ((f64::NAN, f64::NAN), errors),
        };
        Ok(OutcomeRow {
            prior: prior[i] as usize,
            criterion,
            row: Row {
                model: ModelKey::full(components[i] as usize),
                estimate: estimate[i],
                se,
                mcse,
                difference: difference[i],
                difference_se,
                difference_mcse,
                weight: weight[i],
                reliable: reliable[i],
            },
            expected: expected[i],
        })
    });
    Ok(Outcome {
        rows: rows.collect::<Result<_>>()?,
        failure: file.entry(FAILURE).filter(|reason| !reason.is_empty()).map(str::to_owned),
        n_unreliable: file.entry(UNRELIABLE).context("the count of unreliable fits is missing")?.parse()?,
        // Files of earlier versions have none.
        gain_from_truth: match file.entry(GAIN_FROM_TRUTH) {
            None | Some("") => None,
            Some(text) => Some(text.parse()?),
        },
    })
}

/// One row per data set and rule. A rule that picked nothing has a missing K.
///
/// # Errors
/// The disk.
pub fn write_picks(path: &Path, picks: &[(Set, String, Pick)]) -> DiskResult<()> {
    let count = |of: fn(&Set) -> usize| picks.iter().map(|(set, _, _)| of(set) as u32).collect::<Vec<u32>>();
    let picked = picks.iter().map(|(_, _, pick)| pick.0.map(|k| k as u32)).collect::<Vec<Option<u32>>>();
    let found = picks.iter().map(|(set, _, pick)| pick.0 == Some(set.components)).collect::<Vec<bool>>();
    let columns = vec![
        Column::new("set", count(|set| set.index)),
        Column::new("n_observations", count(|set| set.n_observations)),
        Column::new("n_features", count(|set| set.n_features)),
        Column::new("components", count(|set| set.components)),
        Column::new("overlap", picks.iter().map(|(set, _, _)| set.overlap).collect::<Vec<f64>>()),
        Column::new("rule", picks.iter().map(|(_, rule, _)| rule.as_str()).collect::<Vec<_>>()),
        Column::new("picked", picked),
        Column::new("found", found),
    ];
    seal::write(path, columns, &version_alone())
}

/// One row per prior, criterion and K.
///
/// # Errors
/// The disk.
pub fn write_biases(path: &Path, biases: &[Bias]) -> DiskResult<()> {
    let number = |of: fn(&Bias) -> f64| biases.iter().map(of).collect::<Vec<f64>>();
    let count = |of: fn(&Bias) -> usize| biases.iter().map(|bias| of(bias) as u32).collect::<Vec<u32>>();
    let columns = vec![
        Column::new("prior", count(|bias| bias.prior)),
        Column::new("criterion", biases.iter().map(|bias| bias.criterion.name()).collect::<Vec<_>>()),
        Column::new("components", count(|bias| bias.model.components)),
        Column::new("n", count(|bias| bias.n)),
        Column::new("bias", number(|bias| bias.excess.mean)),
        Column::new("se", number(|bias| bias.excess.se)),
        Column::new("over_kfold", number(|bias| bias.over_kfold.mean)),
        Column::new("over_kfold_se", number(|bias| bias.over_kfold.se)),
    ];
    seal::write(path, columns, &version_alone())
}

/// Simulated observations and where each came from.
///
/// # Errors
/// The disk.
pub fn write_observations(
    path: &Path,
    names: &[String],
    data: &Data,
    label: (&str, Vec<String>),
) -> DiskResult<()> {
    assert_eq!(names.len(), data.n_features(), "a name for every feature");
    let mut columns: Vec<Column> = names
        .iter()
        .enumerate()
        .map(|(feature, name)| Column::new(name, data.feature(feature).to_vec()))
        .collect();
    columns.push(Column::new(label.0, label.1));
    seal::write(path, columns, &version_alone())
}
