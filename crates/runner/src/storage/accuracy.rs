//! Writes the results of the accuracy suite as Parquet: checks, z-scores and ranks.

use std::path::Path;

use gmm_accuracy::check::{Check, CheckResult, Verdict};
use gmm_accuracy::ranks::RankUniformity;
use gmm_accuracy::z_scores::ZScores;

use super::atomic::DiskResult;
use super::footer::version_alone;
use super::seal;
use crate::parquet::Column;

/// One row per check. A test has a p-value and no bound, another check a bound and no p-value; the missing number is null.
///
/// # Errors
/// The disk.
pub fn write_checks(path: &Path, checks: &[(Check, Verdict)]) -> DiskResult<()> {
    let text =
        |field: fn(&Check) -> &str| checks.iter().map(|(check, _)| field(check)).collect::<Vec<&str>>();
    let number = |field: fn(&CheckResult) -> Option<f64>| {
        checks.iter().map(|(check, _)| field(&check.result)).collect::<Vec<_>>()
    };
    let columns = vec![
        Column::new("part", text(|check| check.part.name())),
        Column::new("case", text(|check| &check.case)),
        Column::new("quantity", text(|check| &check.quantity)),
        Column::new("statistic", text(|check| check.result.statistic())),
        Column::new("value", number(CheckResult::value)),
        Column::new("p_value", number(CheckResult::p_value)),
        Column::new("bound", number(CheckResult::bound)),
        Column::new("verdict", checks.iter().map(|(_, verdict)| verdict.name()).collect::<Vec<&str>>()),
    ];
    seal::write(path, columns, &version_alone())
}

/// One row per estimate.
///
/// # Errors
/// The disk.
pub fn write_z_scores(path: &Path, groups: &[ZScores]) -> DiskResult<()> {
    let rows = || groups.iter().flat_map(|group| (0..group.z.len()).map(move |index| (group, index)));
    let text = |field: fn(&ZScores) -> &str| rows().map(|(group, _)| field(group)).collect::<Vec<&str>>();
    let columns = vec![
        Column::new("part", text(|group| group.part.name())),
        Column::new("case", text(|group| &group.case)),
        Column::new("group", text(|group| &group.group)),
        Column::new(
            "quantity",
            rows().map(|(group, index)| group.names[index].as_str()).collect::<Vec<&str>>(),
        ),
        Column::new("z", rows().map(|(group, index)| group.z[index]).collect::<Vec<f64>>()),
    ];
    seal::write(path, columns, &version_alone())
}

/// One row per replicate and quantity.
///
/// # Errors
/// The disk.
pub fn write_ranks(path: &Path, tested: &[RankUniformity]) -> DiskResult<()> {
    let rows = || {
        tested.iter().flat_map(|of| of.ranks.iter().enumerate().map(move |(index, &rank)| (of, index, rank)))
    };
    let columns = vec![
        Column::new("case", rows().map(|(of, ..)| of.case.as_str()).collect::<Vec<&str>>()),
        Column::new("quantity", rows().map(|(of, ..)| of.quantity.as_str()).collect::<Vec<&str>>()),
        Column::new("replicate", rows().map(|(_, index, _)| index as u32).collect::<Vec<u32>>()),
        Column::new("rank", rows().map(|(.., rank)| rank as u32).collect::<Vec<u32>>()),
        Column::new("n_ranks", rows().map(|(of, ..)| of.n_ranks as u32).collect::<Vec<u32>>()),
    ];
    seal::write(path, columns, &version_alone())
}
