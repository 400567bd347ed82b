//! Observations: N rows of D finite numbers, stored feature by feature, and the map to the sampler's scale.

use thiserror::Error;

use crate::axes::Axes;
use crate::rounding::Rounding;

/// Why numbers cannot become [`Data`], or data cannot be scaled. Features and observations are counted from 0.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DataError {
    /// N = 0.
    #[error("no observations")]
    NoObservations,
    /// D = 0.
    #[error("no features")]
    NoFeatures,
    /// Features have different numbers of values.
    #[error("feature {feature} has {found} values where feature 0 has {expected}")]
    Ragged {
        /// The first feature that differs from feature 0.
        feature: usize,
        /// Its number of values.
        found: usize,
        /// The number of values of feature 0.
        expected: usize,
    },
    /// A value is NaN or infinite.
    #[error("observation {observation}, feature {feature} is {value}: not a finite number")]
    NotFinite {
        /// The row.
        observation: usize,
        /// The column.
        feature: usize,
        /// The value there.
        value: f64,
    },
    /// A feature is constant, so that it cannot be scaled.
    #[error("feature {feature} has the value {value} in every row: its standard deviation is zero")]
    Constant {
        /// The column.
        feature: usize,
        /// Its value.
        value: f64,
    },
}

/// N × D finite observations, N and D positive. The values of one feature are contiguous.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// D vectors of length N.
    columns: Vec<Vec<f64>>,
    rounding: Option<Rounding>,
}

impl Data {
    /// The numbers of rows at equal distances, at most `most` of them: all where there are no more. The first ones may be of one kind.
    ///
    /// # Panics
    /// If `most` is 0.
    #[must_use]
    pub fn spread_rows(&self, most: usize) -> Vec<usize> {
        let n = self.n_observations();
        (0..n).step_by(n.div_ceil(most).max(1)).collect()
    }

    /// Copies one vector per feature, all of length N.
    ///
    /// # Errors
    /// If there is no feature or no observation, if lengths differ, or if a value is not finite.
    pub fn from_columns(columns: &[Vec<f64>]) -> Result<Self, DataError> {
        Self::new(columns.to_vec())
    }

    /// Takes ownership of one vector per feature, all of length N.
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
        Ok(Self { columns, rounding: None })
    }

    /// The same values, recorded in steps of the given sizes (length D, in the data's units), 0 where they are exact. The
    /// likelihood of a mixture takes the rounding error into account.
    ///
    /// # Panics
    /// If there are not D steps, or one is negative or not finite.
    #[must_use]
    pub fn with_steps(self, steps: &[f64]) -> Self {
        assert_eq!(steps.len(), self.n_features(), "one step a feature");
        self.with_rounding(Rounding::from_steps(steps))
    }

    pub(crate) fn with_rounding(self, rounding: Option<Rounding>) -> Self {
        Self { rounding, ..self }
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

    /// One observation, length D.
    #[must_use]
    pub fn observation(&self, observation: usize) -> Vec<f64> {
        (0..self.n_features()).map(|feature| self.feature(feature)[observation]).collect()
    }
}

/// Read access to N × D finite numbers: [`Data`], or a [`Scaled`] view of it.
pub trait Observations {
    /// N.
    fn n_observations(&self) -> usize;
    /// D.
    fn n_features(&self) -> usize;
    /// The value of one feature in one observation.
    fn value(&self, feature: usize, observation: usize) -> f64;
    /// The rounding error of the values; `None` if they are exact.
    fn rounding(&self) -> Option<Rounding>;

    /// A copy of the given rows, in the given order.
    ///
    /// # Panics
    /// If `rows` is empty: [`Data`] is never empty.
    fn rows(&self, rows: &[usize]) -> Data {
        assert!(!rows.is_empty(), "at least one row must be selected");
        let column = |feature| rows.iter().map(|&row| self.value(feature, row)).collect();
        let columns = (0..self.n_features()).map(column).collect();
        Data { columns, rounding: self.rounding() }
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

    fn rounding(&self) -> Option<Rounding> {
        self.rounding.clone()
    }
}

/// A view of data on the sampler's scale. Values are computed as they are read: for millions of rows, a copy would be most of a
/// fit's memory.
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
        let Scaling { location, scale, axes } = self.scaling;
        let standardized =
            |feature: usize| (self.data.feature(feature)[observation] - location[feature]) / scale[feature];
        match axes {
            None => standardized(feature),
            Some(axes) => {
                let row = &axes.matrix()[feature];
                row.iter().enumerate().map(|(j, entry)| entry * standardized(j)).sum()
            }
        }
    }

    fn rounding(&self) -> Option<Rounding> {
        self.data.rounding()?.mapped(&self.scaling.rows())
    }
}

/// The affine map between the data's own scale and the sampler's: `u = (y − location) / scale`, feature by feature, and then,
/// if there are axes, `z = B u`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// Length D, in the data's units.
    location: Vec<f64>,
    /// Length D, positive, in the data's units.
    scale: Vec<f64>,
    axes: Option<Axes>,
}

impl Scaling {
    /// The map that leaves all values as they are.
    #[must_use]
    pub fn identity(n_features: usize) -> Self {
        Self::new(vec![0.0; n_features], vec![1.0; n_features])
    }

    /// The map with these locations and scales (length D each, in the data's units).
    #[must_use]
    pub fn new(location: Vec<f64>, scale: Vec<f64>) -> Self {
        Self { location, scale, axes: None }
    }

    /// The same, followed by the map to other axes.
    #[must_use]
    pub fn with_axes(self, axes: Axes) -> Self {
        Self { axes: Some(axes), ..self }
    }

    /// The location of each feature, length D, in the data's units.
    #[must_use]
    pub fn location(&self) -> &[f64] {
        &self.location
    }

    /// The scale of each feature, length D, in the data's units.
    #[must_use]
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// The axes that follow, if there are any.
    #[must_use]
    pub fn axes(&self) -> Option<&Axes> {
        self.axes.as_ref()
    }

    /// Scales each feature to mean 0 and standard deviation 1 (denominator N).
    ///
    /// # Errors
    /// If a feature is constant.
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

    /// Scales each feature to the range from −½ to ½.
    ///
    /// # Errors
    /// If a feature is constant, or its range overflows.
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

    /// A copy of the data on the sampler's scale.
    #[must_use]
    pub fn apply(&self, data: &Data) -> Data {
        let view = self.view(data);
        let column = |feature| {
            (0..data.n_observations()).map(|observation| view.value(feature, observation)).collect()
        };
        let columns = (0..data.n_features()).map(column).collect();
        Data { columns, rounding: view.rounding() }
    }

    /// The rows of the matrix that differences on the data's scale are multiplied by.
    fn rows(&self) -> Vec<Vec<f64>> {
        let d = self.scale.len();
        let entry = |i: usize, j: usize| match &self.axes {
            None if i == j => 1.0 / self.scale[i],
            None => 0.0,
            Some(axes) => axes.matrix()[i][j] / self.scale[j],
        };
        (0..d).map(|i| (0..d).map(|j| entry(i, j)).collect()).collect()
    }

    /// Σ_d log(scale_d) − log |det B|. Subtract it from one observation's log density on the sampler's scale to get that on the
    /// data's own scale.
    #[must_use]
    pub fn log_scale(&self) -> f64 {
        let scales: f64 = self.scale.iter().map(|&scale| libm::log(scale)).sum();
        self.axes.as_ref().map_or(scales, |axes| scales - axes.log_determinant())
    }
}
