//! Ellipses of Gaussians, level lines of a density on a grid, and lines cut to a rectangle.

use super::scene::Point;
use std::collections::BTreeMap;
use std::f64::consts::TAU;

/// A density evaluated on a rectangular grid of evenly spaced nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// One row of `x.len()` values for every value of `y`; any common factor is irrelevant.
    pub density: Vec<f64>,
}

impl Grid {
    fn at(&self, column: usize, row: usize) -> f64 {
        self.density[row * self.x.len() + column]
    }

    /// Whether the shape is a grid's: two nodes or more along each axis and a value for each node.
    fn is_complete(&self) -> bool {
        self.x.len() > 1 && self.y.len() > 1 && self.density.len() == self.x.len() * self.y.len()
    }

    /// The density above which a share `mass` of the grid's total lies: the edge of the highest-density
    /// region. `None` for a grid without finite positive mass. Mass outside the grid is not seen.
    ///
    /// Source: Hyndman (1996), "Computing and graphing highest density regions".
    pub fn level_for_mass(&self, mass: f64) -> Option<f64> {
        let mut heights: Vec<f64> =
            self.density.iter().copied().filter(|d| d.is_finite() && *d > 0.0).collect();
        heights.sort_by(|a, b| b.total_cmp(a));
        let highest = *heights.first()?;
        // Relative heights, so that densities near either end of the exponent range still add up.
        let total: f64 = heights.iter().map(|d| d / highest).sum();
        let mut covered = 0.0;
        heights.into_iter().find(|d| {
            covered += d / highest;
            covered >= mass * total
        })
    }

    /// Lines on which the density, linear along the grid's edges, equals `level`. A line is closed (its last
    /// point is its first) unless it leaves the grid.
    ///
    /// Marching squares; source: Maple (2003), "Geometric design and space planning using the marching
    /// squares and marching cube algorithms". At a saddle the mean of the corners decides what is
    /// joined.
    pub fn contours(&self, level: f64) -> Vec<Vec<Point>> {
        if !self.is_complete() || !level.is_finite() {
            return Vec::new();
        }
        let mut links: BTreeMap<Edge, Vec<Edge>> = BTreeMap::new();
        for row in 0..self.y.len() - 1 {
            for column in 0..self.x.len() - 1 {
                for (from, to) in self.crossings(column, row, level) {
                    links.entry(from).or_default().push(to);
                    links.entry(to).or_default().push(from);
                }
            }
        }
        // Ends at the grid's border first, so that what remains is closed.
        let ends: Vec<Edge> =
            links.iter().filter(|(_, next)| next.len() == 1).map(|(edge, _)| *edge).collect();
        let mut lines = Vec::new();
        for start in ends {
            lines.extend(follow(&mut links, start));
        }
        while let Some(start) = links.keys().next().copied() {
            lines.extend(follow(&mut links, start));
        }
        lines
            .into_iter()
            .map(|line| line.into_iter().map(|edge| self.crossing(edge, level)).collect())
            .collect()
    }

