//! Parquet files of any program: the schema first, then only the wanted columns.

use anyhow::Error;

use super::MOST_ROWS;
use super::finding::Source;
use super::table::{Choice, Column, Label, Table, choose, too_many};
use crate::cli::problem::{Problem, Problems};
use crate::parquet::{self, Footer, Kind, Numbers};
use crate::study::spec::DataSpec;

/// The wanted columns of a Parquet file.
///
/// # Errors
/// A damaged file, names that are not there, columns of dates or the like where numbers are wanted, too many rows.
pub fn table<'a>(bytes: &[u8], spec: &'a DataSpec, groups: Option<&str>) -> Result<Table<'a>, Problems> {
    let damaged = |error: Error| Problems::from(damaged(&spec.path, &error));
    let (source, bytes) = (Source { file: &spec.path, text: None }, parquet::Source::Memory(bytes));
    let footer = Footer::read(bytes).map_err(damaged)?;
    let n_rows = footer.n_rows();
    if n_rows > MOST_ROWS {
        let message = format!("{n_rows} rows, at most {MOST_ROWS} can be fitted");
        return Err(Problem::of_file(source.file, message).help("fit a random subset of the rows").into());
    }
    let fields = footer.fields();
    let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
    let Choice { mut features, label, group } = choose(&names, spec, groups)?;
    let is_numeric = |feature: usize| fields[feature].kind == Kind::Numbers;
    if spec.columns.is_none() {
        features.retain(|&feature| is_numeric(feature));
    }
    let problems = features.iter().enumerate().filter(|(_, feature)| !is_numeric(**feature));
    let problems = problems.map(|(index, &feature)| {
        let message = format!("column `{}` holds {}, not numbers", names[feature], fields[feature].kind);
        Problem::of_key(source.file, format!("data.columns[{index}]"), message)
    });
    let texts = [("data.label", label), ("scoring.groups", group)];
    let text_problems = texts.into_iter().filter_map(|(key, column)| {
        let field = &fields[column.filter(|&column| matches!(fields[column].kind, Kind::Other(_)))?];
        let message = format!("column `{}` holds {}: neither text nor numbers", field.name, field.kind);
        Some(Problem::of_key(source.file, key, message))
    });
    Problems::none_of(problems.chain(text_problems).collect())?;

    if features.is_empty() {
        return Err(Problem::of_file(source.file, "no column holds numbers").into());
    }
    if let Some(problem) = too_many(source, features.len()) {
        return Err(problem.into());
    }
    // One column at a time: the decoder's copy of it is let go before the next is read.
    let columns = features.iter().map(|&place| {
        let numbers = footer.numbers(bytes, &[place])?.remove(0);
        Ok(feature(numbers, &names[place]))
    });
    let columns = columns.collect::<Result<_, Error>>().map_err(damaged)?;
    let texts = |place: usize| Ok(classes(footer.texts(bytes, place)?, &names[place]));
    let label = label.map(texts).transpose().map_err(damaged)?;
    let groups = group.map(texts).transpose().map_err(damaged)?;
    let rows = (1..=n_rows).collect();
    Ok(Table { source, rows, columns, label, groups, problems: Vec::new() })
}

/// A file whose content is not what its beginning announces.
pub fn damaged(shown: &str, error: &Error) -> Problem {
    Problem::of_file(shown, "the file begins like Parquet and cannot be read").note(format!("{error:#}"))
}

fn feature(numbers: Numbers, name: &str) -> Column {
    let mut column = Column { name: name.to_owned(), values: numbers.values, ..Column::default() };
    for (index, value) in column.values.iter_mut().enumerate() {
        if value.is_nan() {
            column.missing.push(index + 1, None, || format!("column `{name}` is null or NaN"));
        } else {
            column.numbers += 1;
        }
        if value.is_infinite() {
            column.infinite.push(index + 1, None, || format!("column `{name}` is {value}"));
            *value = f64::NAN;
        }
    }
    column
}

fn classes(values: Vec<Option<String>>, name: &str) -> Label {
    let mut label = Label { values, ..Label::default() };
    for (index, class) in label.values.iter().enumerate() {
        if class.is_none() {
            label.missing.push(index + 1, None, || format!("column `{name}` is null"));
        }
    }
    label
}
