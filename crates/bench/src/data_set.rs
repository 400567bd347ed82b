//! Real data sets, embedded from `experiments/data`.

use gmm_sampler::data::{Data, Scaling};

/// One CSV file with a header; text columns are class labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataSet {
    pub name: &'static str,
    pub csv: &'static str,
    /// Number of numeric columns, which come first.
    pub n_features: usize,
    pub preprocessing: Preprocessing,
}

/// The transformation of the data before sampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preprocessing {
    None,
    Standardize,
}

/// 500 points in eight round clusters, sampled on their original scale as in the publication.
pub const BLOBS: DataSet = DataSet {
    name: "blobs",
    csv: include_str!("../../../experiments/data/blobs.csv"),
    n_features: 2,
    preprocessing: Preprocessing::None,
};
pub const OLD_FAITHFUL: DataSet = DataSet {
    name: "Old Faithful",
    csv: include_str!("../../../experiments/data/faithful.csv"),
    n_features: 2,
    preprocessing: Preprocessing::Standardize,
};
pub const IRIS: DataSet = DataSet {
    name: "iris",
    csv: include_str!("../../../experiments/data/iris.csv"),
    n_features: 4,
    preprocessing: Preprocessing::Standardize,
};
pub const WINE: DataSet = DataSet {
    name: "wine",
    csv: include_str!("../../../experiments/data/wine.csv"),
    n_features: 13,
    preprocessing: Preprocessing::Standardize,
};

const VALID: &str = "a test checks that the embedded data are valid";

impl DataSet {
    /// The names of the numeric columns.
    #[must_use]
    pub fn columns(&self) -> Vec<&'static str> {
        self.csv.lines().next().expect(VALID).split(',').take(self.n_features).collect()
    }

    /// The data on the sampler's scale.
    #[must_use]
    pub fn preprocessed(&self) -> Data {
        let rows: Vec<Vec<f64>> = self.csv.lines().skip(1).map(|line| self.row(line)).collect();
        let columns: Vec<Vec<f64>> =
            (0..self.n_features).map(|d| rows.iter().map(|row| row[d]).collect()).collect();
        let raw = Data::from_columns(&columns).expect(VALID);
        match self.preprocessing {
            Preprocessing::None => raw,
            Preprocessing::Standardize => Scaling::standardizing(&raw).expect(VALID).apply(&raw),
        }
    }

    fn row(&self, line: &str) -> Vec<f64> {
        line.split(',').take(self.n_features).map(|cell| cell.parse().expect(VALID)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_sets_are_valid_and_have_the_sizes_that_their_readme_gives() {
        for (set, n) in [(BLOBS, 500), (OLD_FAITHFUL, 272), (IRIS, 150), (WINE, 178)] {
            let data = set.preprocessed();
            assert_eq!((data.n_observations(), data.n_features()), (n, set.columns().len()));
        }
        assert_eq!(OLD_FAITHFUL.columns(), ["eruptions", "waiting"]);
    }
}
