//! A linear map to other axes.

use nalgebra::DMatrix;

/// An invertible linear map z = B u of D coordinates.
#[derive(Debug, Clone, PartialEq)]
pub struct Axes {
    /// The rows of B.
    matrix: Vec<Vec<f64>>,
    /// The rows of B⁻¹.
    inverse: Vec<Vec<f64>>,
    /// log |det B|.
    log_determinant: f64,
}

impl Axes {
    /// The map with this matrix B; `None` if it is singular.
    #[must_use]
    pub fn new(matrix: &DMatrix<f64>) -> Option<Self> {
        let inverse = matrix.clone().try_inverse()?;
        let log_determinant = matrix.clone().lu().u().diagonal().iter().map(|x| libm::log(x.abs())).sum();
        let rows = |matrix: &DMatrix<f64>| {
            matrix.row_iter().map(|row| row.iter().copied().collect()).collect::<Vec<Vec<f64>>>()
        };
        Some(Self { matrix: rows(matrix), inverse: rows(&inverse), log_determinant })
    }

    /// The rows of B.
    #[must_use]
    pub fn matrix(&self) -> &[Vec<f64>] {
        &self.matrix
    }

    /// The rows of B⁻¹.
    #[must_use]
    pub fn inverse(&self) -> &[Vec<f64>] {
        &self.inverse
    }

    /// log |det B|.
    #[must_use]
    pub fn log_determinant(&self) -> f64 {
        self.log_determinant
    }
}
