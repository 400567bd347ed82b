//! What a person sees while fits run: a line per running fit and one for the whole on a terminal, a line now and then in a log.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use gmm_sampler::nuts::chain::DrawStats;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::messages::say;
use crate::cli::terminal::shows_bars;
use crate::study::job::Job;

/// Iterations between two updates of a fit's line: far more would look stuck, far fewer would cost time.
const UPDATE_EVERY: u64 = 50;

/// Seconds between two lines of a log.
const LOG_EVERY: Duration = Duration::from_secs(15);

/// Where progress goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// Bars on a terminal, lines in a log.
    Automatic,
    Hidden,
}

/// The progress of a whole run.
pub struct Progress {
    bars: MultiProgress,
    whole: ProgressBar,
    log: Option<Mutex<Instant>>,
    began: Instant,
    what: &'static str,
    n_jobs: usize,
    n_done: Arc<AtomicUsize>,
    iterations: u64,
    /// Iterations that the end of a job counts for.
    of_job: u64,
    iterations_done: AtomicU64,
}

impl Progress {
    /// Of jobs, called `what`, that have no iterations of their own.
    #[must_use]
    pub fn by_job(what: &'static str, n_jobs: usize, display: Display) -> Self {
        Self { of_job: 1, ..Self::new(what, n_jobs, n_jobs, display) }
    }

    /// Of so much work, in any unit, that is no jobs.
    #[must_use]
    pub fn of_work(what: &'static str, work: u64, display: Display) -> Self {
        let progress = Self::new(what, 0, work as usize, display);
        progress.whole.set_message(what);
        progress
    }

    /// Of `n_jobs` fits, called `what`, with this many iterations together, over all of their chains.
    #[must_use]
    pub fn new(what: &'static str, n_jobs: usize, iterations: usize, display: Display) -> Self {
        let on_terminal = display == Display::Automatic && shows_bars();
        let target = if on_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bars = MultiProgress::with_draw_target(target);
        let iterations = iterations as u64;
        let whole =
            bars.add(ProgressBar::new(iterations).with_style(style(
                "{msg:26!} [{bar:20}] {percent:>3} %  {elapsed_precise}, {eta_precise} left",
            )));
        whole.set_message(format!("0 of {n_jobs} {what}"));
        let log = (display == Display::Automatic && !on_terminal).then(|| Mutex::new(Instant::now()));
        Self {
            bars,
            whole,
            log,
            began: Instant::now(),
            what,
            n_jobs,
            n_done: Arc::default(),
            iterations,
            of_job: 0,
            iterations_done: AtomicU64::new(0),
        }
    }

