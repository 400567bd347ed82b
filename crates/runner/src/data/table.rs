//! The cells of a file, whatever its format, and the judgement whether they can be observations.

use std::ops::RangeInclusive;

use gmm_sampler::data::{Data, DataError, Scaling};
use gmm_sampler::start::em::dependent_feature;

use super::finding::{Findings, Source};
use super::{Dataset, MOST_COLUMNS, MOST_FEATURES, distinct_rows};
use crate::cli::problem::{Problem, Problems};
use crate::study::spec::{DataSpec, Missing};

/// Column names that are listed in a message; a file may have thousands.
const NAMES_SHOWN: usize = 20;

/// Standard deviations whose squares, summed over a million rows, are well within the range of doubles.
const SPREAD: RangeInclusive<f64> = 1e-150..=1e150;

fn beyond_doubles(name: &str) -> String {
    format!("the standard deviation of column `{name}` squares to a number beyond the range of doubles")
}

/// What was read from a file.
#[derive(Debug)]
pub struct Table<'a> {
    pub source: Source<'a>,
    /// Of each row, its place in the file, counted from 1.
    pub rows: Vec<usize>,
    /// Those asked for, in that order; or all but the label and the groups.
    pub columns: Vec<Column>,
    pub label: Option<Label>,
    /// Which rows belong together.
    pub groups: Option<Label>,
    /// What is wrong with whole rows.
    pub problems: Vec<Problem>,
}

/// A column that may be a feature.
#[derive(Debug, Default)]
pub struct Column {
    pub name: String,
    /// One a row, NaN for a cell that is listed below. Incomplete as soon as a cell is text.
    pub values: Vec<f64>,
    /// How many cells are numbers, infinite ones among them.
    pub numbers: usize,
    pub texts: Findings,
    pub infinite: Findings,
    pub missing: Findings,
}

/// A column of texts: known classes, or groups.
#[derive(Debug, Default)]
pub struct Label {
    /// One a row.
    pub values: Vec<Option<String>>,
    pub missing: Findings,
}

/// Where the wanted columns stand in a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    pub features: Vec<usize>,
    pub label: Option<usize>,
    pub group: Option<usize>,
}

/// Finds the wanted columns among the names of a file.
///
/// # Errors
/// An unknown name, a wanted name that two columns have, or, where all columns are wanted, a column without a name.
pub fn choose(names: &[String], spec: &DataSpec, groups: Option<&str>) -> Result<Choice, Problems> {
    let mut problems = Vec::new();
    if let Some(name) = names.iter().find(|name| name.chars().any(char::is_control)) {
        // Names are printed: on a terminal such a character is a command.
        let message = format!("the column name \"{}\" has a control character", name.escape_debug());
        problems.push(Problem::of_file(&spec.path, message));
    }
    let mut find = |key: String, wanted: &str| {
        let mut found = names.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(index, _)| index);
        match (found.next(), found.next()) {
            (Some(index), None) => return Some(index),
            (Some(first), Some(second)) => {
                let (first, second) = (first + 1, second + 1);
                let message = format!("columns {first} and {second} are both called `{wanted}`");
                problems.push(Problem::of_key(&spec.path, key, message));
            }
            (None, _) => problems.push(
                Problem::of_key(&spec.path, key, format!("`{}` has no column `{wanted}`", spec.path))
                    .label(format!("its columns: {}", list(names)))
                    .did_you_mean(wanted, names.iter().map(String::as_str)),
            ),
        }
        None
    };
    let label = spec.label.as_ref().and_then(|label| find("data.label".to_owned(), label));
    let group = groups.and_then(|groups| find("scoring.groups".to_owned(), groups));
    let features: Vec<usize> = match &spec.columns {
        Some(wanted) => wanted
            .iter()
            .enumerate()
            .filter_map(|(index, name)| find(format!("data.columns[{index}]"), name))
            .collect(),
        None => {
            let mut sorted: Vec<(&str, usize)> =
                names.iter().enumerate().map(|(index, name)| (name.as_str(), index + 1)).collect();
            sorted.sort_unstable();
            let twice = sorted.array_windows().find(|[(a, _), (b, _)]| a == b);
            if let Some(&[(name, first), (_, second)]) = twice.filter(|[(name, _), _]| !name.is_empty()) {
                let message = format!("columns {first} and {second} are both called `{name}`");
                problems.push(Problem::of_file(&spec.path, message));
            }
            if let Some(index) = names.iter().position(String::is_empty) {
                let message = format!("column {} has no name", index + 1);
                problems.push(
                    Problem::of_file(&spec.path, message)
                        .note("often the row numbers of the program that wrote the file: not a measurement")
                        .help("name the wanted columns in `data.columns`"),
                );
            }
            (0..names.len()).filter(|&index| Some(index) != label && Some(index) != group).collect()
        }
    };
    if features.len() > MOST_COLUMNS {
        let message =
            format!("{} columns, at most {MOST_COLUMNS} are looked through for numbers", features.len());
        problems
            .push(Problem::of_file(&spec.path, message).help("name the wanted columns in `data.columns`"));
    }
    Problems::none_of(problems)?;
    Ok(Choice { features, label, group })
}

