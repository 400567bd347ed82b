//! Which columns of the data are fitted, and why the others are not, in words.

use crate::cli::messages::first_of;
use crate::data::Dataset;

/// Names listed in a line.
const NAMES_SHOWN: usize = 12;

/// Such as "Columns: eruptions, waiting; left out: id (not numeric)".
#[must_use]
pub fn columns_line(dataset: &Dataset) -> String {
    let columns = first_of(&dataset.columns, NAMES_SHOWN);
    match left_out(dataset) {
        Some(left_out) => format!("Columns: {columns}; left out: {left_out}"),
        None => format!("Columns: {columns}"),
    }
}

/// The columns that are not fitted, each with the reason; `None` if all are.
#[must_use]
pub fn left_out(dataset: &Dataset) -> Option<String> {
    let columns = dataset.left_out.iter();
    let columns: Vec<String> = columns.map(|column| format!("{} ({})", column.name, column.reason)).collect();
    (!columns.is_empty()).then(|| first_of(&columns, NAMES_SHOWN))
}
