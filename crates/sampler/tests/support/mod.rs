//! Reads the reference numbers under `tests/reference`.
#![allow(dead_code)] // Each test binary uses a part.

use std::path::PathBuf;

use gmm_sampler::data::Data;
use gmm_sampler::mixture::prior::Prior;
use serde_json::Value;

pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference").join(name)
}

pub fn json(name: &str) -> Value {
    let text = std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Rows of a CSV file of numbers with a header.
pub fn rows(name: &str) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let number = |cell: &str| cell.parse().unwrap_or_else(|_| panic!("{name}: {cell} is not a number"));
    text.lines().skip(1).map(|line| line.split(',').map(number).collect()).collect()
}

pub fn data(name: &str) -> Data {
    let rows = rows(name);
    let columns: Vec<Vec<f64>> =
        (0..rows[0].len()).map(|d| rows.iter().map(|row| row[d]).collect()).collect();
    Data::from_columns(&columns).unwrap()
}

/// The published prior around the given centroids.
pub fn default_prior(centroids: &str, lkj_shape: f64) -> Prior {
    Prior { lkj_shape, ..Prior::published(rows(centroids).concat()) }
}

pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        Value::Number(number) => vec![number.as_f64().unwrap()],
        other => panic!("{other} is not a number"),
    }
}
