//! The normal distribution about a mode that has the log density's curvature there.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::curvature::curvature;
use crate::log_density::LogDensity;
use crate::mixture::triangular::{at, cholesky, log_determinant, packed_len, solve, solve_transposed};

/// A normal distribution in unconstrained space, by its mean and the curvature L Lᵀ of its log density.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalApproximation {
    mean: Vec<f64>,
    /// L, a packed lower triangle.
    factor: Vec<f64>,
}

impl NormalApproximation {
    /// About a mode. `None` if the log density is not concave there.
    pub fn at_mode(density: &mut impl LogDensity, mode: &[f64]) -> Option<Self> {
        let n = mode.len();
        let mut factor = vec![0.0; packed_len(n)];
        cholesky(n, &curvature(density, mode), &mut factor).ok()?;
        Some(Self { mean: mode.to_vec(), factor })
    }

    /// Its mean, the mode.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Log determinant of the curvature.
    #[must_use]
    pub fn log_determinant(&self) -> f64 {
        log_determinant(self.mean.len(), &self.factor)
    }

    /// The squared distance of two points, in standard deviations: |Lᵀ δ|².
    #[must_use]
    pub fn square_distance(&self, a: &[f64], b: &[f64]) -> f64 {
        let n = self.mean.len();
        let change: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        let along = |j: usize| (j..n).map(|i| self.factor[at(i, j)] * change[i]).sum::<f64>();
        (0..n).map(|j| along(j).powi(2)).sum()
    }

    /// The point at some standard deviations along each axis: mean + L⁻ᵀ z.
    #[must_use]
    pub fn point(&self, z: &[f64]) -> Vec<f64> {
        let mut x = z.to_vec();
        solve_transposed(&self.factor, &mut x);
        x.iter_mut().zip(&self.mean).for_each(|(x, mean)| *x += mean);
        x
    }

    /// A random point of it.
    pub fn draw(&self, rng: &mut impl Rng) -> Vec<f64> {
        let z: Vec<f64> = self.mean.iter().map(|_| StandardNormal.sample(rng)).collect();
        self.point(&z)
    }
}

/// A log density in the coordinates z in which a normal is the standard normal. Near a mode of which the normal is an approximation
/// searches take few steps in them.
pub struct Standardized<'a, L> {
    /// The log density.
    pub density: &'a mut L,
    /// The normal.
    pub normal: &'a NormalApproximation,
}

impl<L: LogDensity> LogDensity for Standardized<'_, L> {
    fn dimension(&self) -> usize {
        self.density.dimension()
    }

    /// Without the constant log determinant. The gradient is L⁻¹ of the other one.
    fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
        let log_density = self.density.log_density_and_gradient(&self.normal.point(position), gradient);
        solve(&self.normal.factor, gradient);
        log_density
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    use super::*;
    use crate::start::mode::find_mode;

    /// A normal with this precision about this mean, and a quartic term besides.
    #[derive(Clone)]
    struct Bent {
        quartic: f64,
    }

    const MEAN: [f64; 2] = [3.0, -1.0];
    const PRECISION: [[f64; 2]; 2] = [[4.0, 1.0], [1.0, 2.0]];

    impl LogDensity for Bent {
        fn dimension(&self) -> usize {
            2
        }

        fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
            let x = [position[0] - MEAN[0], position[1] - MEAN[1]];
            let mut log_density = 0.0;
            for i in 0..2 {
                let px = PRECISION[i][0] * x[0] + PRECISION[i][1] * x[1];
                gradient[i] = -px - self.quartic * x[i].powi(3);
                log_density -= 0.5 * x[i] * px + 0.25 * self.quartic * x[i].powi(4);
            }
            log_density
        }
    }

    #[test]
    fn draws_have_the_inverse_curvature_as_covariance() {
        let normal = NormalApproximation::at_mode(&mut Bent { quartic: 0.0 }, &MEAN).unwrap();
        assert_relative_eq!(normal.log_determinant(), 7.0f64.ln(), max_relative = 1e-6);
        let from_mean = normal.square_distance(&[4.0, -1.0], normal.mean());
        assert_relative_eq!(from_mean, 4.0, max_relative = 1e-6);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let n = 40_000;
        let draws: Vec<Vec<f64>> = (0..n).map(|_| normal.draw(&mut rng)).collect();
        let product = |i: usize, j: usize| {
            draws.iter().map(|draw| (draw[i] - MEAN[i]) * (draw[j] - MEAN[j])).sum::<f64>() / f64::from(n)
        };
        for (i, j, expected) in [(0, 0, 2.0 / 7.0), (1, 1, 4.0 / 7.0), (1, 0, -1.0 / 7.0)] {
            assert_relative_eq!(product(i, j), expected, epsilon = 0.015);
        }
    }

    #[test]
    fn the_mode_is_the_same_in_standard_coordinates() {
        let mut bent = Bent { quartic: 1.0 };
        let normal = NormalApproximation::at_mode(&mut bent, &[3.5, -0.5]).unwrap();
        let mut standardized = Standardized { density: &mut bent, normal: &normal };
        let found = find_mode(&mut standardized, &[0.3, -0.2]);
        assert!(found.converged);
        assert_relative_eq!(normal.point(&found.position)[..], MEAN, epsilon = 1e-4);

        let mut gradient = [0.0; 2];
        let at = [0.4, 0.1];
        let height = |standardized: &mut Standardized<'_, Bent>, at: [f64; 2]| {
            standardized.log_density_and_gradient(&at, &mut [0.0; 2])
        };
        standardized.log_density_and_gradient(&at, &mut gradient);
        let h = 1e-6;
        for i in 0..2 {
            let moved = |by: f64| if i == 0 { [at[0] + by, at[1]] } else { [at[0], at[1] + by] };
            let difference =
                (height(&mut standardized, moved(h)) - height(&mut standardized, moved(-h))) / (2.0 * h);
            assert_relative_eq!(gradient[i], difference, max_relative = 1e-6);
        }
    }
}
