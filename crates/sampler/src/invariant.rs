//! Invariant coordinates: axes that any invertible linear map of the data leaves the same.
//!
//! Data are whitened by their covariance and then rotated to the eigenvectors of a second scatter matrix, that of fourth moments
//! (Tyler, Critchley, Dümbgen & Oja 2009, Journal of the Royal Statistical Society B 71, section 3). Up to the signs and the
//! order of the axes, which no prior here sees, the coordinates do not depend on units, rotation or shear of the data.

use nalgebra::{DMatrix, DVector};

use crate::axes::Axes;
use crate::data::Observations;

/// The map to invariant coordinates of some data: with it their covariance is the identity. `None` if the covariance is singular.
#[must_use]
pub fn invariant_axes(data: &impl Observations) -> Option<Axes> {
    let (n, d) = (data.n_observations(), data.n_features());
    let mean: Vec<f64> = (0..d).map(|j| (0..n).map(|i| data.value(j, i)).sum::<f64>() / n as f64).collect();
    let centred = |i: usize| DVector::from_fn(d, |j, _| data.value(j, i) - mean[j]);
    let mut covariance = DMatrix::zeros(d, d);
    for i in 0..n {
        let row = centred(i);
        covariance.ger(1.0 / n as f64, &row, &row, 1.0);
    }
    let whitening = inverse_root(covariance)?;
    let mut fourth = DMatrix::zeros(d, d);
    for i in 0..n {
        let row = &whitening * centred(i);
        fourth.ger(row.norm_squared() / n as f64, &row, &row, 1.0);
    }
    let rotation = fourth.symmetric_eigen().eigenvectors.transpose();
    Axes::new(&(rotation * whitening))
}

/// Condition number, squared, beyond which a covariance counts as singular.
const SINGULAR: f64 = 1e-14;

/// Any W with W C Wᵀ = I; `None` if C is singular.
fn inverse_root(covariance: DMatrix<f64>) -> Option<DMatrix<f64>> {
    let eigen = covariance.symmetric_eigen();
    let largest = eigen.eigenvalues.max();
    if eigen.eigenvalues.iter().any(|value| *value <= SINGULAR * largest) {
        return None;
    }
    let scale = DMatrix::from_diagonal(&eigen.eigenvalues.map(|value| 1.0 / value.sqrt()));
    Some(scale * eigen.eigenvectors.transpose())
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    use super::*;
    use crate::data::Data;
    use crate::mixture::params::Mixture;

    fn clusters() -> Data {
        let mixture = Mixture::from_covariances(
            3,
            &[0.3, 0.7],
            &[0.0, 0.0, 0.0, 4.0, 1.0, -2.0],
            &[1.0, 0.5, 2.0, 0.0, 0.3, 1.0, 0.5, -0.2, 1.0, 0.1, 0.0, 3.0],
        );
        mixture.unwrap().simulate(200, &mut ChaCha8Rng::seed_from_u64(3)).0
    }

    fn coordinates(axes: &Axes, data: &Data) -> Vec<Vec<f64>> {
        let rows = axes.matrix().iter();
        rows.map(|row| {
            (0..data.n_observations())
                .map(|i| row.iter().zip(data.observation(i)).map(|(a, y)| a * y).sum())
                .collect()
        })
        .collect()
    }

    #[test]
    fn a_linear_map_changes_signs_alone() {
        let data = clusters();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let map: Vec<Vec<f64>> =
            (0..3).map(|_| (0..3).map(|_| rng.random_range(-2.0..2.0)).collect()).collect();
        let mapped: Vec<Vec<f64>> = map
            .iter()
            .map(|row| {
                (0..200).map(|i| row.iter().zip(data.observation(i)).map(|(a, y)| a * y).sum()).collect()
            })
            .collect();
        let mapped = Data::new(mapped).unwrap();
        let before = coordinates(&invariant_axes(&data).unwrap(), &data);
        let after = coordinates(&invariant_axes(&mapped).unwrap(), &mapped);
        for axis in &before {
            let same = |other: &&Vec<f64>| {
                [1.0, -1.0]
                    .iter()
                    .any(|sign| axis.iter().zip(*other).all(|(a, b)| (a - sign * b).abs() < 1e-6))
            };
            assert_eq!(after.iter().filter(same).count(), 1);
        }
    }

    #[test]
    fn coordinates_have_unit_covariance_and_the_inverse_leads_back() {
        let data = clusters();
        let axes = invariant_axes(&data).unwrap();
        let found = coordinates(&axes, &data);
        let n = data.n_observations() as f64;
        for i in 0..3 {
            for j in 0..3 {
                let [mean_i, mean_j] = [i, j].map(|k: usize| found[k].iter().sum::<f64>() / n);
                let products = found[i].iter().zip(&found[j]).map(|(a, b)| (a - mean_i) * (b - mean_j));
                let expected = if i == j { 1.0 } else { 0.0 };
                assert_relative_eq!(products.sum::<f64>() / n, expected, epsilon = 1e-9);
                let entry: f64 = (0..3).map(|l| axes.matrix()[i][l] * axes.inverse()[l][j]).sum();
                assert_relative_eq!(entry, expected, epsilon = 1e-9);
            }
        }
        let m = axes.matrix();
        let determinant = m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
            - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
        assert_relative_eq!(axes.log_determinant(), determinant.abs().ln(), max_relative = 1e-9);
    }

    #[test]
    fn collinear_columns_have_none() {
        let column = vec![1.0, 2.0, 4.0, 3.0];
        let twice: Vec<f64> = column.iter().map(|value| 2.0 * value).collect();
        assert_eq!(invariant_axes(&Data::new(vec![column, twice]).unwrap()), None);
    }
}
