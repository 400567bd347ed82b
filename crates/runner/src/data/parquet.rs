//! Parquet, through polars' eager reader: the schema first, then only the wanted columns.

pub mod promises;

use std::io::Cursor;

use polars::prelude::*;

use super::MOST_ROWS;
use super::finding::Source;
use super::table::{Choice, Column as Feature, Label, Table, choose, too_many};
use crate::cli::problem::{Problem, Problems};
use crate::process::panics::{catch_panic, defect};
use crate::study::spec::DataSpec;

/// Bytes of all classes, or all groups.
const LARGEST_TEXTS: usize = 1 << 30;

/// How every Parquet file begins and ends.
pub const MAGIC: &[u8] = b"PAR1";

/// The wanted columns of a Parquet file.
///
/// # Errors
/// A damaged file, names that are not there, columns of dates or the like where numbers are wanted, too many rows.
pub fn table<'a>(bytes: Vec<u8>, spec: &'a DataSpec, groups: Option<&str>) -> Result<Table<'a>, Problems> {
    guarded(&spec.path, || read(bytes, spec, groups))
}

/// On many damaged files polars panics instead of returning an error; here that is a problem like any other. What cannot be
/// caught is an abort for want of memory, which [`promises`] are looked at for.
pub fn guarded<T>(shown: &str, read: impl FnOnce() -> Result<T, Problems>) -> Result<T, Problems> {
    catch_panic(|| Ok(read()), defect)
        .unwrap_or_else(|_| Err(damaged(shown, "the reader gave up on its content").into()))
}

/// A file whose content is not what its beginning promises.
pub fn damaged(shown: &str, reason: impl ToString) -> Problem {
    Problem::of_file(shown, "the file begins like Parquet and cannot be read").note(reason.to_string())
}

fn read<'a>(bytes: Vec<u8>, spec: &'a DataSpec, groups: Option<&str>) -> Result<Table<'a>, Problems> {
    let damaged = |error: PolarsError| Problems::from(damaged(&spec.path, error));
    let source = Source { file: &spec.path, text: None };
    promises::check_footer(&mut Cursor::new(&bytes)).map_err(|reason| self::damaged(&spec.path, reason))?;
    let mut reader = ParquetReader::new(Cursor::new(&bytes));
    let schema = reader.schema().map_err(damaged)?;
    let n_rows = reader.num_rows().map_err(damaged)?;
    if n_rows > MOST_ROWS {
        let message = format!("{n_rows} rows, at most {MOST_ROWS} can be fitted");
        return Err(Problem::of_file(source.file, message).help("fit a random subset of the rows").into());
    }
    let fields: Vec<(String, ArrowDataType)> =
        schema.iter_values().map(|field| (field.name.to_string(), field.dtype.clone())).collect();
    let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
    let Choice { mut features, label, group } = choose(&names, spec, groups)?;
    if spec.columns.is_none() {
        features.retain(|&feature| is_numeric(&fields[feature].1));
    }
    let problems = features.iter().enumerate().filter(|(_, feature)| !is_numeric(&fields[**feature].1));
    let problems = problems.map(|(index, &feature)| {
        let (name, dtype) = &fields[feature];
        let message = format!("column `{name}` holds {dtype:?}, not numbers");
        Problem::of_key(source.file, format!("data.columns[{index}]"), message)
    });
    let texts = [("data.label", label), ("scoring.groups", group)];
    let text_problems = texts.into_iter().filter_map(|(key, column)| {
        let (name, dtype) = &fields[column.filter(|&column| !is_class(&fields[column].1))?];
        let message = format!("column `{name}` holds {dtype:?}: neither text nor numbers");
        Some(Problem::of_key(source.file, key, message))
    });
    Problems::none_of(problems.chain(text_problems).collect())?;

    if features.is_empty() {
        return Err(Problem::of_file(source.file, "no column holds numbers").into());
    }
    if let Some(problem) = too_many(source, features.len()) {
        return Err(problem.into());
    }
    let metadata = reader.get_metadata().map_err(damaged)?.clone();
    for field in features.iter().copied().chain(label).chain(group) {
        promises::check_pages(&mut Cursor::new(&bytes), &metadata, &names[field])
            .map_err(|reason| self::damaged(&spec.path, reason))?;
    }
    // One column at a time: polars' copy of it is let go before the next is read.
    let take = |field: usize| {
        let reader = ParquetReader::new(Cursor::new(&bytes)).read_parallel(ParallelStrategy::None);
        let name = &names[field];
        let column = reader.with_columns(Some(vec![name.clone()])).finish()?.drop_in_place(name)?;
        // A column read alone has as many rows as its own header says, which may not be what the footer says.
        polars_ensure!(column.len() == n_rows, ComputeError: "column `{}` has {} rows, the file {}", name, column.len(), n_rows);
        Ok(column)
    };
    let columns = features.iter().map(|&field| feature(&take(field)?, &names[field]));
    let columns = columns.collect::<PolarsResult<_>>().map_err(damaged)?;
    let texts = |field: usize| classes(&take(field)?, &names[field]);
    let label = label.map(texts).transpose().map_err(damaged)?;
    let groups = group.map(texts).transpose().map_err(damaged)?;
    let rows = (1..=n_rows).collect();
    Ok(Table { source, rows, columns, label, groups, problems: Vec::new() })
}

/// Whether a column of this type can be read as numbers.
pub fn is_numeric(dtype: &ArrowDataType) -> bool {
    use ArrowDataType::{Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    matches!(dtype, Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 | Float32 | Float64)
}

fn is_class(dtype: &ArrowDataType) -> bool {
    use ArrowDataType::{Boolean, LargeUtf8, Utf8, Utf8View};
    is_numeric(dtype) || matches!(dtype, Boolean | Utf8 | LargeUtf8 | Utf8View)
}

fn feature(column: &Column, name: &str) -> PolarsResult<Feature> {
    let numbers = column.cast(&DataType::Float64)?;
    let values = Vec::with_capacity(numbers.len());
    let mut feature = Feature { name: name.to_owned(), values, ..Feature::default() };
    for (index, value) in numbers.f64()?.iter().enumerate() {
        let value = value.unwrap_or(f64::NAN);
        if value.is_nan() {
            feature.missing.push(index + 1, None, || format!("column `{name}` is null or NaN"));
        } else {
            feature.numbers += 1;
        }
        if value.is_infinite() {
            feature.infinite.push(index + 1, None, || format!("column `{name}` is {value}"));
        }
        feature.values.push(if value.is_finite() { value } else { f64::NAN });
    }
    Ok(feature)
}

fn classes(column: &Column, name: &str) -> PolarsResult<Label> {
    let texts = column.cast(&DataType::String)?;
    let mut label = Label::default();
    let mut bytes = 0;
    for (index, class) in texts.str()?.iter().enumerate() {
        // One text of a dictionary may stand in every row.
        bytes += class.map_or(0, str::len);
        polars_ensure!(bytes <= LARGEST_TEXTS, ComputeError: "column `{}` holds more than {} bytes of text", name, LARGEST_TEXTS);
        if class.is_none() {
            label.missing.push(index + 1, None, || format!("column `{name}` is null"));
        }
        label.values.push(class.map(str::to_owned));
    }
    Ok(label)
}
