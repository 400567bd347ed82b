//! Contours of a density on a grid, and the levels that enclose a given mass.

use super::scene::Point;
use std::collections::BTreeMap;

/// A density on a rectangular grid of evenly spaced nodes.
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
            true => (self.x[column], interpolate(self.y[row], self.y[row + 1], share)),
            false => (interpolate(self.x[column], self.x[column + 1], share), self.y[row]),
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

fn interpolate(a: f64, b: f64, share: f64) -> f64 {
    a + (b - a) * share
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::figures::geometry::tests::{MEAN, mahalanobis};
    use std::f64::consts::TAU;

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
}
