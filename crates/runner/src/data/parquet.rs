//! Parquet files of any program: the schema first, then only the wanted columns.

use anyhow::Error;

use super::faults::SourceFile;
use super::table::{Choice, NumberColumn, Table, TextColumn, choose, no_numeric_column, too_many};
use crate::cli::problem::{Problem, Problems};
use crate::parquet::{self, Field, Footer, Kind, Numbers};
use crate::study::spec::DataSpec;
use crate::study::spec::limits::MOST_ROWS;

/// The wanted columns of a Parquet file.
///
/// # Errors
/// A damaged file, unknown column names, columns of dates or the like where numbers are wanted, too many rows.
pub fn table<'a>(bytes: &[u8], spec: &'a DataSpec, groups: Option<&str>) -> Result<Table<'a>, Problems> {
    let damaged = |error: Error| Problems::from(damaged(&spec.path, &error));
    let (source, bytes) =
        (SourceFile { file: &spec.path, text: None, lines_before: 0 }, parquet::Source::Memory(bytes));
    let footer = Footer::read(bytes).map_err(damaged)?;
    let n_rows = footer.n_rows();
    if n_rows > MOST_ROWS {
        let message = format!("the file has {n_rows} rows; the limit is {MOST_ROWS}");
        return Err(Problem::new(source.file, message).help("fit a random subset of the rows").into());
    }
    let fields = footer.fields();
    let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
    let Choice { mut features, label, group } = choose(&names, spec, groups)?;
    if spec.columns.is_none() {
        features.retain(|&feature| fields[feature].kind == Kind::Numbers);
    }
    let texts = [("data.label", label), ("scoring.groups", group)];
    let text_problems = texts.into_iter().filter_map(|(key, column)| {
        let field = &fields[column.filter(|&column| matches!(fields[column].kind, Kind::Other(_)))?];
        let message = format!("column `{}` holds {}, not text, numbers or booleans", field.name, field.kind);
        Some(Problem::with_key(source.file, key, message))
    });
    Problems::check(not_numbers(&footer, &features, spec).chain(text_problems).collect())?;

    if features.is_empty() {
        return Err(no_numeric_column(source, &names).into());
    }
    if let Some(problem) = too_many(source, features.len()) {
        return Err(problem.into());
    }
    // One column at a time: the decoder's copy of it is let go before the next is read.
    let columns = features.iter().map(|&place| {
        let numbers = footer.numbers(bytes, &[place])?.remove(0);
        Ok(feature(numbers, &names[place], 0))
    });
    let columns = columns.collect::<Result<_, Error>>().map_err(damaged)?;
    let texts = |place: usize| Ok(classes(footer.texts(bytes, place)?, &names[place]));
    let label = label.map(texts).transpose().map_err(damaged)?;
    let groups = group.map(texts).transpose().map_err(damaged)?;
    let rows = (1..=n_rows).collect();
    Ok(Table { source, names, rows, columns, label, groups, problems: Vec::new() })
}

/// The problem of a file that begins like Parquet but cannot be read.
pub fn damaged(shown: &str, error: &Error) -> Problem {
    Problem::new(shown, "invalid Parquet file").note(format!("{error:#}"))
}

/// The places of the columns that are asked for by name.
///
/// # Errors
/// An unknown name, a column that holds no numbers.
pub fn places(footer: &Footer, spec: &DataSpec) -> Result<Vec<usize>, Problems> {
    let names: Vec<String> = footer.fields().iter().map(|field| field.name.clone()).collect();
    let Choice { features, .. } = choose(&names, spec, None)?;
    Problems::check(not_numbers(footer, &features, spec).collect())?;
    Ok(features)
}

/// A problem for each column that was asked for and holds no numbers.
fn not_numbers(footer: &Footer, features: &[usize], spec: &DataSpec) -> impl Iterator<Item = Problem> {
    features.iter().enumerate().filter_map(|(index, &feature)| {
        let Field { name, kind } = &footer.fields()[feature];
        let message = format!("column `{name}` holds {kind}, not numbers");
        (*kind != Kind::Numbers)
            .then(|| Problem::with_key(&spec.path, format!("data.columns[{index}]"), message))
    })
}

/// Rows of these columns, in the order in which they were asked for, after so many others of the file.
#[must_use]
pub fn rows<'a>(
    source: SourceFile<'a>,
    columns: Vec<Numbers>,
    names: &[String],
    rows_before: usize,
) -> Table<'a> {
    let n_rows = columns.first().map_or(0, |column| column.values.len());
    let columns = columns.into_iter().zip(names).map(|(numbers, name)| feature(numbers, name, rows_before));
    Table {
        source,
        names: names.to_vec(),
        rows: (rows_before + 1..=rows_before + n_rows).collect(),
        columns: columns.collect(),
        label: None,
        groups: None,
        problems: Vec::new(),
    }
}

fn feature(numbers: Numbers, name: &str, rows_before: usize) -> NumberColumn {
    let mut column =
        NumberColumn { name: name.to_owned(), values: numbers.values, ..NumberColumn::default() };
    for (index, value) in column.values.iter_mut().enumerate() {
        if value.is_nan() {
            column.missing.push(rows_before + index + 1, None, || format!("column `{name}` is null or NaN"));
        } else {
            column.numbers += 1;
        }
        if value.is_infinite() {
            column.infinite.push(rows_before + index + 1, None, || format!("column `{name}` is {value}"));
            *value = f64::NAN;
        }
    }
    column
}

fn classes(values: Vec<Option<String>>, name: &str) -> TextColumn {
    let mut label = TextColumn { values, ..TextColumn::default() };
    for (index, class) in label.values.iter().enumerate() {
        if class.is_none() {
            label.missing.push(index + 1, None, || format!("column `{name}` is null"));
        }
    }
    label
}
