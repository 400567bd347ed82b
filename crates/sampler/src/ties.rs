//! Counts tied observations, because they decide whether the posterior is proper.
//!
//! If m ≥ 2 observations share a value of a feature, the likelihood of a component on just these grows like σ^−m as its σ tends
//! to 0. Under a prior that is positive at σ = 0 (half-Cauchy, half-normal, half-t, exponential) the posterior then has no
//! finite integral, however well a chain seems to behave. A prior that vanishes at σ = 0 prevents this for ties within one
//! feature. Neither this count nor that remedy covers observations on an oblique line or plane, such as many equal differences
//! of two rounded features: there a correlation degenerates, not a σ.

use crate::data::{Data, Observations};

/// How often the values of one feature repeat.
#[derive(Debug, Clone, PartialEq)]
pub struct Ties {
    /// Number of distinct values; N if there are no ties.
    pub n_distinct: usize,
    /// Number of observations with the most common value; 1 if there are no ties.
    pub largest_multiplicity: usize,
    /// The most common value, in the data's units; the smallest if several are equally common.
    pub most_common: f64,
    /// The smallest gap between two distinct values, in the data's units: the rounding, if the feature was rounded. `None` for
    /// a constant feature.
    pub resolution: Option<f64>,
}

impl Ties {
    /// The ties of each feature, length D. −0 equals 0. A feature whose rounding error is known has none: with it the density
    /// is bounded, and equal values are not remarkable.
    #[must_use]
    pub fn from_data(data: &Data) -> Vec<Self> {
        let rounding = data.rounding();
        let ties = |feature| match &rounding {
            Some(rounding) if rounding.is_rounded(feature) => Self::none(data.feature(feature)),
            _ => Self::from_values(data.feature(feature)),
        };
        (0..data.n_features()).map(ties).collect()
    }

    /// Whether any two observations have the same value.
    #[must_use]
    pub fn exist(&self) -> bool {
        self.largest_multiplicity > 1
    }

    fn none(values: &[f64]) -> Self {
        let most_common = values.iter().copied().fold(f64::INFINITY, f64::min);
        Self { n_distinct: values.len(), largest_multiplicity: 1, most_common, resolution: None }
    }

    fn from_values(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut ties =
            Self { n_distinct: 0, largest_multiplicity: 0, most_common: f64::NAN, resolution: None };
        let mut previous = None;
        for equal in sorted.chunk_by(|a, b| a == b) {
            let value = equal[0];
            ties.n_distinct += 1;
            if equal.len() > ties.largest_multiplicity {
                ties.largest_multiplicity = equal.len();
                ties.most_common = value;
            }
            if let Some(previous) = previous.replace(value) {
                let gap: f64 = value - previous;
                ties.resolution = Some(ties.resolution.map_or(gap, |smallest| smallest.min(gap)));
            }
        }
        ties
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ties(values: &[f64]) -> Ties {
        Ties::from_data(&Data::from_columns(&[values.to_vec()]).unwrap()).remove(0)
    }

    #[test]
    fn rounded_values_show_their_multiplicity_and_resolution() {
        let expected =
            Ties { n_distinct: 4, largest_multiplicity: 3, most_common: 0.75, resolution: Some(0.25) };
        assert_eq!(ties(&[2.0, 0.75, 1.0, 0.75, 3.0, 1.0, 0.75]), expected);
    }

    #[test]
    fn different_values_have_no_ties() {
        let ties = ties(&[3.0, -1.0, 0.5]);
        assert!(!ties.exist());
        assert_eq!((ties.n_distinct, ties.most_common, ties.resolution), (3, -1.0, Some(1.5)));
    }

    #[test]
    fn a_constant_feature_has_no_resolution() {
        let expected = Ties { n_distinct: 1, largest_multiplicity: 2, most_common: 7.0, resolution: None };
        assert_eq!(ties(&[7.0, 7.0]), expected);
    }

    #[test]
    fn zero_equals_minus_zero() {
        let ties = ties(&[0.0, -0.0, 1.0]);
        assert_eq!((ties.n_distinct, ties.largest_multiplicity), (2, 2));
    }

    #[test]
    fn every_feature_is_counted_on_its_own() {
        let data = Data::from_columns(&[vec![1.0, 1.0, 2.0], vec![1.0, 2.0, 3.0]]).unwrap();
        let multiplicities: Vec<usize> =
            Ties::from_data(&data).iter().map(|ties| ties.largest_multiplicity).collect();
        assert_eq!(multiplicities, [2, 1]);
    }

    proptest! {
        #[test]
        fn counts_agree_with_comparing_all_pairs(values in prop::collection::vec((-4..4).prop_map(|i| f64::from(i) / 2.0), 1..30)) {
            let ties = ties(&values);
            let multiplicity = |value: f64| values.iter().filter(|&&other| other == value).count();
            let gaps = values.iter().flat_map(|a| values.iter().map(move |b| a - b)).filter(|&gap| gap > 0.0);
            prop_assert_eq!(ties.largest_multiplicity, values.iter().map(|&value| multiplicity(value)).max().unwrap());
            prop_assert_eq!(multiplicity(ties.most_common), ties.largest_multiplicity);
            prop_assert_eq!(ties.resolution, gaps.min_by(f64::total_cmp));
            let inverse: f64 = values.iter().map(|&value| 1.0 / multiplicity(value) as f64).sum();
            prop_assert_eq!(ties.n_distinct, inverse.round() as usize);
        }
    }
}