    /// The pairs of edges of one cell that a level line joins.
    fn crossings(&self, column: usize, row: usize, level: f64) -> Vec<(Edge, Edge)> {
        let corners = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)]
            .map(|(x, y)| self.at(x, y));
        if corners.iter().any(|density| !density.is_finite()) {
            return Vec::new();
        }
        let bottom = Edge { column, row, upright: false };
        let right = Edge { column: column + 1, row, upright: true };
        let top = Edge { column, row: row + 1, upright: false };
        let left = Edge { column, row, upright: true };
        let centre_is_high = corners.iter().map(|density| density / 4.0).sum::<f64>() > level;
        match corners.map(|density| density > level) {
            [false, false, false, false] | [true, true, true, true] => vec![],
            [true, false, false, false] | [false, true, true, true] => vec![(left, bottom)],
            [false, true, false, false] | [true, false, true, true] => vec![(bottom, right)],
            [false, false, true, false] | [true, true, false, true] => vec![(right, top)],
            [false, false, false, true] | [true, true, true, false] => vec![(top, left)],
            [true, true, false, false] | [false, false, true, true] => vec![(left, right)],
            [true, false, false, true] | [false, true, true, false] => vec![(bottom, top)],
            [first, ..] if first == centre_is_high => vec![(bottom, right), (top, left)],
            _ => vec![(left, bottom), (right, top)],
        }
    }

    fn crossing(&self, edge: Edge, level: f64) -> Point {
        let Edge { column, row, upright } = edge;
        let near = self.at(column, row);
        let far = if upright { self.at(column, row + 1) } else { self.at(column + 1, row) };
        let share = ((level - near) / (far - near)).clamp(0.0, 1.0);
        match upright {
            true => (self.x[column], mix(self.y[row], self.y[row + 1], share)),
            false => (mix(self.x[column], self.x[column + 1], share), self.y[row]),
        }
    }
}

/// An edge of the grid, named by its lower left node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    column: usize,
    row: usize,
    upright: bool,
}

/// Takes the line through `start` out of `links`; nothing when an earlier line took it.
fn follow(links: &mut BTreeMap<Edge, Vec<Edge>>, start: Edge) -> Option<Vec<Edge>> {
    let mut line = vec![start];
    let mut here = start;
    while let Some(next) = links.get_mut(&here).and_then(Vec::pop) {
        if let Some(back) = links.get_mut(&next)
            && let Some(at) = back.iter().position(|edge| *edge == here)
        {
            back.swap_remove(at);
        }
        line.push(next);
        here = next;
    }
    links.retain(|_, next| !next.is_empty());
    (line.len() > 1).then_some(line)
}

fn mix(a: f64, b: f64, share: f64) -> f64 {
    a + (b - a) * share
}

/// Radius, in standard deviations, of the ellipse that holds a share `mass` of a bivariate Gaussian: the
/// squared radius is χ² with two degrees of freedom.
pub fn radius_for_mass(mass: f64) -> f64 {
    (-2.0 * (-mass).ln_1p()).sqrt()
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
        let (sin, cos) = (TAU * (i % SIDES) as f64 / SIDES as f64).sin_cos();
        (mean[0] + radius * l_xx * cos, mean[1] + radius * (l_yx * cos + l_yy * sin))
    };
    Some((0..=SIDES).map(point).collect())
}

