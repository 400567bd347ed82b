//! The search for the best optimum: short runs from many starts, long runs from the best, then relocations of single
//! components.

use rand::Rng;

use super::optimum::{EmFit, EmOptimum, MAX_OTHERS};
use super::regularity::Regularity;
use super::run::{EmProgress, EmRun, EmState, StopReason};
use super::starts::{Initialization, initial_state, relocated};
use super::whitened::Whitened;
use crate::mixture::likelihood::{Likelihood, Moments, WhitenedComponents, Workspace};

const MAX_ITERATIONS: usize = 5000;

/// Starts are ranked after this many iterations. The best continue until this share of all starts has ended at regular optima
/// (the em-EM strategy of Biernacki, Celeux & Govaert 2003).
const SHORT_ITERATIONS: usize = 30;
const FINALISTS_SHARE: f64 = 0.125;

/// A relocation continues if its log-likelihood after the short run is at most this far below the best, in nats.
const WITHIN_REACH: f64 = 20.0;

/// Two optima whose log-likelihoods differ by less than this, in nats, are the same.
const SAME_OPTIMUM: f64 = 1e-3;

/// The runs of one search and their fits.
pub(super) struct Search<'a> {
    whitened: &'a Whitened,
    likelihood: &'a Likelihood,
    n_components: usize,
    workspace: Workspace,
    moments: Moments,
    /// Every fit that did not degenerate, with its state, from which EM can continue.
    pub(super) fits: Vec<(EmFit, EmState)>,
    n_degenerate: usize,
}

impl<'a> Search<'a> {
    pub(super) fn new(whitened: &'a Whitened, likelihood: &'a Likelihood, n_components: usize) -> Self {
        Self {
            whitened,
            likelihood,
            n_components,
            workspace: Workspace::new(n_components, likelihood.n_features()),
            moments: Moments::new(n_components, likelihood.n_features()),
            fits: Vec::new(),
            n_degenerate: 0,
        }
    }

    fn run(&mut self, state: EmState, iterations: usize) -> (EmProgress, EmState) {
        let components = WhitenedComponents::new(state.log_weights.len(), self.likelihood.n_features());
        let (workspace, moments) = (&mut self.workspace, &mut self.moments);
        let mut run = EmRun { likelihood: self.likelihood, state, components, workspace, moments };
        let progress = run.iterate(iterations);
        (progress, run.state)
    }

    /// The fit after a few iterations, unless it has degenerated.
    pub(super) fn short_run(&mut self, state: EmState) -> Option<(EmFit, EmState)> {
        let (progress, state) = self.run(state, SHORT_ITERATIONS);
        if progress.stop_reason == StopReason::Degenerate {
            self.n_degenerate += 1;
            return None;
        }
        Some((self.whitened.restore(&state, progress.log_likelihood, progress.iterations), state))
    }

    /// Runs to the end and keeps the fit, unless it degenerates.
    pub(super) fn finish(&mut self, state: EmState) {
        let (progress, state) = self.run(state, MAX_ITERATIONS);
        let fit = self.whitened.restore(&state, progress.log_likelihood, progress.iterations);
        if progress.stop_reason == StopReason::Degenerate || fit.regularity == Regularity::Degenerate {
            self.n_degenerate += 1;
        } else {
            self.fits.push((fit, state));
        }
    }

    fn best(&self) -> Option<&(EmFit, EmState)> {
        self.fits.iter().max_by(|(a, _), (b, _)| {
            a.regularity.cmp(&b.regularity).then(a.log_likelihood.total_cmp(&b.log_likelihood))
        })
    }

    /// Short runs from many starts, long runs from the best of them, then relocations of the best fit. Returns the number of
    /// fits from independent starts.
    pub(super) fn explore(&mut self, starts: usize, rng: &mut impl Rng) -> usize {
        let (data, k) = (&self.whitened.data, self.n_components);
        let mut candidates: Vec<(EmFit, EmState)> = (0..starts)
            .filter_map(|start| self.short_run(initial_state(data, k, Initialization::nth(start), rng)))
            .collect();
        // Candidates that look regular come first. One that does not end regular does not count, and the next is tried.
        candidates.sort_by(|(a, _), (b, _)| {
            b.regularity.cmp(&a.regularity).then(b.log_likelihood.total_cmp(&a.log_likelihood))
        });
        let finalists = (starts as f64 * FINALISTS_SHARE).ceil() as usize;
        for (_, state) in candidates {
            if self.fits.iter().filter(|(fit, _)| fit.regularity == Regularity::Regular).count() == finalists
            {
                break;
            }
            self.finish(state);
        }
        // A rugged likelihood may have a better optimum that differs in one component and that independent starts rarely find.
        let independent = self.fits.len();
        for _ in 0..relocations(k, starts) {
            let Some((best, state)) = self.best() else { break };
            let (regularity, within_reach) = (best.regularity, best.log_likelihood - WITHIN_REACH);
            let state = relocated(data, state, rng);
            if let Some((fit, state)) = self.short_run(state)
                && fit.regularity >= regularity
                && fit.log_likelihood > within_reach
            {
                self.finish(state);
            }
        }
        independent
    }

    /// Distinct optima, best first.
    fn distinct(&self) -> Vec<&(EmFit, EmState)> {
        let mut order: Vec<&(EmFit, EmState)> = self.fits.iter().collect();
        order.sort_by(|(a, _), (b, _)| {
            b.regularity.cmp(&a.regularity).then(b.log_likelihood.total_cmp(&a.log_likelihood))
        });
        order.dedup_by(|(a, _), (b, _)| (a.log_likelihood - b.log_likelihood).abs() < SAME_OPTIMUM);
        order
    }

    /// The states of the `n` best distinct optima.
    pub(super) fn best_distinct(&self, n: usize) -> Vec<EmState> {
        self.distinct().into_iter().take(n).map(|(_, state)| state.clone()).collect()
    }

    /// The result of the search. The first `independent` fits are from independent starts.
    pub(super) fn optimum(&self, starts: usize, independent: usize) -> EmOptimum {
        let best = self.best().map(|(fit, _)| fit.clone());
        let (refused_gain, n_reached) = best.as_ref().map_or((None, 0), |best| {
            let gains = self.fits.iter().map(|(fit, _)| fit.log_likelihood - best.log_likelihood);
            let gain = gains.clone().fold(0.0, f64::max);
            let gains = gains.take(independent);
            ((gain > SAME_OPTIMUM).then_some(gain), gains.filter(|gain| gain.abs() < SAME_OPTIMUM).count())
        });
        let n_starts = starts + relocations(self.n_components, starts);
        // The first is the best.
        let others = self.distinct().into_iter().skip(1).map(|(fit, _)| fit);
        let regular = others.filter(|fit| fit.regularity == Regularity::Regular);
        let others = regular.map(|fit| fit.mixture.clone()).take(MAX_OTHERS).collect();
        EmOptimum { best, others, refused_gain, n_starts, n_degenerate: self.n_degenerate, n_reached }
    }
}

fn relocations(n_components: usize, starts: usize) -> usize {
    if n_components == 1 { 0 } else { starts / 2 }
}
