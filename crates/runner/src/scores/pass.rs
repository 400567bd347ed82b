//! One pass over the data for a fit: what every criterion of the posterior needs of each observation.

use anyhow::Result;
use gmm_sampler::collapse::CollapseMonitor;
use gmm_sampler::data::Data;
use gmm_sampler::diagnostics::Summary;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::ties::Ties;
use gmm_scoring::{LogLikelihood, LooPoint, PointScores, WaicPoint};
use rayon::prelude::*;

use crate::engine::experiment::Experiment;
use crate::storage::fits::Fit;
use crate::study::job::Job;
use crate::study::streams::Stream;

/// What one pass over the data yields of a fit.
pub struct Pass {
    pub waic: Vec<WaicPoint>,
    pub loo: Vec<LooPoint>,
    /// S log-likelihoods of the whole data.
    pub log_likelihood: Vec<f64>,
}

/// Goes through all observations, with the terms of WAIC and PSIS-LOO where asked for.
pub fn pass(matrix: &LogLikelihood<'_>, with_waic: bool, with_loo: bool) -> Pass {
    let blocks: Vec<Pass> = (0..matrix.n_blocks())
        .into_par_iter()
        .map(|block| {
            if !with_waic && !with_loo {
                return Pass { waic: Vec::new(), loo: Vec::new(), log_likelihood: matrix.block_sum(block) };
            }
            let columns = matrix.block(block);
            let mut log_likelihood = vec![0.0; matrix.n_draws()];
            for column in &columns {
                log_likelihood.iter_mut().zip(column).for_each(|(sum, value)| *sum += value);
            }
            let points = || columns.iter().map(|column| PointScores::new(column, matrix.n_chains()));
            let (waic, loo) = match (with_waic, with_loo) {
                (true, true) => points().map(|point| (point.waic, point.loo)).unzip(),
                (false, true) => (Vec::new(), points().map(|point| point.loo).collect()),
                _ => (columns.iter().map(|column| WaicPoint::new(column)).collect(), Vec::new()),
            };
            Pass { waic, loo, log_likelihood }
        })
        .collect();
    let mut whole = Pass { waic: Vec::new(), loo: Vec::new(), log_likelihood: vec![0.0; matrix.n_draws()] };
    // In the order of the blocks, so that sums round alike on any number of threads.
    for block in blocks {
        whole.waic.extend(block.waic);
        whole.loo.extend(block.loo);
        whole.log_likelihood.iter_mut().zip(&block.log_likelihood).for_each(|(sum, value)| *sum += value);
    }
    whole
}

/// The two quantities of a fit that no relabelling changes, described: log density, and the log-likelihood of some rows.
pub fn invariants(fit: &Fit, log_likelihood: &[f64]) -> [Summary; 2] {
    let lp: Vec<f64> = fit.stats.iter().map(|stats| stats.lp).collect();
    [&lp, log_likelihood].map(|column| Summary::from_column(column, fit.draws.n_chains()))
}

/// Draws of a fit, at most, for which owners of the observations are drawn: the share of a thousand draws has a standard error
/// below 0.016.
const MOST_DRAWS: usize = 1000;

/// How many components own an observation (K⁺), in evenly spaced draws of each chain.
pub fn occupied(job: Job, matrix: &LogLikelihood<'_>) -> Vec<f64> {
    let every = matrix.n_draws().div_ceil(MOST_DRAWS);
    let Job { model, seed, .. } = job;
    let owners = |block| matrix.occupied(block, every, &mut Stream::Owners { model, seed, block }.rng());
    let joined = (0..matrix.n_blocks()).into_par_iter().map(owners).reduce_with(|mut all, others| {
        all.join(&others);
        all
    });
    joined.map_or_else(Vec::new, |all| all.counts().into_iter().map(|count| count as f64).collect())
}

/// The log-likelihoods of some rows under a fit's draws, and the chains, counted from 0 among those that were kept, that
/// dwell on the spike of tied observations: under a scale prior that vanishes at 0 a mode of the posterior, though one that
/// describes how the data were rounded. Both need every draw as a mixture, which has its Cholesky factors to be found.
///
/// # Errors
/// Draws that are no mixtures.
pub fn log_likelihood_and_spiked<'a>(
    experiment: &Experiment,
    components: usize,
    fit: &Fit,
    rows: &'a Data,
) -> Result<(LogLikelihood<'a>, Vec<usize>)> {
    let ties = Ties::from_data(&experiment.dataset.data);
    let n_draws = fit.draws.n_draws();
    let mut watch = CollapseMonitor::new(components, &ties);
    let mut spiked = Vec::new();
    let mixtures = (0..fit.draws.len()).map(|s| {
        let mixture = Mixture::from_values(components, rows.n_features(), &fit.draws.draw(s))?;
        let chain = s / n_draws;
        if s % n_draws == 0 {
            watch = CollapseMonitor::new(components, &ties);
        }
        if watch.has_collapsed(&mixture) && spiked.last() != Some(&chain) {
            spiked.push(chain);
        }
        Ok(mixture)
    });
    let matrix = LogLikelihood::new(mixtures, fit.draws.n_chains(), rows)?;
    Ok((matrix, spiked))
}