fn list(names: &[String]) -> String {
    let shown = names.iter().take(NAMES_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

impl Column {
    /// Some cells are text, and no cell is a number.
    fn is_text(&self) -> bool {
        self.numbers == 0 && !self.texts.is_empty()
    }

    /// The value of every row that has one, if they are all the same.
    fn constant(&self) -> Option<f64> {
        let mut present = self.values.iter().copied().filter(|value| !value.is_nan());
        let first = present.next()?;
        present.all(|value| value == first).then_some(first)
    }
}

/// More features than can be fitted.
pub fn too_many(source: Source<'_>, n_features: usize) -> Option<Problem> {
    let message = format!("{n_features} columns of numbers, at most {MOST_FEATURES} can be fitted");
    let problem = || Problem::of_file(source.file, message).help("name the wanted columns in `data.columns`");
    (n_features > MOST_FEATURES).then(problem)
}

impl Table<'_> {
    /// The observations, or everything that speaks against them.
    ///
    /// # Errors
    /// Text, infinity or (unless dropped) nothing in a wanted cell; a constant column; no column or too many; no row.
    pub fn judge(mut self, spec: &DataSpec, hash: String) -> Result<Dataset, Problems> {
        let source = self.source;
        let mut problems = std::mem::take(&mut self.problems);
        let named = spec.columns.is_some();
        if !named {
            self.columns.retain(|column| !column.is_text());
        }
        if self.rows.is_empty() && problems.is_empty() {
            return Err(Problem::of_file(source.file, "there are names of columns and no rows").into());
        }
        if self.columns.is_empty() {
            problems.push(Problem::of_file(source.file, "no column holds numbers"));
        }
        problems.extend(too_many(source, self.columns.len()));
        // Whether a column is constant cannot be told while some of its cells are in doubt.
        let without_spread: Vec<Problem> = if problems.is_empty() {
            self.columns.iter().filter_map(|column| without_spread(source, column, spec.missing)).collect()
        } else {
            Vec::new()
        };
        problems.extend(self.faults(spec));
        problems.extend(without_spread);
        Problems::none_of(problems)?;

        let kept: Vec<usize> = (0..self.rows.len()).filter(|&row| self.is_complete(row)).collect();
        let dropped = self.rows.len() - kept.len();
        if kept.is_empty() {
            let message = format!("every one of the {dropped} rows has a missing cell");
            return Err(Problem::of_file(source.file, message).into());
        }
        let keep = |column: &mut Column| {
            let mut values = std::mem::take(&mut column.values);
            if dropped > 0 {
                values = kept.iter().map(|&row| values[row]).collect();
            }
            values
        };
        let columns: Vec<Vec<f64>> = self.columns.iter_mut().map(keep).collect();
        let data = Data::new(columns).expect("there are columns, rows, and only finite numbers");
        // Rows were dropped since the columns were judged, and extreme values may have no standard deviation.
        self.judge_spread(&data)?;
        let texts = |mut label: Label| -> Vec<String> {
            let text = |&row: &usize| label.values[row].take().expect("rows without a text were not kept");
            kept.iter().map(text).collect()
        };
        let (classes, groups) = (self.label.map(texts), self.groups.map(texts));
        let rows = match dropped {
            0 => self.rows,
            _ => kept.iter().map(|&row| self.rows[row]).collect(),
        };
        Ok(Dataset {
            columns: self.columns.into_iter().map(|column| column.name).collect(),
            data,
            rows,
            classes,
            groups,
            dropped,
            hash,
        })
    }

    /// What columns of numbers may yet be that no mixture can be fitted to.
    fn judge_spread(&self, data: &Data) -> Result<(), Problems> {
        let (n, name) = (data.n_observations(), |feature: usize| &self.columns[feature].name);
        let problem = |message: String| Problem::of_file(self.source.file, message);
        let scaling = match Scaling::standardizing(data) {
            Ok(scaling) => scaling,
            Err(DataError::Constant { feature, value })
                if data.feature(feature).iter().all(|&other| other == value) =>
            {
                let name = name(feature);
                let message =
                    format!("column `{name}` has the value {value:?} in every one of the {n} complete rows");
                return Err(problem(message).into());
            }
            Err(DataError::Constant { feature, .. }) => {
                return Err(problem(beyond_doubles(name(feature))).into());
            }
            Err(error) => return Err(problem(error.to_string()).into()),
        };
        let extreme = |feature: &usize| !SPREAD.contains(&scaling.unit(*feature));
        let extremes: Vec<Problem> = (0..data.n_features())
            .filter(extreme)
            .map(|feature| {
                problem(beyond_doubles(name(feature)))
                    .note(format!("it is {:e}", scaling.unit(feature)))
                    .help("multiply the column by a constant: choose a unit in which values are moderate")
            })
            .collect();
        Problems::none_of(extremes)?;
        // As many different rows as features or fewer are always linearly dependent: that is no fault of a column.
        let dependent = dependent_feature(data).filter(|_| distinct_rows(data) > data.n_features());
        if let Some(feature) = dependent {
            let message = format!(
                "column `{}` is, to within rounding, a linear combination of those before it",
                name(feature)
            );
            return Err(problem(message)
                .note("the likelihood of a mixture is unbounded where a covariance is singular")
                .help("leave it out: name the others in `data.columns`")
                .into());
        }
        Ok(())
    }

    fn is_complete(&self, row: usize) -> bool {
        self.columns.iter().all(|column| !column.values[row].is_nan())
            && [&self.label, &self.groups].into_iter().flatten().all(|label| label.values[row].is_some())
    }

    /// Problems of single cells: one for each kind, over all columns.
    fn faults(&mut self, spec: &DataSpec) -> Vec<Problem> {
        let (mut texts, mut infinite, mut missing) =
            (Findings::default(), Findings::default(), Findings::default());
        for column in &mut self.columns {
            texts = texts.merge(std::mem::take(&mut column.texts));
            infinite = infinite.merge(std::mem::take(&mut column.infinite));
            missing = missing.merge(std::mem::take(&mut column.missing));
        }
        for label in [&mut self.label, &mut self.groups].into_iter().flatten() {
            missing = missing.merge(std::mem::take(&mut label.missing));
        }
        let texts = texts.problem(self.source, "a cell is not a number", "cells are not numbers");
        let infinite = infinite.problem(
            self.source,
            "a number is infinite, or too large for a double",
            "numbers are infinite, or too large for a double",
        );
        let missing = match spec.missing {
            Missing::Error => missing.problem(self.source, "a cell is missing", "cells are missing"),
            Missing::Drop => None,
        };
        let elsewhere =
            "the same column holds numbers: if it is no measurement, name the others in `data.columns`";
        let texts = if spec.columns.is_none() { texts.map(|problem| problem.help(elsewhere)) } else { texts };
        let missing = missing.map(|problem| problem.help("`data.missing = \"drop\"` leaves such rows out"));
        [texts, infinite, missing].into_iter().flatten().collect()
    }
}

/// Why a column of numbers cannot be a feature: a component's σ would shrink to 0 on a constant, at infinite density.
fn without_spread(source: Source<'_>, column: &Column, missing: Missing) -> Option<Problem> {
    let name = &column.name;
    let elsewhere = "name the other columns in `data.columns`";
    if !(column.texts.is_empty() && column.infinite.is_empty()) {
        return None;
    }
    if column.numbers == 0 {
        let message = format!("column `{name}` has no value in any row");
        return Some(Problem::of_file(source.file, message).help(elsewhere));
    }
    if missing == Missing::Error && !column.missing.is_empty() {
        return None;
    }
    column.constant().map(|value| {
        Problem::of_file(source.file, format!("column `{name}` has the value {value:?} in every row"))
            .note("the likelihood of a mixture is unbounded on a constant column")
            .help(elsewhere)
    })
}
