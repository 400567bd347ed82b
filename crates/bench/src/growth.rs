//! How time grows with N, K and D: exponents, and what is claimed of them.

use crate::case::Spacing;
use crate::rounds::Timing;
use crate::suite::Area;

/// The largest exponents that are claimed, with room for noise: linear in N and K, at most quadratic in D.
const LINEAR: f64 = 1.15;
const QUADRATIC: f64 = 2.15;

/// What a grid varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    Observations,
    Components,
    Features,
}

impl Variable {
    pub const ALL: [Self; 3] = [Self::Observations, Self::Components, Self::Features];

    /// N, K or D.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Observations => "N",
            Self::Components => "K",
            Self::Features => "D",
        }
    }

    /// The largest exponent that is claimed. A dense metric costs the square of the dimension, which grows with K D², but
    /// the metric is dense in a few hundred dimensions alone, where the pass over the data outweighs it.
    #[must_use]
    pub fn limit(self) -> f64 {
        match self {
            Self::Observations | Self::Components => LINEAR,
            Self::Features => QUADRATIC,
        }
    }
}

/// One size of a grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub size: usize,
    /// Seconds.
    pub time: Timing,
    /// Seconds that the arithmetic of one pass takes at least.
    pub floor: f64,
}

/// One line: an area's time over a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Growth {
    pub area: Area,
    pub variable: Variable,
    pub spacing: Spacing,
    /// What is held fixed, as `D = 2, K = 4`.
    pub held: String,
    /// Sizes ascending.
    pub points: Vec<Point>,
}

impl Growth {
    /// Exponent of the line's upper half, of medians: all sizes of a line had the same rounds.
    #[must_use]
    pub fn exponent(&self) -> f64 {
        let points: Vec<(f64, f64)> =
            self.points.iter().map(|point| (point.size as f64, point.time.median)).collect();
        exponent(&points)
    }

    /// Whether the exponent is no larger than is claimed.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.exponent() <= self.variable.limit()
    }
}

/// Slope of log time on log size by least squares over the upper half of the sizes, two at least: below, what does not grow
/// still counts.
///
/// # Panics
/// If there are fewer than two points.
#[must_use]
pub fn exponent(points: &[(f64, f64)]) -> f64 {
    assert!(points.len() >= 2, "a slope needs two points");
    let upper = &points[points.len() - points.len().div_ceil(2).max(2)..];
    let logs: Vec<(f64, f64)> = upper.iter().map(|(size, time)| (size.ln(), time.ln())).collect();
    let n = logs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|log| log.0), mean(|log| log.1));
    let products: f64 = logs.iter().map(|log| (log.0 - x) * (log.1 - y)).sum();
    products / logs.iter().map(|log| (log.0 - x).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn the_exponent_of_a_power_law_is_its_power() {
        for power in [0.0, 1.0, 1.5, 2.0] {
            for n in [2, 3, 4, 5, 6] {
                let law = |i: i32| 10f64.powi(i);
                let points: Vec<(f64, f64)> = (0..n).map(|i| (law(i), 3e-9 * law(i).powf(power))).collect();
                assert_relative_eq!(exponent(&points), power, epsilon = 1e-12);
            }
        }
    }

    #[test]
    fn what_does_not_grow_is_not_seen_in_the_upper_half() {
        // A start of 1 that a linear cost overtakes: over all four points the slope would be 0.5.
        let points = [(1.0, 1.0), (10.0, 1.0), (100.0, 10.0), (1000.0, 100.0)];
        assert_relative_eq!(exponent(&points), 1.0, epsilon = 1e-12);
    }

    #[test]
    fn a_claim_is_kept_up_to_its_limit() {
        let point = |size: usize, time: f64| Point {
            size,
            time: Timing { median: time, minimum: 0.5 * time, rounds: 1 },
            floor: 0.0,
        };
        let growth = |variable, time| Growth {
            area: Area::Kernel,
            variable,
            spacing: Spacing::Separated,
            held: String::new(),
            points: vec![point(10, 1.0), point(100, time)],
        };
        // log10 12 = 1.08 and log10 15 = 1.18.
        assert!(growth(Variable::Observations, 12.0).is_kept());
        assert!(!growth(Variable::Components, 15.0).is_kept());
        assert!(growth(Variable::Features, 15.0).is_kept());
    }
}
