//! `loo.parquet`: every observation's term of LOO, and how it came about.

use anyhow::Result;
use polars::prelude::*;

use super::{Store, VERSION, removed, write_parquet};
use crate::score::LeaveOneOut;

impl Store {
    /// Writes the terms; where there are none, those of an earlier run are removed.
    ///
    /// # Errors
    /// The disk.
    pub fn write_loo(&self, fits: &[LeaveOneOut]) -> Result<()> {
        let path = self.root.join("loo.parquet");
        if fits.is_empty() {
            return removed(&path);
        }
        let n = |fit: &LeaveOneOut| fit.elpd.len();
        let numbers =
            |values: fn(&LeaveOneOut) -> &[f64]| fits.iter().flat_map(values).copied().collect::<Vec<f64>>();
        let components = fits.iter().flat_map(|fit| std::iter::repeat_n(fit.components as u32, n(fit)));
        let seeds = fits.iter().flat_map(|fit| std::iter::repeat_n(fit.seed, n(fit)));
        let observations = fits.iter().flat_map(|fit| 0..n(fit) as u32);
        let how = fits.iter().flat_map(|fit| &fit.how).map(ToString::to_string);
        let columns = vec![
            Column::new("components".into(), components.collect::<Vec<u32>>()),
            Column::new("seed".into(), seeds.collect::<Vec<u64>>()),
            Column::new("observation".into(), observations.collect::<Vec<u32>>()),
            Column::new("elpd".into(), numbers(|fit| &fit.elpd)),
            Column::new("p".into(), numbers(|fit| &fit.p)),
            Column::new("pareto_k".into(), numbers(|fit| &fit.pareto_k)),
            Column::new("how".into(), how.collect::<Vec<String>>()),
        ];
        write_parquet(&path, columns, &[("gmm.version", VERSION.to_owned())])
    }
}