    /// Of one fit; its line appears when its first chain starts.
    #[must_use]
    pub fn fit(&self, job: Job, iterations: usize) -> FitProgress<'_> {
        FitProgress { progress: self, job, iterations, bar: OnceLock::new(), divergences: AtomicU64::new(0) }
    }

    fn line(&self, job: Job, iterations: usize) -> ProgressBar {
        let bar = self.bars.insert_before(
            &self.whole,
            ProgressBar::new(iterations as u64)
                .with_style(style("{prefix:26!} [{bar:20}] {percent:>3} %  {wide_msg}")),
        );
        bar.set_prefix(job.to_string());
        bar
    }

    /// All of the work.
    #[must_use]
    pub fn work(&self) -> u64 {
        self.iterations
    }

    /// How much of it is done.
    #[cfg(test)]
    pub fn work_done(&self) -> u64 {
        self.iterations_done.load(Ordering::Relaxed)
    }

    /// So much more of the work is done.
    pub fn advance(&self, iterations: u64) {
        self.whole.inc(iterations);
        let done = self.iterations_done.fetch_add(iterations, Ordering::Relaxed) + iterations;
        if let Some(log) = &self.log
            && let Ok(mut last) = log.try_lock()
            && last.elapsed() >= LOG_EVERY
        {
            *last = Instant::now();
            let elapsed = self.began.elapsed().as_secs_f64();
            let left = elapsed * (self.iterations as f64 / done as f64 - 1.0);
            let what = match self.n_jobs {
                0 => self.what.to_owned(),
                n => format!("{} of {n} {} done", self.n_done.load(Ordering::Relaxed), self.what),
            };
            let share = 100.0 * done as f64 / self.iterations as f64;
            say!("{what}, {share:.0} % of the work, after {elapsed:.0} s; about {left:.0} s left");
        }
    }

    /// One more job is done and stored, or failed.
    pub fn end_job(&self) {
        let done = self.n_done.fetch_add(1, Ordering::Relaxed) + 1;
        self.whole.set_message(format!("{done} of {} {}", self.n_jobs, self.what));
        if self.of_job > 0 {
            self.advance(self.of_job);
        }
    }

    /// How many jobs are done; goes on counting.
    #[must_use]
    pub fn done(&self) -> Arc<AtomicUsize> {
        self.n_done.clone()
    }

    #[must_use]
    pub fn n_jobs(&self) -> usize {
        self.n_jobs
    }

    /// All lines on the terminal.
    #[must_use]
    pub fn bars(&self) -> MultiProgress {
        self.bars.clone()
    }

    /// Removes the bars.
    pub fn finish(&self) {
        self.whole.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is a constant").progress_chars("━╸ ")
}

/// The line of one fit.
pub struct FitProgress<'a> {
    progress: &'a Progress,
    job: Job,
    iterations: usize,
    bar: OnceLock<ProgressBar>,
    divergences: AtomicU64,
}

impl FitProgress<'_> {
    /// The share of one chain in its fit's line.
    #[must_use]
    pub fn chain(&self) -> ChainProgress<'_> {
        ChainProgress { fit: self, state: Mutex::new(ChainState::default()) }
    }

    fn bar(&self) -> &ProgressBar {
        self.bar.get_or_init(|| self.progress.line(self.job, self.iterations))
    }

    /// Takes the line away: the chains have ended.
    pub fn finish(&self) {
        self.bar().finish_and_clear();
    }
}

/// One chain's share.
pub struct ChainProgress<'a> {
    fit: &'a FitProgress<'a>,
    state: Mutex<ChainState>,
}

#[derive(Default)]
struct ChainState {
    iterations: u64,
    acceptance: f64,
    steps: u64,
}

impl ChainProgress<'_> {
    /// Counts one iteration.
    pub fn step(&self, warming_up: bool, draw: &DrawStats) {
        let mut state = self.state.lock().expect("no holder of the lock panics");
        state.iterations += 1;
        state.acceptance += draw.transition.acceptance_rate;
        state.steps += u64::from(draw.transition.n_steps);
        if draw.transition.diverging() && !warming_up {
            self.fit.divergences.fetch_add(1, Ordering::Relaxed);
        }
        if state.iterations == UPDATE_EVERY {
            self.report(&mut state, warming_up);
        }
    }

    fn report(&self, state: &mut ChainState, warming_up: bool) {
        let n = state.iterations as f64;
        self.fit.bar().inc(state.iterations);
        self.fit.bar().set_message(format!(
            "{}, accepts {:.2}, {:.0} steps, {} divergent",
            if warming_up { "warm-up" } else { "sampling" },
            state.acceptance / n,
            state.steps as f64 / n,
            self.fit.divergences.load(Ordering::Relaxed)
        ));
        self.fit.progress.advance(state.iterations);
        *state = ChainState::default();
    }
}

impl Drop for ChainProgress<'_> {
    fn drop(&mut self) {
        if let Ok(mut state) = self.state.lock()
            && state.iterations > 0
        {
            let state = std::mem::take(&mut *state);
            self.fit.bar().inc(state.iterations);
            self.fit.progress.advance(state.iterations);
        }
    }
}
