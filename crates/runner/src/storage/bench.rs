//! Writes the benchmark results as Parquet: all measurements and the exponents of growth.

use std::path::Path;

use gmm_bench::growth::Growth;
use gmm_bench::measurement::Measurement;

use super::atomic::DiskResult;
use super::footer::version_alone;
use super::seal;
use crate::parquet::Column;

/// One row per case and quantity. Seconds are of CPU time.
///
/// # Errors
/// The disk.
pub fn write_measurements(path: &Path, measurements: &[Measurement]) -> DiskResult<()> {
    let text = |field: fn(&Measurement) -> &str| measurements.iter().map(field).collect::<Vec<&str>>();
    let count =
        |field: fn(&Measurement) -> usize| measurements.iter().map(|m| field(m) as u32).collect::<Vec<u32>>();
    let number = |field: fn(&Measurement) -> f64| measurements.iter().map(field).collect::<Vec<f64>>();
    let columns = vec![
        Column::new("area", text(|m| m.area.name())),
        Column::new("case", text(|m| &m.shape.name)),
        Column::new("n", count(|m| m.shape.n)),
        Column::new("d", count(|m| m.shape.d)),
        Column::new("k", count(|m| m.shape.k)),
        Column::new("quantity", text(|m| m.quantity.name())),
        Column::new("unit", text(|m| m.quantity.unit())),
        Column::new("median", number(|m| m.timing.median)),
        Column::new("minimum", number(|m| m.timing.minimum)),
        Column::new("rounds", count(|m| m.timing.rounds)),
    ];
    seal::write(path, columns, &version_alone())
}

/// One row per line of growth.
///
/// # Errors
/// The disk.
pub fn write_growths(path: &Path, growths: &[Growth]) -> DiskResult<()> {
    let text = |field: fn(&Growth) -> &str| growths.iter().map(field).collect::<Vec<&str>>();
    let number = |field: fn(&Growth) -> f64| growths.iter().map(field).collect::<Vec<f64>>();
    let columns = vec![
        Column::new("area", text(|growth| growth.area.name())),
        Column::new("variable", text(|growth| growth.variable.symbol())),
        Column::new("case", text(|growth| growth.spacing.name())),
        Column::new("fixed", text(|growth| &growth.fixed)),
        Column::new("exponent", number(Growth::exponent)),
        Column::new("limit", number(|growth| growth.variable.limit())),
        Column::new("within_limit", growths.iter().map(Growth::is_within_limit).collect::<Vec<bool>>()),
    ];
    seal::write(path, columns, &version_alone())
}
