//! Cross-validation at modes: every row's log density under the mode of the posterior given the rows of the other folds.

use std::sync::Arc;

use gmm_sampler::data::{Data, Observations, Scaling};
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::MixtureError;
use gmm_sampler::start::mode::{Limits, find_mode_within};
use gmm_scoring::{LogLikelihood, cv, held_out};
use rayon::prelude::*;

use super::effort::{Effort, Step};
use crate::engine::experiment::Experiment;
use crate::scores::rows::ScoreRow;
use crate::scores::screen::Modes;

/// More rows than this are not cross-validated: a search on nine tenths of them for each fold and K would take many times as long as
/// everything else.
const MOST_ROWS: usize = 10_000;

/// As many modes of all rows, those with the most evidence about them, are followed to those of a fold's.
const FOLLOWED: usize = 2;

/// A mode of a part of the rows this close to its peak, in nats, is close enough for predictions.
const LIMITS: Limits = Limits { iterations: 300, gain: 1e-3 };

/// The score of every K that has a mode; none for more rows than can be refitted in time, or too few to hold any out.
///
/// Scaling and prior are those of all rows; both know no more of a row than its share of means and standard deviations.
#[must_use]
pub fn cross_validation(
    experiment: &Experiment,
    scaling: &Scaling,
    of_each: &[Modes<'_>],
    effort: &Effort,
) -> Vec<ScoreRow> {
    let data = &experiment.dataset.data;
    let n = data.n_observations();
    if !(2..=MOST_ROWS).contains(&n) {
        return Vec::new();
    }
    let folds = experiment.folds(experiment.spec.scoring.folds.min(n));
    let of_fold = |fold: &Arc<[usize]>, modes: &Modes<'_>| {
        let found = of_fold(data, scaling, fold, modes);
        effort.did(Step::Fold, modes.model);
        found
    };
    let scored: Vec<Vec<Vec<f64>>> =
        folds.par_iter().map(|fold| of_each.par_iter().map(|modes| of_fold(fold, modes)).collect()).collect();
    let with_modes = of_each.iter().enumerate().filter(|(_, modes)| !modes.modes.is_empty());
    let row = |(index, modes): (usize, &Modes<'_>)| {
        let mut pointwise = vec![f64::NAN; n];
        for (fold, of_models) in folds.iter().zip(&scored) {
            fold.iter().zip(&of_models[index]).for_each(|(&row, density)| pointwise[row] = *density);
        }
        ScoreRow::new(modes.model, None, cv(pointwise))
    };
    with_modes.map(row).collect()
}

/// Log densities of the rows of a fold, in nats on the data's own scale, under the highest mode of the others that is found; none
/// without a mode of all rows.
fn of_fold(data: &Data, scaling: &Scaling, fold: &Arc<[usize]>, modes: &Modes<'_>) -> Vec<f64> {
    let others: Vec<usize> =
        (0..data.n_observations()).filter(|row| fold.binary_search(row).is_err()).collect();
    let training = data.rows(&others);
    let likelihood = Likelihood::new(&scaling.view(&training));
    let mut posterior = modes.posterior.with_likelihood(&likelihood, 1.0);
    let search = |position: &Vec<f64>| find_mode_within(&mut posterior, position, LIMITS);
    let found = modes.modes.iter().take(FOLLOWED).map(|found| &found.mode.position).map(search);
    let highest = found.max_by(|a, b| a.log_density.total_cmp(&b.log_density));
    let Some(highest) = highest else { return Vec::new() };
    let mixture = modes.posterior.layout().constrain(&highest.position).on_data_scale(scaling);
    let held = data.rows(fold);
    let matrix = LogLikelihood::new(std::iter::once(Ok::<_, MixtureError>(mixture)), 1, &held)
        .expect("a mode is a mixture");
    (0..matrix.n_blocks()).flat_map(|block| matrix.block(block)).map(|column| held_out(&column)).collect()
}
