//! The cells of a file, whatever its format, and the checks that make them a data set.

use std::ops::RangeInclusive;

use gmm_sampler::data::{Data, DataError, Scaling};
use gmm_sampler::rounding::recorded_step;
use gmm_sampler::start::em::dependent_feature;

use super::dataset::{Dataset, LeftOut, LeftOutColumn, distinct_rows};
use super::faults::{Faults, SourceFile};
use crate::cli::messages::first_of;
use crate::cli::problem::{Problem, Problems};
use crate::study::spec::limits::MOST_FEATURES;
use crate::study::spec::{DataSpec, Missing, Resolution};

/// Columns that are searched for numbers; a file may have any number of others where the wanted ones are named.
pub const MOST_COLUMNS: usize = 10_000;

/// NumberColumn names that are listed in a message; a file may have thousands.
const NAMES_SHOWN: usize = 20;

/// Standard deviations whose squares, summed over a million rows, are well within the range of doubles.
const SPREAD: RangeInclusive<f64> = 1e-150..=1e150;

fn beyond_doubles(name: &str) -> String {
    format!("the variance of column `{name}` is beyond the range of doubles")
}

/// What was read from a file.
#[derive(Debug)]
pub struct Table<'a> {
    pub source: SourceFile<'a>,
    /// All columns of the file, in its order.
    pub names: Vec<String>,
    /// Of each row, its place in the file, counted from 1.
    pub rows: Vec<usize>,
    /// Those asked for, in that order; or all but the label and the groups.
    pub columns: Vec<NumberColumn>,
    pub label: Option<TextColumn>,
    /// Which rows belong together.
    pub groups: Option<TextColumn>,
    /// Problems of whole rows.
    pub problems: Vec<Problem>,
}

/// A column that may be a feature.
#[derive(Debug, Default)]
pub struct NumberColumn {
    pub name: String,
    /// One a row, NaN for a cell that is listed below. Incomplete as soon as a cell is text.
    pub values: Vec<f64>,
    /// How many cells are numbers, infinite ones among them.
    pub numbers: usize,
    pub texts: Faults,
    pub infinite: Faults,
    pub missing: Faults,
}

/// A column of texts: known classes, or groups.
#[derive(Debug, Default)]
pub struct TextColumn {
    /// One a row.
    pub values: Vec<Option<String>>,
    pub missing: Faults,
}

/// The places of the wanted columns in a file, counted from 0.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    pub features: Vec<usize>,
    pub label: Option<usize>,
    pub group: Option<usize>,
}

/// Finds the wanted columns among the names of a file.
///
/// # Errors
/// An unknown name, a name that two columns share, or, where all columns are wanted, a column without a name.
pub fn choose(names: &[String], spec: &DataSpec, groups: Option<&str>) -> Result<Choice, Problems> {
    let mut problems = Vec::new();
    if let Some(name) = names.iter().find(|name| name.chars().any(char::is_control)) {
        // Names are printed: on a terminal such a character is a command.
        let message = format!("the column name \"{}\" contains a control character", name.escape_debug());
        problems.push(Problem::new(&spec.path, message).help("rename the column"));
    }
    let mut find = |key: String, wanted: &str| {
        let mut found = names.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(index, _)| index);
        match (found.next(), found.next()) {
            (Some(index), None) => return Some(index),
            (Some(first), Some(second)) => {
                let (first, second) = (first + 1, second + 1);
                let message = format!("columns {first} and {second} are both called `{wanted}`");
                problems.push(Problem::with_key(&spec.path, key, message));
            }
            (None, _) => problems.push(
                Problem::with_key(&spec.path, key, format!("`{}` has no column `{wanted}`", spec.path))
                    .label(format!("its columns: {}", first_of(names, NAMES_SHOWN)))
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
                problems.push(Problem::new(&spec.path, message));
            }
            if let Some(index) = names.iter().position(String::is_empty) {
                let message = format!("column {} has no name", index + 1);
                problems.push(
                    Problem::new(&spec.path, message)
                        .note("a column without a name often holds row numbers, which are no measurement")
                        .help("list the columns to use in `data.columns`"),
                );
            }
            (0..names.len()).filter(|&index| Some(index) != label && Some(index) != group).collect()
        }
    };
    if features.len() > MOST_COLUMNS {
        let message = format!(
            "the file has {} columns; at most {MOST_COLUMNS} are searched for numbers",
            features.len()
        );
        problems.push(Problem::new(&spec.path, message).help("list the columns to use in `data.columns`"));
    }
    Problems::check(problems)?;
    Ok(Choice { features, label, group })
}

