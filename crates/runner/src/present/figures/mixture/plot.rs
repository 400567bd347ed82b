//! What a figure of a fitted mixture shows, and what its layouts share.

use crate::present::figures::axis::Axis;
use crate::present::figures::contour::Grid;
use anyhow::{Result, ensure};

/// Features that a grid of pairs shows; a legible cell needs a seventh of the page.
pub const MAX_FEATURES: usize = 6;
/// Shares of the predictive mass that level lines enclose, from the innermost.
pub const MASSES: [f64; 3] = [0.5, 0.8, 0.95];

/// Point estimate of one component, on the scale of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    pub weight: f64,
    /// One value per column.
    pub mean: Vec<f64>,
    /// Columns × columns, row by row.
    pub covariance: Vec<f64>,
}

impl Component {
    pub fn variance(&self, i: usize) -> f64 {
        self.covariance(i, i)
    }

    pub fn covariance(&self, i: usize, j: usize) -> f64 {
        self.covariance[i * self.mean.len() + j]
    }
}

/// The posterior predictive density of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    pub x: Vec<f64>,
    pub density: Vec<f64>,
}

/// A mixture of some K, with the data it was fitted to.
#[derive(Debug, Clone, PartialEq)]
pub struct MixturePlot {
    pub columns: Vec<String>,
    /// Values column by column, each as long as `clusters`.
    pub data: Vec<Vec<f64>>,
    /// Index into `components` of each observation's cluster.
    pub clusters: Vec<usize>,
    pub components: Vec<Component>,
    /// Predictive density of each of the first [`MAX_FEATURES`] columns; empty draws none.
    pub marginals: Vec<Curve>,
    /// Joint predictive densities of the pairs (1, 0), (2, 0), (2, 1), (3, 0), … of the first
    /// [`MAX_FEATURES`] columns: the later column upwards (`y`), the earlier one across (`x`). Empty draws
    /// no level lines. A hundred nodes a side make smooth lines.
    pub pairs: Vec<Grid>,
}

/// The range over which a column is drawn, so the one to evaluate its [`Curve`] and [`Grid`]s on: the data
/// and an eighth of its range on either side. `None` without a finite value.
pub fn extent(values: &[f64]) -> Option<(f64, f64)> {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (finite().reduce(f64::min)?, finite().reduce(f64::max)?);
    let margin = match high / 8.0 - low / 8.0 {
        0.0 if low == 0.0 => 1.0,
        0.0 => low.abs() * 0.05,
        margin => margin,
    };
    Some(((low - margin).max(-f64::MAX / 2.0), (high + margin).min(f64::MAX / 2.0)))
}

impl MixturePlot {
    pub fn check(&self) -> Result<()> {
        let (columns, shown) = (self.columns.len(), self.shown());
        let pairs = shown * shown.saturating_sub(1) / 2;
        ensure!(columns > 0, "a mixture without columns");
        ensure!(self.data.len() == columns, "{} columns of data for {columns} names", self.data.len());
        for (name, values) in self.columns.iter().zip(&self.data) {
            ensure!(
                values.len() == self.clusters.len(),
                "{} values of {name} for {} clusters",
                values.len(),
                self.clusters.len()
            );
        }
        for (k, component) in self.components.iter().enumerate() {
            ensure!(
                component.mean.len() == columns,
                "component {k} has {} means for {columns} columns",
                component.mean.len()
            );
            let entries = component.covariance.len();
            ensure!(
                entries == columns * columns,
                "component {k} has {entries} covariances for {columns} columns"
            );
        }
        let k = self.components.len();
        ensure!(self.clusters.iter().all(|cluster| *cluster < k), "a cluster beyond the {k} components");
        ensure!(
            [0, shown].contains(&self.marginals.len()),
            "{} curves for {shown} columns",
            self.marginals.len()
        );
        ensure!([0, pairs].contains(&self.pairs.len()), "{} grids for {pairs} pairs", self.pairs.len());
        Ok(())
    }

    pub fn title(&self) -> String {
        let k = self.components.len();
        let columns = self.columns[..self.shown()].join(", ");
        format!("Gaussian mixture of {k} component{} over {columns}", if k == 1 { "" } else { "s" })
    }

    pub fn shown(&self) -> usize {
        self.columns.len().min(MAX_FEATURES)
    }

    /// Joint predictive density of columns `i` > `j`.
    pub fn pair(&self, i: usize, j: usize) -> Option<&Grid> {
        self.pairs.get(i * (i - 1) / 2 + j)
    }

    pub fn axis(&self, column: usize, start: f64, end: f64) -> Axis {
        let (low, high) = extent(&self.data[column]).unwrap_or((0.0, 1.0));
        Axis::padded(low, high, 0.0, start, end)
    }

    /// One in how many observations is drawn, when all would make the file too large.
    pub fn stride(&self, panels: usize) -> usize {
        /// Points of one figure: some 60 bytes of SVG each.
        const MAX_POINTS: usize = 6000;
        (self.clusters.len() * panels).div_ceil(MAX_POINTS).max(1)
    }
}