/// Density of a Gaussian at `x`; NaN for a variance that is not positive.
pub fn normal_density(x: f64, mean: f64, variance: f64) -> f64 {
    let sd = variance.sqrt();
    let z = (x - mean) / sd;
    (-0.5 * z * z).exp() / (sd * TAU.sqrt())
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
mod tests {
    use super::*;

    const COVARIANCE: [[f64; 2]; 2] = [[2.0, 0.9], [0.9, 0.7]];
    const MEAN: [f64; 2] = [1.0, -2.0];

    /// Squared distance from the mean in standard deviations.
    fn mahalanobis(point: Point) -> f64 {
        let [[a, b], [_, d]] = COVARIANCE;
        let (x, y) = (point.0 - MEAN[0], point.1 - MEAN[1]);
        (d * x * x - 2.0 * b * x * y + a * y * y) / (a * d - b * b)
    }

    fn gaussian_grid(nodes: usize) -> Grid {
        let axis = |centre: f64, sd: f64| -> Vec<f64> {
            (0..nodes).map(|i| centre + sd * (-6.0 + 12.0 * i as f64 / (nodes - 1) as f64)).collect()
        };
        let (x, y) = (axis(MEAN[0], 2.0_f64.sqrt()), axis(MEAN[1], 0.7_f64.sqrt()));
        let density = y.iter().flat_map(|y| x.iter().map(|x| (-0.5 * mahalanobis((*x, *y))).exp())).collect();
        Grid { x, y, density }
    }

    fn area(polygon: &[Point]) -> f64 {
        polygon.windows(2).map(|p| p[0].0 * p[1].1 - p[1].0 * p[0].1).sum::<f64>().abs() / 2.0
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
    fn highest_density_regions_of_a_gaussian_are_its_ellipses() {
        let grid = gaussian_grid(401);
        for mass in [0.5, 0.8, 0.95] {
            let lines = grid.contours(grid.level_for_mass(mass).unwrap());
            assert_eq!(lines.len(), 1);
            assert_eq!(lines[0].first(), lines[0].last(), "the line is closed");
            // An ellipse of r standard deviations has the area π r² √det and the mass 1 − exp(−r²/2). Nodes
            // inside a curve of radius R nodes miss its area by about R^(2/3) of them: here a thousandth of
            // the mass at most.
            let half_square = area(&lines[0]) / (TAU * (2.0 * 0.7 - 0.81_f64).sqrt());
            let enclosed = 1.0 - (-half_square).exp();
            assert!((enclosed - mass).abs() < 1e-3, "{enclosed} {mass}");
        }
    }

    #[test]
    fn two_peaks_give_two_closed_lines_and_a_peak_on_the_border_an_open_one() {
        let grid = |density: Vec<f64>| Grid {
            x: (0..5).map(f64::from).collect(),
            y: (0..3).map(f64::from).collect(),
            density,
        };
        let two = grid(vec![0., 0., 0., 0., 0., 0., 1., 0., 1., 0., 0., 0., 0., 0., 0.]).contours(0.5);
        assert_eq!(two.len(), 2);
        assert!(two.iter().all(|line| line.len() == 5 && line.first() == line.last()));
        let open = grid(vec![0., 0., 0., 0., 0., 1., 0., 0., 0., 0., 0., 0., 0., 0., 0.]).contours(0.5);
        assert_eq!(open, [[(0.0, 0.5), (0.5, 1.0), (0.0, 1.5)]]);
    }

    #[test]
    fn a_saddle_is_joined_through_a_high_centre_and_cut_at_a_low_one() {
        let saddle = |high: f64| Grid { x: vec![0., 1.], y: vec![0., 1.], density: vec![high, 0., 0., high] };
        let cut = |lines: Vec<Vec<Point>>| {
            lines.iter().any(|line| line.contains(&(0.0, 0.5)) && line.contains(&(0.5, 0.0)))
        };
        assert_eq!(saddle(1.0).contours(0.5).len(), 2);
        assert!(cut(saddle(1.0).contours(0.5)), "the mean of the corners is not above the level");
        let joined = saddle(3.0).contours(1.0);
        assert!(joined.iter().all(|line| !(line[0].0 == 0.0 && line[1].1 == 0.0)), "{joined:?}");
    }

    #[test]
    fn a_density_that_is_nowhere_positive_has_no_level() {
        let grid = Grid { x: vec![0., 1.], y: vec![0., 1.], density: vec![0., f64::NAN, 0., f64::INFINITY] };
        assert_eq!(grid.level_for_mass(0.5), None);
        let tiny = Grid { density: vec![1e-300; 4], ..grid };
        assert_eq!(tiny.level_for_mass(0.5), Some(1e-300));
    }

    #[test]
    fn clipping_keeps_what_is_inside_and_splits_what_leaves_and_returns() {
        let line = [(-1.0, 0.5), (0.5, 0.5), (0.5, 2.0), (0.6, 2.0), (0.6, 0.5)];
        let parts = clip(&line, (0.0, 0.0), (1.0, 1.0));
        assert_eq!(parts, [vec![(0.0, 0.5), (0.5, 0.5), (0.5, 1.0)], vec![(0.6, 1.0), (0.6, 0.5)]]);
        assert!(clip(&[(2.0, 0.0), (2.0, 1.0)], (0.0, 0.0), (1.0, 1.0)).is_empty());
    }
}
