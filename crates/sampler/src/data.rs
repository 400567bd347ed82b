//! Observations as the samplers see them: N rows of D finite numbers, stored feature by feature.

use thiserror::Error;

/// Why numbers cannot become [`Data`].
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DataError {
    #[error("no observations")]
    NoObservations,
    #[error("no features")]
    NoFeatures,
    #[error("feature {feature} has {found} values where feature 0 has {expected}")]
    Ragged { feature: usize, found: usize, expected: usize },
    #[error("observation {observation}, feature {feature} is {value}: not a finite number")]
    NotFinite { observation: usize, feature: usize, value: f64 },
    #[error("feature {feature} has the value {value} in every row: its standard deviation is zero")]
    Constant { feature: usize, value: f64 },
}

/// N × D observations, every one finite. Values of one feature are contiguous.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// D vectors of length N, neither of them 0.
    columns: Vec<Vec<f64>>,
}

impl Data {
    /// Data from one vector per feature, all of length N.
    ///
    /// # Errors
    /// No feature, no observation, vectors of different lengths, or a value that is not finite.
    pub fn from_columns(columns: &[Vec<f64>]) -> Result<Self, DataError> {
        Self::new(columns.to_vec())
    }

    /// The same, of vectors that nobody else needs.
    ///
    /// # Errors
    /// As for [`Data::from_columns`].
    pub fn new(columns: Vec<Vec<f64>>) -> Result<Self, DataError> {
        let expected = columns.first().ok_or(DataError::NoFeatures)?.len();
        if expected == 0 {
            return Err(DataError::NoObservations);
        }
        for (feature, column) in columns.iter().enumerate() {
            if column.len() != expected {
                return Err(DataError::Ragged { feature, found: column.len(), expected });
            }
            if let Some(observation) = column.iter().position(|value| !value.is_finite()) {
                return Err(DataError::NotFinite { observation, feature, value: column[observation] });
            }
        }
        Ok(Self { columns })
    }

    /// N.
    #[must_use]
    pub fn n_observations(&self) -> usize {
        self.columns[0].len()
    }

    /// D.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.columns.len()
    }

    /// The N values of one feature.
    #[must_use]
    pub fn feature(&self, feature: usize) -> &[f64] {
        &self.columns[feature]
    }

    /// One observation, a D-vector.
    #[must_use]
    pub fn observation(&self, observation: usize) -> Vec<f64> {
        (0..self.n_features()).map(|feature| self.feature(feature)[observation]).collect()
    }
}

/// N × D finite numbers, one at a time: [`Data`], or what a [`Scaling`] makes of it.
pub trait Observations {
    /// N.
    fn n_observations(&self) -> usize;
    /// D.
    fn n_features(&self) -> usize;
    fn value(&self, feature: usize, observation: usize) -> f64;

    /// The rows named, in the order named.
    ///
    /// # Panics
    /// If no row is named: there is no empty [`Data`].
    fn rows(&self, rows: &[usize]) -> Data {
        assert!(!rows.is_empty(), "a selection of rows must name at least one");
        let column = |feature| rows.iter().map(|&row| self.value(feature, row)).collect();
        let columns = (0..self.n_features()).map(column).collect();
        Data { columns }
    }
}

impl Observations for Data {
    fn n_observations(&self) -> usize {
        self.n_observations()
    }

    fn n_features(&self) -> usize {
        self.n_features()
    }

    fn value(&self, feature: usize, observation: usize) -> f64 {
        self.feature(feature)[observation]
    }
}

/// Data on the sampler's scale, computed as they are read: of millions of rows a copy would be most of a fit's memory.
#[derive(Debug, Clone, Copy)]
pub struct Scaled<'a> {
    data: &'a Data,
    scaling: &'a Scaling,
}

impl Observations for Scaled<'_> {
    fn n_observations(&self) -> usize {
        self.data.n_observations()
    }

    fn n_features(&self) -> usize {
        self.data.n_features()
    }

    fn value(&self, feature: usize, observation: usize) -> f64 {
        (self.data.feature(feature)[observation] - self.scaling.location[feature])
            / self.scaling.scale[feature]
    }
}

/// The affine map between the data's own scale and the sampler's: `z = (y − location) / scale`, feature by feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// Length D, in the data's units.
    pub location: Vec<f64>,
    /// Length D, positive, in the data's units.
    pub scale: Vec<f64>,
}

impl Scaling {
    /// The map that changes nothing.
    #[must_use]
    pub fn identity(n_features: usize) -> Self {
        Self { location: vec![0.0; n_features], scale: vec![1.0; n_features] }
    }

    /// What one of a feature stands for, in the data's unit.
    #[must_use]
    pub fn unit(&self, feature: usize) -> f64 {
        self.scale[feature]
    }

    /// Means and population standard deviations (denominator N) of the data.
    ///
    /// # Errors
    /// A feature that is constant.
    pub fn standardizing(data: &Data) -> Result<Self, DataError> {
        let n = data.n_observations() as f64;
        let mut scaling = Self::identity(data.n_features());
        for feature in 0..data.n_features() {
            let values = data.feature(feature);
            // Sums of values / N, not sum / N: values near the largest double must not overflow.
            let mean = values.iter().map(|value| value / n).sum::<f64>();
            let largest = values.iter().map(|value| (value - mean).abs()).fold(0.0, f64::max);
            let spread = values.iter().map(|value| ((value - mean) / largest).powi(2)).sum::<f64>() / n;
            let scale = largest * spread.sqrt();
            if values.iter().all(|&value| value == values[0]) || !(scale > 0.0 && scale.is_finite()) {
                return Err(DataError::Constant { feature, value: values[0] });
            }
            scaling.location[feature] = mean;
            scaling.scale[feature] = scale;
        }
        Ok(scaling)
    }

    /// Midranges and ranges of the data, which then lie between −½ and ½.
    ///
    /// # Errors
    /// A feature that is constant, or whose range is beyond double precision.
    pub fn to_unit_range(data: &Data) -> Result<Self, DataError> {
        let mut scaling = Self::identity(data.n_features());
        for feature in 0..data.n_features() {
            let values = data.feature(feature);
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let range = greatest - least;
            if !(range > 0.0 && range.is_finite()) {
                return Err(DataError::Constant { feature, value: values[0] });
            }
            scaling.location[feature] = least + 0.5 * range;
            scaling.scale[feature] = range;
        }
        Ok(scaling)
    }

    /// A view of the data on the sampler's scale.
    #[must_use]
    pub fn view<'a>(&'a self, data: &'a Data) -> Scaled<'a> {
        Scaled { data, scaling: self }
    }

    /// The data on the sampler's scale.
    #[must_use]
    pub fn apply(&self, data: &Data) -> Data {
        let view = self.view(data);
        let column = |feature| {
            (0..data.n_observations()).map(|observation| view.value(feature, observation)).collect()
        };
        let columns = (0..data.n_features()).map(column).collect();
        Data { columns }
    }

    /// Σ_d log(scale_d): what one observation's log density loses on the way back to the data's own scale.
    #[must_use]
    pub fn log_scale(&self) -> f64 {
        self.scale.iter().map(|&scale| libm::log(scale)).sum()
    }
}
