//! The observations that a study is about, and where each came from.

use std::collections::HashSet;
use std::fmt;

use gmm_sampler::data::Data;

/// The observations, and the row of the file that each came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The name of each feature, in the order asked for; by default in the order of the file.
    pub columns: Vec<String>,
    /// The file's other columns, in its order.
    pub left_out: Vec<LeftOutColumn>,
    /// On the file's own scale.
    pub data: Data,
    /// The step in which each feature was recorded, in its units; 0 where values are exact.
    pub steps: Vec<f64>,
    /// The line (CSV) or row (Parquet) of each observation in its file, counted from 1.
    pub rows: Vec<usize>,
    /// The class of each observation, as text.
    pub classes: Option<Vec<String>>,
    /// The group of each observation, as text: rows that belong together and are held out together.
    pub groups: Option<Vec<String>>,
    /// The number of rows left out because a cell is missing.
    pub dropped: usize,
    /// BLAKE3 of the file's bytes, in hexadecimal.
    pub hash: String,
}

/// A column of the file that is not a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOutColumn {
    pub name: String,
    pub reason: LeftOut,
}

/// Why a column is not a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// No column was asked for by name, and this one holds no numbers.
    NotNumeric,
    /// Columns were asked for by name, and this one was not.
    NotListed,
    /// It holds the known classes.
    Label,
    /// It says which rows belong together.
    Groups,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotNumeric => "not numeric",
            Self::NotListed => "not in data.columns",
            Self::Label => "label",
            Self::Groups => "groups",
        })
    }
}

/// The number of distinct rows. k-means cannot find more centroids than these.
#[must_use]
pub fn distinct_rows(data: &Data) -> usize {
    distinct_rows_up_to(data, usize::MAX)
}

/// The number of distinct rows, at most `most`: no more rows are looked at than that takes.
fn distinct_rows_up_to(data: &Data, most: usize) -> usize {
    // Adding 0 turns −0 into 0: equal numbers then have equal bits, for there is no NaN.
    let bits = |value: f64| (value + 0.0).to_bits();
    let mut found = HashSet::new();
    let mut rows = 0..data.n_observations();
    while found.len() < most
        && let Some(row) = rows.next()
    {
        found.insert(data.observation(row).into_iter().map(bits).collect::<Vec<_>>());
    }
    found.len()
}

/// The largest number of components, up to `most`, that is worth trying unasked: half the number of distinct rows, at least 1. With
/// more, some are single rows.
#[must_use]
pub fn most_components(data: &Data, most: usize) -> usize {
    (distinct_rows_up_to(data, 2 * most) / 2).max(1)
}