impl NumberColumn {
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

/// A file none of whose columns can be a feature.
pub fn no_numeric_column(source: SourceFile<'_>, names: &[String]) -> Problem {
    let note = format!("its columns: {}", first_of(names, NAMES_SHOWN));
    Problem::new(source.file, "no column is numeric").note(note)
}

/// More features than can be fitted.
pub fn too_many(source: SourceFile<'_>, n_features: usize) -> Option<Problem> {
    let message = format!("{n_features} numeric columns; the limit is {MOST_FEATURES}");
    let problem = || Problem::new(source.file, message).help("list the columns to use in `data.columns`");
    (n_features > MOST_FEATURES).then(problem)
}

impl Table<'_> {
    /// The data set.
    ///
    /// # Errors
    /// All problems: text, infinity or (unless dropped) nothing in a wanted cell; a constant column; no column or too many; no row.
    pub fn into_dataset(
        mut self,
        spec: &DataSpec,
        groups_column: Option<&str>,
        hash: String,
    ) -> Result<Dataset, Problems> {
        let source = self.source;
        let mut problems = std::mem::take(&mut self.problems);
        let named = spec.columns.is_some();
        if !named {
            self.columns.retain(|column| !column.is_text());
        }
        if self.rows.is_empty() && problems.is_empty() {
            return Err(Problem::new(source.file, "the file has a header but no data rows").into());
        }
        if self.columns.is_empty() {
            problems.push(no_numeric_column(source, &self.names));
        }
        problems.extend(too_many(source, self.columns.len()));
        // Whether a column is constant cannot be told while some of its cells are in doubt.
        let without_spread: Vec<Problem> = if problems.is_empty() && self.rows.len() > 1 {
            self.columns.iter().filter_map(|column| without_spread(source, column, spec.missing)).collect()
        } else {
            Vec::new()
        };
        problems.extend(self.faults(spec));
        problems.extend(without_spread);
        Problems::check(problems)?;

        let kept: Vec<usize> = (0..self.rows.len()).filter(|&row| self.is_complete(row)).collect();
        let dropped = self.rows.len() - kept.len();
        if kept.is_empty() {
            let message = format!("each of the {dropped} rows has a missing cell, so that no row is left");
            return Err(Problem::new(source.file, message).into());
        }
        if kept.len() == 1 {
            let message = "there is a single row: a mixture needs at least two".to_owned();
            return Err(Problem::new(source.file, message).into());
        }
        let keep = |column: &mut NumberColumn| {
            let mut values = std::mem::take(&mut column.values);
            if dropped > 0 {
                values = kept.iter().map(|&row| values[row]).collect();
            }
            values
        };
        let columns: Vec<Vec<f64>> = self.columns.iter_mut().map(keep).collect();
        let data = Data::new(columns).expect("there are columns, rows, and only finite numbers");
        // Rows were dropped since the columns were checked, and extreme values may have no standard deviation.
        self.check_spread(&data)?;
        let steps = steps(&data, spec)?;
        let data = data.with_steps(&steps);
        let texts = |mut label: TextColumn| -> Vec<String> {
            let text = |&row: &usize| label.values[row].take().expect("rows without a text were not kept");
            kept.iter().map(text).collect()
        };
        let (classes, groups) = (self.label.map(texts), self.groups.map(texts));
        let rows = match dropped {
            0 => self.rows,
            _ => kept.iter().map(|&row| self.rows[row]).collect(),
        };
        let columns: Vec<String> = self.columns.into_iter().map(|column| column.name).collect();
        let left_out = left_out(self.names, &columns, spec, groups_column);
        Ok(Dataset { columns, left_out, data, steps, rows, classes, groups, dropped, hash })
    }

    /// The places of the rows and their columns, where nothing but numbers is to be there.
    ///
    /// # Errors
    /// Text, infinity or nothing in a cell.
    pub fn into_columns(mut self, spec: &DataSpec) -> Result<(Vec<usize>, Vec<Vec<f64>>), Problems> {
        let mut problems = std::mem::take(&mut self.problems);
        problems.extend(self.faults(spec));
        Problems::check(problems)?;
        Ok((self.rows, self.columns.into_iter().map(|column| column.values).collect()))
    }

