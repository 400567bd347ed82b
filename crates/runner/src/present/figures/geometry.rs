//! Ellipses of Gaussians, their densities, and lines clipped to a rectangle.

use super::scene::Point;
use std::f64::consts::TAU;

/// Radius, in standard deviations, of the ellipse that holds a share `mass` of a bivariate Gaussian: the
/// squared radius is χ² with two degrees of freedom.
pub fn radius_for_mass(mass: f64) -> f64 {
    (-2.0 * libm::log1p(-mass)).sqrt()
}

/// Closed outline of `radius` standard deviations around `mean`; `[[xx, xy], [yx, yy]]` is the covariance.
/// `None` when it is not positive definite.
pub fn ellipse(mean: [f64; 2], covariance: [[f64; 2]; 2], radius: f64) -> Option<Vec<Point>> {
    const SIDES: usize = 96;
    // The Cholesky factor maps the unit circle to the ellipse.
    let l_xx = covariance[0][0].sqrt();
    let l_yx = covariance[1][0] / l_xx;
    let l_yy = (covariance[1][1] - l_yx * l_yx).sqrt();
    if !(l_xx > 0.0 && l_yy > 0.0 && l_yx.is_finite() && l_yy.is_finite()) {
        return None;
    }
    let point = |i: usize| {
        let (sin, cos) = libm::sincos(TAU * (i % SIDES) as f64 / SIDES as f64);
        (mean[0] + radius * l_xx * cos, mean[1] + radius * (l_yx * cos + l_yy * sin))
    };
    Some((0..=SIDES).map(point).collect())
}

/// Density of a Gaussian at `x`; NaN for a variance that is not positive.
pub fn normal_density(x: f64, mean: f64, variance: f64) -> f64 {
    let sd = variance.sqrt();
    let z = (x - mean) / sd;
    libm::exp(-0.5 * z * z) / (sd * TAU.sqrt())
}

/// The parts of a line inside the rectangle with corners `low` and `high`.
///
/// Source: Liang & Barsky (1984), "A new concept and method for line clipping".
pub fn clip(line: &[Point], low: Point, high: Point) -> Vec<Vec<Point>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    for pair in line.windows(2) {
        let Some((from, to)) = clip_segment(pair[0], pair[1], low, high) else { continue };
        match parts.last_mut() {
            Some(part) if part.last() == Some(&from) => part.push(to),
            _ => parts.push(vec![from, to]),
        }
    }
    parts
}

fn clip_segment(from: Point, to: Point, low: Point, high: Point) -> Option<(Point, Point)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
    for (step, room) in
        [(-dx, from.0 - low.0), (dx, high.0 - from.0), (-dy, from.1 - low.1), (dy, high.1 - from.1)]
    {
        if step == 0.0 && room < 0.0 || !step.is_finite() || !room.is_finite() {
            return None;
        } else if step < 0.0 {
            enters = enters.max(room / step);
        } else if step > 0.0 {
            leaves = leaves.min(room / step);
        }
    }
    // Untouched ends keep their bits, so that neighbouring segments still meet.
    let at = |share: f64| (from.0 + share * dx, from.1 + share * dy);
    let start = if enters > 0.0 { at(enters) } else { from };
    let end = if leaves < 1.0 { at(leaves) } else { to };
    (enters < leaves).then_some((start, end))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const COVARIANCE: [[f64; 2]; 2] = [[2.0, 0.9], [0.9, 0.7]];
    pub const MEAN: [f64; 2] = [1.0, -2.0];

    /// Squared distance from the mean in standard deviations.
    pub fn mahalanobis(point: Point) -> f64 {
        let [[a, b], [_, d]] = COVARIANCE;
        let (x, y) = (point.0 - MEAN[0], point.1 - MEAN[1]);
        (d * x * x - 2.0 * b * x * y + a * y * y) / (a * d - b * b)
    }

    #[test]
    fn every_point_of_an_ellipse_is_its_radius_from_the_mean() {
        let radius = radius_for_mass(0.95);
        assert!((radius * radius - 5.991464547107979).abs() < 1e-12, "the 95 % quantile of χ²(2)");
        for point in ellipse(MEAN, COVARIANCE, radius).unwrap() {
            assert!((mahalanobis(point) - radius * radius).abs() < 1e-12);
        }
    }

    #[test]
    fn an_ellipse_needs_a_positive_definite_covariance() {
        assert_eq!(ellipse(MEAN, [[1.0, 1.0], [1.0, 1.0]], 1.0), None);
        assert_eq!(ellipse(MEAN, [[0.0, 0.0], [0.0, 1.0]], 1.0), None);
        assert_eq!(ellipse(MEAN, [[1.0, f64::NAN], [f64::NAN, 1.0]], 1.0), None);
    }

    #[test]
    fn clipping_keeps_what_is_inside_and_splits_what_leaves_and_returns() {
        let line = [(-1.0, 0.5), (0.5, 0.5), (0.5, 2.0), (0.6, 2.0), (0.6, 0.5)];
        let parts = clip(&line, (0.0, 0.0), (1.0, 1.0));
        assert_eq!(parts, [vec![(0.0, 0.5), (0.5, 0.5), (0.5, 1.0)], vec![(0.6, 1.0), (0.6, 0.5)]]);
        assert!(clip(&[(2.0, 0.0), (2.0, 1.0)], (0.0, 0.0), (1.0, 1.0)).is_empty());
    }
}
