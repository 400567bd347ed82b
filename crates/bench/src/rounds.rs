//! Interleaved rounds: all cases take turns, so that a noisy moment of the machine hits every one of them.

use std::time::{Duration, Instant};

use crate::clock::thread_time;

/// CPU time of one sample, about. Reading a clock is a system call of a fraction of a microsecond, 0.1 % of this at most.
const SAMPLE: Duration = Duration::from_millis(1);

/// Rounds at least, however long they take: a median of fewer says little.
const LEAST_ROUNDS: usize = 5;

/// Rounds at most, where all works are short: a median of more says no more.
const MOST_ROUNDS: usize = 2_000;

/// Something to be timed: does a piece of work, always alike and in the calling thread, and returns how many units of it were done.
pub type Work<'a> = Box<dyn FnMut() -> u64 + 'a>;

/// CPU time of one unit, in seconds, or a number that is made of such times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    pub median: f64,
    /// Noise only ever adds time.
    pub minimum: f64,
    /// Samples behind them.
    pub rounds: usize,
}

impl Timing {
    /// Of samples in any order.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn of(mut samples: Vec<f64>) -> Self {
        assert!(!samples.is_empty(), "a median needs a sample");
        samples.sort_unstable_by(f64::total_cmp);
        let n = samples.len();
        let median = f64::midpoint(samples[(n - 1) / 2], samples[n / 2]);
        Self { median, minimum: samples[0], rounds: n }
    }

    /// Both numbers through a formula.
    #[must_use]
    pub fn map(self, formula: impl Fn(f64) -> f64) -> Self {
        Self { median: formula(self.median), minimum: formula(self.minimum), rounds: self.rounds }
    }

    /// A formula of two medians, and of two minima.
    #[must_use]
    pub fn with(self, other: Self, formula: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            median: formula(self.median, other.median),
            minimum: formula(self.minimum, other.minimum),
            rounds: self.rounds.min(other.rounds),
        }
    }
}

/// Times all works in turn until the budget of wall time is spent, but for [`LEAST_ROUNDS`] at least.
#[must_use]
pub fn measure(works: &mut [Work<'_>], budget: Duration) -> Vec<Timing> {
    let began = Instant::now();
    let plans: Vec<Plan> = works.iter_mut().map(Plan::of).collect();
    let mut samples = vec![Vec::new(); works.len()];
    for round in 0..MOST_ROUNDS {
        if round >= LEAST_ROUNDS && began.elapsed() >= budget {
            break;
        }
        for ((work, plan), samples) in works.iter_mut().zip(&plans).zip(&mut samples) {
            samples.push(plan.sample(work));
        }
    }
    samples.into_iter().map(Timing::of).collect()
}

/// How often a work is done for a sample to be long enough.
struct Plan {
    repeats: usize,
}

impl Plan {
    /// The first time fills caches and sets buffers up.
    fn of(work: &mut Work<'_>) -> Self {
        work();
        let began = Instant::now();
        work();
        let once = began.elapsed().as_secs_f64();
        let mut plan = Self { repeats: (SAMPLE.as_secs_f64() / once).ceil() as usize };
        while plan.run(work).1 * 2 < SAMPLE {
            plan.repeats *= 2;
        }
        plan
    }

    /// Units done, and the CPU time that they took.
    fn run(&self, work: &mut Work<'_>) -> (u64, Duration) {
        let began = thread_time();
        let units = (0..self.repeats).map(|_| work()).sum();
        (units, thread_time() - began)
    }

    /// Seconds of a unit.
    fn sample(&self, work: &mut Work<'_>) -> f64 {
        let (units, time) = self.run(work);
        time.as_secs_f64() / units as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn medians_and_minima_are_those_of_the_samples() {
        assert_eq!(Timing::of(vec![3.0, 1.0, 2.0]), Timing { median: 2.0, minimum: 1.0, rounds: 3 });
        assert_eq!(Timing::of(vec![4.0, 1.0, 2.0, 9.0]).median, 3.0);
    }

    /// Uses as much of the calling thread's time as three samples do, so that none repeats it.
    fn spin() {
        let began = thread_time();
        while thread_time() - began < 3 * SAMPLE {}
    }

    #[test]
    fn works_take_turns_and_each_has_its_five_rounds_even_without_a_budget() {
        let calls = [Cell::new(0), Cell::new(0)];
        let work = |index: usize| -> Work<'_> {
            let calls = &calls;
            Box::new(move || {
                calls[index].set(calls[index].get() + 1);
                spin();
                10
            })
        };
        let timings = measure(&mut [work(0), work(1)], Duration::ZERO);
        for (timing, calls) in timings.iter().zip(&calls) {
            // Twice to warm up and once to plan.
            assert_eq!((timing.rounds, calls.get()), (LEAST_ROUNDS, LEAST_ROUNDS + 3));
            assert!(timing.minimum >= 0.3 * SAMPLE.as_secs_f64(), "a tenth of three samples: {timing:?}");
        }
    }
}
