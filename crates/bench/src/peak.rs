//! The time of one pass over the data at the peak arithmetic rate of the machine.

use std::hint::black_box;

use gmm_sampler::simd::multiply_adds;

use crate::timing::{Timing, Workload};

/// Rounds of multiply-adds in one call: about 10 µs, so that the call itself costs nothing in comparison.
const ROUNDS: u64 = 2_000;

/// Operations of exponential, softmax and comparisons for one observation and component. An estimate: exp2 alone is a polynomial of
/// degree ten after range reduction.
const SOFT_MAX: f64 = 20.0;

/// Floating-point operations of one pass: N K (4 P + 20), where P = 1 + D + D(D+1)/2 is the number of values stored per component.
/// Each value takes part in one multiply-add of the logit and in one of the moments, and a multiply-add is two operations.
#[must_use]
pub fn operations(n: usize, d: usize, k: usize) -> f64 {
    let p = (1 + d + d * (d + 1) / 2) as f64;
    n as f64 * k as f64 * (4.0 * p + SOFT_MAX)
}

/// Seconds of one pass at the peak rate, given the seconds of one multiply-add.
#[must_use]
pub fn time_at_peak(n: usize, d: usize, k: usize, multiply_add: f64) -> f64 {
    0.5 * operations(n, d, k) * multiply_add
}

/// The share of the peak arithmetic rate that a pass attains, of medians and of minima, which were timed in the same rounds. It can
/// exceed 1, because a pass skips components with negligible responsibility, and the count of operations includes them.
#[must_use]
pub fn share_of_peak(n: usize, d: usize, k: usize, multiply_add: Timing, pass: Timing) -> Timing {
    pass.combine(multiply_add, |pass, multiply_add| time_at_peak(n, d, k, multiply_add) / pass)
}

/// Multiply-adds of doubles in registers; its unit is one multiply-add.
#[must_use]
pub fn workload() -> Workload<'static> {
    Box::new(|| multiply_adds(black_box(ROUNDS)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn operations_are_those_of_the_formula() {
        // D = 2: P = 6, 44 operations per observation and component.
        assert_eq!(operations(500, 2, 8), 500.0 * 8.0 * 44.0);
        // D = 8: P = 45.
        assert_eq!(operations(20_000, 8, 6), 20_000.0 * 6.0 * 200.0);
    }

    #[test]
    fn a_multiply_add_counts_as_two_operations() {
        assert_relative_eq!(time_at_peak(1, 2, 1, 1e-9), 22e-9, max_relative = 1e-12);
        let pass = Timing { median: 88e-9, minimum: 44e-9, rounds: 3 };
        let multiply_add = Timing { median: 2e-9, minimum: 1e-9, rounds: 5 };
        let share = share_of_peak(1, 2, 1, multiply_add, pass);
        assert_relative_eq!(share.median, 0.5, max_relative = 1e-12);
        assert_relative_eq!(share.minimum, 0.5, max_relative = 1e-12);
        assert_eq!(share.rounds, 3);
    }
}
