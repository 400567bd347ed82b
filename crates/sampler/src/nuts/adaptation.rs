//! Warm-up: dual averaging of the step size, and the windows from which the metric is estimated.

use libm::{exp, log, pow};

use super::hamiltonian::MAX_STEP_SIZE;

/// Hoffman & Gelman (2014, section 3.2.1) with their recommended constants.
const GAMMA: f64 = 0.05;
const T0: f64 = 10.0;
const KAPPA: f64 = 0.75;

/// Tunes the step size until the mean acceptance rate meets its target (Hoffman & Gelman 2014, eq. 6), or exceeds it at the
/// largest step size.
#[derive(Debug, Clone)]
pub(crate) struct DualAveraging {
    target_accept: f64,
    /// log ε is pulled towards this: ten times the first guess, since a step too small wastes more than one too large.
    mu: f64,
    count: f64,
    /// H̄.
    mean_error: f64,
    log_step: f64,
    /// Weighted average of log ε, which converges.
    mean_log_step: f64,
}

impl DualAveraging {
    pub(crate) fn new(initial_step: f64, target_accept: f64) -> Self {
        let log_step = log(initial_step.min(MAX_STEP_SIZE));
        Self {
            target_accept,
            mu: log_step + log(10.0),
            count: 0.0,
            mean_error: 0.0,
            log_step,
            mean_log_step: 0.0,
        }
    }

    pub(crate) fn update(&mut self, acceptance_rate: f64) {
        self.count += 1.0;
        let weight = 1.0 / (self.count + T0);
        // At the largest step size, acceptance above the target must not push later steps up.
        let bounded = self.log_step >= log(MAX_STEP_SIZE);
        let error = (self.target_accept - acceptance_rate).max(if bounded { 0.0 } else { f64::NEG_INFINITY });
        self.mean_error += weight * (error - self.mean_error);
        self.log_step = (self.mu - self.mean_error * self.count.sqrt() / GAMMA).min(log(MAX_STEP_SIZE));
        let weight = pow(self.count, -KAPPA);
        self.mean_log_step += weight * (self.log_step - self.mean_log_step);
    }

    /// The step size to try next.
    pub(crate) fn step_size(&self) -> f64 {
        exp(self.log_step)
    }

    /// The step size to keep.
    pub(crate) fn averaged_step_size(&self) -> f64 {
        if self.count == 0.0 { self.step_size() } else { exp(self.mean_log_step) }
    }
}

/// When the metric is estimated: after a first buffer in which chains find the typical set, in windows of doubling length,
/// before a last buffer for the step size alone. The lengths are Stan's (reference manual, "Automatic parameter tuning").
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Windows {
    /// Iterations, from 0, after which a window closes; ascending.
    closings: Vec<usize>,
    first_open: usize,
}

const FIRST_BUFFER: usize = 75;
const FIRST_WINDOW: usize = 25;
const LAST_BUFFER: usize = 50;

impl Windows {
    pub(crate) fn new(warmup: usize) -> Self {
        if warmup < 20 {
            // Too short to estimate a covariance: only the step size is tuned.
            return Self { closings: Vec::new(), first_open: warmup };
        }
        let (first_open, mut window, end) = if warmup < FIRST_BUFFER + FIRST_WINDOW + LAST_BUFFER {
            let first_open = warmup * 15 / 100;
            let end = warmup - warmup / 10;
            (first_open, end - first_open, end)
        } else {
            (FIRST_BUFFER, FIRST_WINDOW, warmup - LAST_BUFFER)
        };
        let mut closings = Vec::new();
        let mut open = first_open;
        while open < end {
            // If less than twice this window's length would be left for the next one, this window takes it all.
            let close = if open + 3 * window > end { end } else { open + window };
            closings.push(close - 1);
            open = close;
            window *= 2;
        }
        Self { closings, first_open }
    }

    /// Whether the draw of this iteration counts for the metric.
    pub(crate) fn collects(&self, iteration: usize) -> bool {
        iteration >= self.first_open && self.closings.last().is_some_and(|&last| iteration <= last)
    }

    /// Whether a window closes with this iteration.
    pub(crate) fn closes(&self, iteration: usize) -> bool {
        self.closings.binary_search(&iteration).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn windows_of_a_thousand_are_stans() {
        assert_eq!(Windows::new(1000).closings, [99, 149, 249, 449, 949]);
    }

    #[test]
    fn short_warm_ups_have_one_window_or_none() {
        assert_eq!(Windows::new(100).closings, [89]);
        assert!(Windows::new(19).closings.is_empty());
        assert!(Windows::new(0).closings.is_empty());
        assert!(!Windows::new(0).collects(0));
    }

    #[test]
    fn dual_averaging_finds_the_step_of_the_target() {
        // Acceptance falls linearly in the step; the target is met at 0.25.
        let mut tuned = DualAveraging::new(1.0, 0.8);
        for _ in 0..2000 {
            let acceptance = (1.0 - 0.8 * tuned.step_size()).clamp(0.0, 1.0);
            tuned.update(acceptance);
        }
        assert!((tuned.averaged_step_size() - 0.25).abs() < 0.01, "{}", tuned.averaged_step_size());
    }

    #[test]
    fn the_step_is_bounded_and_leaves_the_bound_as_soon_as_it_must() {
        let mut tuned = DualAveraging::new(1.0, 0.8);
        (0..1000).for_each(|_| tuned.update(0.99));
        assert_relative_eq!(tuned.step_size(), MAX_STEP_SIZE);
        assert_relative_eq!(tuned.averaged_step_size(), MAX_STEP_SIZE, max_relative = 0.02);
        (0..20).for_each(|_| tuned.update(0.5));
        assert!(tuned.step_size() < 0.9 * MAX_STEP_SIZE, "{}", tuned.step_size());
    }
}
