//! Real data sets, embedded as they stand in `experiments/data`.

use gmm_sampler::data::{Data, Scaling};

/// One CSV file with its header; columns of text are classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataSet {
    pub name: &'static str,
    pub csv: &'static str,
    /// Numeric columns, which come first.
    pub n_features: usize,
    pub scale: Scale,
}

/// On which scale the data are sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    AsTheyAre,
    Standardised,
}

/// 500 points in eight round clusters, sampled on their own scale, as published.
pub const BLOBS: DataSet = DataSet {
    name: "blobs",
    csv: include_str!("../../../experiments/data/blobs.csv"),
    n_features: 2,
    scale: Scale::AsTheyAre,
};
pub const OLD_FAITHFUL: DataSet = DataSet {
    name: "Old Faithful",
    csv: include_str!("../../../experiments/data/faithful.csv"),
    n_features: 2,
    scale: Scale::Standardised,
};
pub const IRIS: DataSet = DataSet {
    name: "iris",
    csv: include_str!("../../../experiments/data/iris.csv"),
    n_features: 4,
    scale: Scale::Standardised,
};
pub const WINE: DataSet = DataSet {
    name: "wine",
    csv: include_str!("../../../experiments/data/wine.csv"),
    n_features: 13,
    scale: Scale::Standardised,
};

const SOUND: &str = "the embedded data are sound, which a test checks";

impl DataSet {
    /// Names of the numeric columns.
    #[must_use]
    pub fn columns(&self) -> Vec<&'static str> {
        self.csv.lines().next().expect(SOUND).split(',').take(self.n_features).collect()
    }

    /// The data on the sampler's scale.
    #[must_use]
    pub fn on_sampler_scale(&self) -> Data {
        let rows: Vec<Vec<f64>> = self.csv.lines().skip(1).map(|line| self.row(line)).collect();
        let columns: Vec<Vec<f64>> =
            (0..self.n_features).map(|d| rows.iter().map(|row| row[d]).collect()).collect();
        let raw = Data::from_columns(&columns).expect(SOUND);
        match self.scale {
            Scale::AsTheyAre => raw,
            Scale::Standardised => Scaling::standardizing(&raw).expect(SOUND).apply(&raw),
        }
    }

    fn row(&self, line: &str) -> Vec<f64> {
        line.split(',').take(self.n_features).map(|cell| cell.parse().expect(SOUND)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_sets_are_sound_and_hold_what_their_readme_says() {
        for (set, n) in [(BLOBS, 500), (OLD_FAITHFUL, 272), (IRIS, 150), (WINE, 178)] {
            let data = set.on_sampler_scale();
            assert_eq!((data.n_observations(), data.n_features()), (n, set.columns().len()));
        }
        assert_eq!(OLD_FAITHFUL.columns(), ["eruptions", "waiting"]);
    }
}
