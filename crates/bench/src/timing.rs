//! Timings in interleaved rounds: all workloads take turns, so that noise of the machine affects them alike.

use std::time::{Duration, Instant};

use crate::clock::thread_time;

/// Approximate CPU time of one sample. Reading the clock is a system call of a fraction of a microsecond, at most 0.1 % of this.
const SAMPLE: Duration = Duration::from_millis(1);

/// Minimum number of rounds, however long they take: a median of fewer is too noisy.
const MIN_ROUNDS: usize = 5;

/// Maximum number of rounds, reached if all workloads are short: more rounds would not improve the median.
const MAX_ROUNDS: usize = 2_000;

/// A function to time. It does the same work at every call, in the calling thread, and returns the number of units done.
pub type Workload<'a> = Box<dyn FnMut() -> u64 + 'a>;

/// CPU time of one unit, in seconds, or a number computed from such times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    pub median: f64,
    /// The least noisy value, because noise can only add time.
    pub minimum: f64,
    /// Number of samples.
    pub rounds: usize,
}

impl Timing {
    /// Median and minimum of samples in any order.
    ///
    /// # Panics
    /// If there are no samples.
    #[must_use]
    pub fn from_samples(mut samples: Vec<f64>) -> Self {
        assert!(!samples.is_empty(), "a median needs a sample");
        samples.sort_unstable_by(f64::total_cmp);
        let n = samples.len();
        let median = f64::midpoint(samples[(n - 1) / 2], samples[n / 2]);
        Self { median, minimum: samples[0], rounds: n }
    }

    /// Applies a formula to median and minimum.
    #[must_use]
    pub fn map(self, formula: impl Fn(f64) -> f64) -> Self {
        Self { median: formula(self.median), minimum: formula(self.minimum), rounds: self.rounds }
    }

    /// Applies a formula to both medians and to both minima.
    #[must_use]
    pub fn combine(self, other: Self, formula: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            median: formula(self.median, other.median),
            minimum: formula(self.minimum, other.minimum),
            rounds: self.rounds.min(other.rounds),
        }
    }
}

/// Times all workloads in turn until the budget of wall time is spent, but for at least [`MIN_ROUNDS`].
#[must_use]
pub fn measure(workloads: &mut [Workload<'_>], budget: Duration) -> Vec<Timing> {
    let began = Instant::now();
    let plans: Vec<SamplePlan> = workloads.iter_mut().map(SamplePlan::new).collect();
    let mut samples = vec![Vec::new(); workloads.len()];
    for round in 0..MAX_ROUNDS {
        if round >= MIN_ROUNDS && began.elapsed() >= budget {
            break;
        }
        for ((workload, plan), samples) in workloads.iter_mut().zip(&plans).zip(&mut samples) {
            samples.push(plan.sample(workload));
        }
    }
    samples.into_iter().map(Timing::from_samples).collect()
}

/// How often a workload is repeated, so that a sample is long enough.
struct SamplePlan {
    repeats: usize,
}

impl SamplePlan {
    /// The first call, which fills caches and allocates buffers, is not timed.
    fn new(workload: &mut Workload<'_>) -> Self {
        workload();
        let began = Instant::now();
        workload();
        let once = began.elapsed().as_secs_f64();
        let mut plan = Self { repeats: (SAMPLE.as_secs_f64() / once).ceil() as usize };
        while plan.run(workload).1 * 2 < SAMPLE {
            plan.repeats *= 2;
        }
        plan
    }

    /// Units done, and their CPU time.
    fn run(&self, workload: &mut Workload<'_>) -> (u64, Duration) {
        let began = thread_time();
        let units = (0..self.repeats).map(|_| workload()).sum();
        (units, thread_time() - began)
    }

    /// Seconds per unit.
    fn sample(&self, workload: &mut Workload<'_>) -> f64 {
        let (units, time) = self.run(workload);
        time.as_secs_f64() / units as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn median_and_minimum_are_those_of_the_samples() {
        assert_eq!(
            Timing::from_samples(vec![3.0, 1.0, 2.0]),
            Timing { median: 2.0, minimum: 1.0, rounds: 3 }
        );
        assert_eq!(Timing::from_samples(vec![4.0, 1.0, 2.0, 9.0]).median, 3.0);
    }

    /// Uses the CPU time of three samples, so that no sample repeats it.
    fn spin() {
        let began = thread_time();
        while thread_time() - began < 3 * SAMPLE {}
    }

    #[test]
    fn every_workload_gets_the_minimum_of_rounds_even_without_a_budget() {
        let calls = [Cell::new(0), Cell::new(0)];
        let workload = |index: usize| -> Workload<'_> {
            let calls = &calls;
            Box::new(move || {
                calls[index].set(calls[index].get() + 1);
                spin();
                10
            })
        };
        let timings = measure(&mut [workload(0), workload(1)], Duration::ZERO);
        for (timing, calls) in timings.iter().zip(&calls) {
            // Three calls to make the plan.
            assert_eq!((timing.rounds, calls.get()), (MIN_ROUNDS, MIN_ROUNDS + 3));
            assert!(timing.minimum >= 0.3 * SAMPLE.as_secs_f64(), "a tenth of three samples: {timing:?}");
        }
    }
}
