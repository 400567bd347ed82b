//! The tables over all fits, made anew by every run.

use gmm_sampler::diagnostics::Summary;

use crate::parquet::Column;
use crate::scores::leave_one_out::LeaveOneOut;
use crate::scores::rows::{ScoreRow, SummaryRow};
use crate::storage::atomic::{DiskResult, remove_file};
use crate::storage::footer::version_alone;
use crate::storage::seal;
use crate::storage::store::Store;

impl Store {
    /// `scores.parquet`: a row per K, seed and criterion; `note` says in words what is to be said of one.
    ///
    /// # Errors
    /// The disk.
    pub fn write_scores(&self, rows: &[ScoreRow], note: fn(&ScoreRow) -> String) -> DiskResult<()> {
        let number = |value: fn(&ScoreRow) -> f64| rows.iter().map(value).collect::<Vec<_>>();
        let text = |value: fn(&ScoreRow) -> String| rows.iter().map(value).collect::<Vec<_>>();
        let columns = vec![
            Column::new("components", rows.iter().map(|row| row.model.components as u32).collect::<Vec<_>>()),
            Column::new("seed", rows.iter().map(|row| row.seed).collect::<Vec<Option<u64>>>()),
            Column::new("criterion", text(|row| row.score.criterion.name().to_owned())),
            Column::new("estimate", number(|row| row.score.estimate)),
            Column::new("se", number(|row| row.score.se)),
            Column::new("mcse", number(|row| row.score.mcse)),
            Column::new("p_eff", number(|row| row.score.p_eff)),
            Column::new("n_bad", rows.iter().map(|row| row.score.n_bad as u32).collect::<Vec<_>>()),
            Column::new("reliable", rows.iter().map(|row| row.score.reliable).collect::<Vec<bool>>()),
            Column::new("note", text(note)),
        ];
        seal::write(&self.root().join("scores.parquet"), columns, &version_alone())
    }

    /// `summary.parquet`: a row per K, seed and parameter.
    ///
    /// # Errors
    /// The disk.
    pub fn write_summary<'a>(&self, rows: impl Iterator<Item = &'a SummaryRow>) -> DiskResult<()> {
        let rows: Vec<&SummaryRow> = rows.collect();
        let number =
            |value: fn(&Summary) -> f64| rows.iter().map(|row| value(&row.summary)).collect::<Vec<_>>();
        let columns = vec![
            Column::new("components", rows.iter().map(|row| row.model.components as u32).collect::<Vec<_>>()),
            Column::new("seed", rows.iter().map(|row| row.seed).collect::<Vec<u64>>()),
            Column::new("parameter", rows.iter().map(|row| row.parameter.clone()).collect::<Vec<_>>()),
            Column::new("mean", number(|s| s.mean)),
            Column::new("sd", number(|s| s.sd)),
            Column::new("q5", number(|s| s.q5)),
            Column::new("median", number(|s| s.median)),
            Column::new("q95", number(|s| s.q95)),
            Column::new("mcse_mean", number(|s| s.mcse_mean)),
            Column::new("ess_bulk", number(|s| s.ess_bulk)),
            Column::new("ess_tail", number(|s| s.ess_tail)),
            Column::new("rhat", number(|s| s.rhat)),
        ];
        seal::write(&self.root().join("summary.parquet"), columns, &version_alone())
    }

    /// `loo.parquet`: every observation's term of LOO, and how it came about. Where there are none, those of an earlier run are
    /// removed.
    ///
    /// # Errors
    /// The disk.
    pub fn write_loo(&self, fits: &[LeaveOneOut]) -> DiskResult<()> {
        let path = self.root().join("loo.parquet");
        if fits.is_empty() {
            return remove_file(&path);
        }
        let n = |fit: &LeaveOneOut| fit.elpd.len();
        let numbers =
            |values: fn(&LeaveOneOut) -> &[f64]| fits.iter().flat_map(values).copied().collect::<Vec<f64>>();
        let components = fits.iter().flat_map(|fit| std::iter::repeat_n(fit.model.components as u32, n(fit)));
        let seeds = fits.iter().flat_map(|fit| std::iter::repeat_n(fit.seed, n(fit)));
        let observations = fits.iter().flat_map(|fit| 0..n(fit) as u32);
        let how = fits.iter().flat_map(|fit| &fit.how).map(ToString::to_string);
        let columns = vec![
            Column::new("components", components.collect::<Vec<u32>>()),
            Column::new("seed", seeds.collect::<Vec<u64>>()),
            Column::new("observation", observations.collect::<Vec<u32>>()),
            Column::new("elpd", numbers(|fit| &fit.elpd)),
            Column::new("p", numbers(|fit| &fit.p)),
            Column::new("pareto_k", numbers(|fit| &fit.pareto_k)),
            Column::new("how", how.collect::<Vec<String>>()),
        ];
        seal::write(&path, columns, &version_alone())
    }
}
