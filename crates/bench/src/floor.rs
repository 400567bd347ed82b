//! The floor under one pass over the data: its arithmetic, at the rate of a machine that waits for nothing.

use std::hint::black_box;

use gmm_sampler::simd::multiply_adds;

use crate::rounds::{Timing, Work};

/// Rounds of multiply-adds in one sample: some 10 µs, so that a call costs nothing beside them.
const ROUNDS: u64 = 2_000;

/// Operations of the exponential, the soft-max and the comparisons for one observation and component. An estimate: exp2 alone
/// is a polynomial of degree ten with its reduction.
const SOFT_MAX: f64 = 20.0;

/// Floating-point operations of one pass: N K (4 P + 20), P = 1 + D + D(D+1)/2 being the numbers that are kept of a component.
/// Each of them enters a multiply-add on the way to the logit and one on the way back to the moments, of two operations each.
#[must_use]
pub fn operations(n: usize, d: usize, k: usize) -> f64 {
    let p = (1 + d + d * (d + 1) / 2) as f64;
    n as f64 * k as f64 * (4.0 * p + SOFT_MAX)
}

/// Seconds that they take at least, given those of one multiply-add, which is two of them.
#[must_use]
pub fn floor(n: usize, d: usize, k: usize, multiply_add: f64) -> f64 {
    0.5 * operations(n, d, k) * multiply_add
}

/// The floor's share of a pass: median against median and minimum against minimum, since both were timed in the same rounds. It can
/// exceed 1, because a pass leaves components out that are beyond reach, which the floor counts.
#[must_use]
pub fn share_of_floor(n: usize, d: usize, k: usize, multiply_add: Timing, pass: Timing) -> Timing {
    pass.with(multiply_add, |pass, multiply_add| floor(n, d, k, multiply_add) / pass)
}

/// Multiply-adds of doubles in registers; its timing is the seconds of one.
#[must_use]
pub fn work() -> Work<'static> {
    Box::new(|| multiply_adds(black_box(ROUNDS)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn the_operations_are_those_of_the_formula() {
        // D = 2: P = 6, 44 operations an observation and component.
        assert_eq!(operations(500, 2, 8), 500.0 * 8.0 * 44.0);
        // D = 8: P = 45.
        assert_eq!(operations(20_000, 8, 6), 20_000.0 * 6.0 * 200.0);
    }

    #[test]
    fn the_floor_counts_two_operations_a_multiply_add() {
        assert_relative_eq!(floor(1, 2, 1, 1e-9), 22e-9, max_relative = 1e-12);
        let pass = Timing { median: 88e-9, minimum: 44e-9, rounds: 3 };
        let multiply_add = Timing { median: 2e-9, minimum: 1e-9, rounds: 5 };
        let share = share_of_floor(1, 2, 1, multiply_add, pass);
        assert_relative_eq!(share.median, 0.5, max_relative = 1e-12);
        assert_relative_eq!(share.minimum, 0.5, max_relative = 1e-12);
        assert_eq!(share.rounds, 3);
    }
}
