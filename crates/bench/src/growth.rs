//! Growth of time with N, K and D: exponents and their limits.

use crate::case::Spacing;
use crate::measurement::Area;
use crate::timing::Timing;

/// The largest exponents allowed, with a margin for noise: linear in N and K, quadratic in D.
const LINEAR: f64 = 1.15;
const QUADRATIC: f64 = 2.15;

/// The variable of a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    Observations,
    Components,
    Features,
}

impl Variable {
    /// All variables, in the order of the figure.
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

    /// The largest exponent allowed. A dense metric costs the square of the dimension, which grows with K D². But the metric is dense
    /// in at most a few hundred dimensions, where the pass over the data costs more.
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
pub struct GrowthPoint {
    pub size: usize,
    /// Seconds of one unit.
    pub time: Timing,
    /// Seconds of one pass at the machine's peak arithmetic rate.
    pub time_at_peak: f64,
}

/// The time of one area along a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Growth {
    pub area: Area,
    pub variable: Variable,
    pub spacing: Spacing,
    /// The fixed variables, as `D = 2, K = 4`.
    pub fixed: String,
    /// Ascending in size.
    pub points: Vec<GrowthPoint>,
}

impl Growth {
    /// The exponent over the upper half of the sizes, from medians.
    #[must_use]
    pub fn exponent(&self) -> f64 {
        let points: Vec<(f64, f64)> =
            self.points.iter().map(|point| (point.size as f64, point.time.median)).collect();
        exponent(&points)
    }

    /// Whether the exponent does not exceed its limit.
    #[must_use]
    pub fn is_within_limit(&self) -> bool {
        self.exponent() <= self.variable.limit()
    }
}

/// The slope of log time on log size by least squares over the upper half of the sizes, but at least two. The lower half is left out
/// because constant costs still matter there.
///
/// # Panics
/// If there are fewer than two points.
#[must_use]
pub fn exponent(points: &[(f64, f64)]) -> f64 {
    assert!(points.len() >= 2, "a slope needs two points");
    let upper = &points[points.len() - points.len().div_ceil(2).max(2)..];
    let logs: Vec<(f64, f64)> = upper.iter().map(|(size, time)| (size.ln(), time.ln())).collect();
    let n = logs.len() as f64;
    let mean = |coordinate: fn(&(f64, f64)) -> f64| logs.iter().map(coordinate).sum::<f64>() / n;
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
    fn a_constant_cost_does_not_change_the_exponent_of_the_upper_half() {
        // A constant of 1 below a linear cost: the slope over all four points would be 0.7.
        let points = [(1.0, 1.0), (10.0, 1.0), (100.0, 10.0), (1000.0, 100.0)];
        assert_relative_eq!(exponent(&points), 1.0, epsilon = 1e-12);
    }

    #[test]
    fn growth_is_within_its_limit_up_to_the_limit() {
        let point = |size: usize, time: f64| GrowthPoint {
            size,
            time: Timing { median: time, minimum: 0.5 * time, rounds: 1 },
            time_at_peak: 0.0,
        };
        let growth = |variable, time| Growth {
            area: Area::Kernel,
            variable,
            spacing: Spacing::Separated,
            fixed: String::new(),
            points: vec![point(10, 1.0), point(100, time)],
        };
        // log10 12 = 1.08 and log10 15 = 1.18.
        assert!(growth(Variable::Observations, 12.0).is_within_limit());
        assert!(!growth(Variable::Components, 15.0).is_within_limit());
        assert!(growth(Variable::Features, 15.0).is_within_limit());
    }
}