    /// Refuses columns whose variance is zero or out of range, or that depend linearly on others.
    fn check_spread(&self, data: &Data) -> Result<(), Problems> {
        let (n, name) = (data.n_observations(), |feature: usize| &self.columns[feature].name);
        let problem = |message: String| Problem::new(self.source.file, message);
        let scaling = match Scaling::standardizing(data) {
            Ok(scaling) => scaling,
            Err(DataError::Constant { feature, value })
                if data.feature(feature).iter().all(|&other| other == value) =>
            {
                let name = name(feature);
                let message = format!("column `{name}` is constant: {value:?} in all {n} complete rows");
                return Err(problem(message).into());
            }
            Err(DataError::Constant { feature, .. }) => {
                return Err(problem(beyond_doubles(name(feature))).into());
            }
            Err(error) => return Err(problem(error.to_string()).into()),
        };
        let extreme = |feature: &usize| !SPREAD.contains(&scaling.scale()[*feature]);
        let extremes: Vec<Problem> = (0..data.n_features())
            .filter(extreme)
            .map(|feature| {
                problem(beyond_doubles(name(feature)))
                    .note(format!("its standard deviation is {:e}", scaling.scale()[feature]))
                    .help("rescale the column: choose a unit in which its values are moderate")
            })
            .collect();
        Problems::check(extremes)?;
        // As many different rows as features or fewer are always linearly dependent: that is no fault of a column.
        let dependent = dependent_feature(data).filter(|_| distinct_rows(data) > data.n_features());
        if let Some(feature) = dependent {
            let message = format!(
                "column `{}` is a linear combination of the columns before it, up to rounding",
                name(feature)
            );
            return Err(problem(message)
                .note("the likelihood of a mixture is unbounded where a covariance matrix is singular")
                .help("leave it out: list the other columns in `data.columns`")
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
            (Faults::default(), Faults::default(), Faults::default());
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
        let elsewhere = "the column also holds numbers; if it is no measurement, list the other columns in `data.columns`";
        let texts = if spec.columns.is_none() { texts.map(|problem| problem.help(elsewhere)) } else { texts };
        let missing = missing.map(|problem| {
            problem.help("set `data.missing = \"drop\"` to leave out rows with missing cells")
        });
        [texts, infinite, missing].into_iter().flatten().collect()
    }
}

/// The columns that are not features, and why.
fn left_out(
    names: Vec<String>,
    features: &[String],
    spec: &DataSpec,
    groups: Option<&str>,
) -> Vec<LeftOutColumn> {
    let reason = |name: &str| {
        if spec.label.as_deref() == Some(name) {
            LeftOut::Label
        } else if groups == Some(name) {
            LeftOut::Groups
        } else if spec.columns.is_some() {
            LeftOut::NotListed
        } else {
            LeftOut::NotNumeric
        }
    };
    let others = names.into_iter().filter(|name| !features.contains(name));
    others.map(|name| LeftOutColumn { reason: reason(&name), name }).collect()
}

/// Why a column of numbers cannot be a feature: a component's σ would shrink to 0 on a constant, at infinite density.
fn without_spread(source: SourceFile<'_>, column: &NumberColumn, missing: Missing) -> Option<Problem> {
    let name = &column.name;
    let elsewhere = "list the other columns in `data.columns`";
    if !(column.texts.is_empty() && column.infinite.is_empty()) {
        return None;
    }
    if column.numbers == 0 {
        let message = format!("column `{name}` is empty in every row");
        return Some(Problem::new(source.file, message).help(elsewhere));
    }
    if missing == Missing::Error && !column.missing.is_empty() {
        return None;
    }
    column.constant().map(|value| {
        Problem::new(source.file, format!("column `{name}` is constant: {value:?} in every row"))
            .note("the likelihood of a mixture is unbounded where a column is constant")
            .help(elsewhere)
    })
}

/// The step in which each column was recorded; 0 where values are exact.
fn steps(data: &Data, spec: &DataSpec) -> Result<Vec<f64>, Problems> {
    let d = data.n_features();
    match &spec.resolution {
        Resolution::None => Ok(vec![0.0; d]),
        Resolution::Auto => Ok((0..d).map(|feature| recorded_step(data.feature(feature))).collect()),
        Resolution::Same(step) => Ok(vec![*step; d]),
        Resolution::Each(steps) if steps.len() == d => Ok(steps.clone()),
        Resolution::Each(steps) => {
            let message = format!("{} steps for {d} columns", steps.len());
            let problem = Problem::with_key(&spec.path, "data.resolution", message);
            Err(problem.label(format!("allowed: \"auto\", \"none\", one number, or {d} numbers")).into())
        }
    }
}
