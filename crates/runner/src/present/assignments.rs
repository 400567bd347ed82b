//! Clusters of rows, as CSV, JSON or Parquet, a part at a time.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::cli::output::{ends_in, is_closed_pipe};
use crate::parquet::{Table, Writer};
use crate::scores::clusters::{Assignment, Prediction};
use crate::scores::stored_clusters::{ROW_COLUMNS, columns_of_rows, probability_of};
use crate::storage::atomic::{DiskError, write_through};

/// Rows, where they are in their file, and what is predicted of them.
pub struct Assignments<'a> {
    pub places: &'a [usize],
    pub prediction: &'a Prediction,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    Csv,
    Json,
    Parquet,
}

/// Rows in the format of a file.
pub enum Encoded {
    Text(String),
    Table(Table),
}

impl RowFormat {
    fn from_path(path: &Path) -> Self {
        if ends_in(path, "parquet") {
            Self::Parquet
        } else if ends_in(path, "json") {
            Self::Json
        } else {
            Self::Csv
        }
    }

    /// Rows in this format, without what is before the first and behind the last of a file.
    ///
    /// # Errors
    /// Never: the columns of a table have one length.
    pub fn encode(self, rows: &Assignments<'_>) -> Result<Encoded> {
        Ok(match self {
            Self::Csv => Encoded::Text(csv(rows)),
            Self::Json => Encoded::Text(json(rows)),
            Self::Parquet => Encoded::Table(Table::new(columns_of_rows(rows.places, rows.prediction))?),
        })
    }
}

const MEMORY: &str = "writing to memory cannot fail";

fn header(n_clusters: usize) -> String {
    let of_clusters: Vec<String> = (0..n_clusters).map(probability_of).collect();
    format!("{},{}\n", ROW_COLUMNS.join(","), of_clusters.join(","))
}

fn lines<'a>(rows: &'a Assignments<'_>) -> impl Iterator<Item = (usize, Assignment, f64, &'a [f64])> {
    let probabilities = rows.prediction.probabilities.chunks_exact(rows.prediction.n_clusters().max(1));
    let of_rows = rows.prediction.assignments().zip(&rows.prediction.log_density).zip(probabilities);
    rows.places.iter().zip(of_rows).map(|(place, ((assignment, log_density), probabilities))| {
        (*place, assignment, *log_density, probabilities)
    })
}

fn csv(rows: &Assignments<'_>) -> String {
    let mut text = String::new();
    for (place, Assignment { cluster, probability, runner_up }, log_density, probabilities) in lines(rows) {
        write!(text, "{place},{},{probability:?},", cluster + 1).expect(MEMORY);
        if let Some((other, p)) = runner_up {
            write!(text, "{},{p:?}", other + 1).expect(MEMORY);
        } else {
            text.push(',');
        }
        write!(text, ",{log_density:?}").expect(MEMORY);
        probabilities.iter().for_each(|p| write!(text, ",{p:?}").expect(MEMORY));
        text.push('\n');
    }
    text
}

fn json(rows: &Assignments<'_>) -> String {
    let mut text = String::new();
    for (place, Assignment { cluster, probability, runner_up }, log_density, probabilities) in lines(rows) {
        let entry = serde_json::json!({
            "row": place,
            "cluster": cluster + 1,
            "probability": probability,
            "runner_up": runner_up.map(|(other, _)| other + 1),
            "runner_up_probability": runner_up.map(|(_, p)| p),
            "log_density": log_density,
            "probabilities": probabilities,
        });
        let separator = if text.is_empty() { "" } else { ",\n" };
        write!(text, "{separator}{entry}").expect(MEMORY);
    }
    text
}

/// A file, or standard output, that rows are written to.
pub struct RowWriter<'a> {
    pub format: RowFormat,
    to: To<'a>,
    any: bool,
}

enum To<'a> {
    Text(&'a mut dyn Write),
    /// The writer, as soon as there is a row.
    Parquet(Option<&'a mut File>, Option<Box<Writer<&'a mut File>>>),
}

impl RowWriter<'_> {
    /// # Errors
    /// The disk.
    pub fn write(&mut self, rows: Encoded) -> Result<()> {
        match (&mut self.to, rows) {
            (To::Text(to), Encoded::Text(text)) => {
                if self.any && self.format == RowFormat::Json {
                    to.write_all(b",\n")?;
                }
                to.write_all(text.as_bytes())?;
            }
            (To::Parquet(_, Some(writer)), Encoded::Table(table)) => writer.write(table)?,
            (To::Parquet(file, writer), Encoded::Table(table)) => {
                let file = file.take().context("a file has one writer")?;
                *writer = Some(Box::new(Writer::begin(file, table)?));
            }
            _ => unreachable!("rows are encoded in the format of their writer"),
        }
        self.any = true;
        Ok(())
    }
}

/// Has rows written to a file, which is whole or not there, or to standard output. A reader that closes the pipe is no error.
///
/// # Errors
/// Those of `fill`, the disk.
pub fn write_assignments(
    out: Option<&Path>,
    n_clusters: usize,
    fill: impl FnOnce(&mut RowWriter<'_>) -> Result<()>,
) -> Result<()> {
    let Some(path) = out else {
        return match write_text(&mut std::io::stdout().lock(), RowFormat::Csv, n_clusters, fill) {
            Err(error) if error.downcast_ref().is_some_and(is_closed_pipe) => Ok(()),
            outcome => outcome,
        };
    };
    let written = |error: anyhow::Error| match error.downcast::<std::io::Error>() {
        Ok(error) => DiskError::new(path, "written", error).into(),
        Err(other) => other,
    };
    write_through(path, |file| match RowFormat::from_path(path) {
        RowFormat::Parquet => write_parquet(file, fill),
        format => write_text(file, format, n_clusters, fill),
    })
    .map_err(written)
}

fn write_text(
    to: &mut dyn Write,
    format: RowFormat,
    n_clusters: usize,
    fill: impl FnOnce(&mut RowWriter<'_>) -> Result<()>,
) -> Result<()> {
    let (first, last) = match format {
        RowFormat::Json => ("[\n".to_owned(), "\n]\n"),
        RowFormat::Csv | RowFormat::Parquet => (header(n_clusters), ""),
    };
    to.write_all(first.as_bytes())?;
    fill(&mut RowWriter { format, to: To::Text(to), any: false })?;
    to.write_all(last.as_bytes())?;
    Ok(to.flush()?)
}

fn write_parquet(file: &mut File, fill: impl FnOnce(&mut RowWriter<'_>) -> Result<()>) -> Result<()> {
    let to = To::Parquet(Some(file), None);
    let mut writer = RowWriter { format: RowFormat::Parquet, to, any: false };
    fill(&mut writer)?;
    match writer.to {
        To::Parquet(_, Some(writer)) => writer.finish(),
        To::Parquet(..) | To::Text(_) => bail!("there are no rows to write"),
    }
}
