//! Criteria of the maximised likelihood.

use gmm_sampler::mixture::likelihood::{Likelihood, WhitenedComponents};
use gmm_sampler::start::em::{EmOptimum, Regularity};
use gmm_scoring::{Criterion, Maxima, Maximum, Score, Source, entropy};

use super::digest::{ScoreRow, append};
use crate::engine::experiment::Experiment;

/// The scores of every K whose likelihood was maximised, as asked for; the optima are in the order of K.
#[must_use]
pub fn information_scores(experiment: &Experiment, optima: &[(usize, EmOptimum)]) -> Vec<ScoreRow> {
    let data = &experiment.dataset.data;
    let of_each: Vec<Maximum> = optima.iter().map(|(k, optimum)| maximum(experiment, *k, optimum)).collect();
    let maxima =
        Maxima { of_each: &of_each, n_features: data.n_features(), n_observations: data.n_observations() };
    let asked = Criterion::ALL.into_iter().filter(|criterion| experiment.scores_by(*criterion));
    let scores = asked.filter_map(|criterion| match criterion.descriptor().source {
        Source::Likelihood(formula) => Some(formula(&maxima)),
        Source::Mode | Source::Draws(_) => None,
    });
    let row = |(score, (components, optimum)): (Score, &(usize, EmOptimum))| ScoreRow {
        components: *components,
        seed: None,
        score: judged(score, optimum),
    };
    scores.flat_map(|scores| scores.into_iter().zip(optima).map(row).collect::<Vec<_>>()).collect()
}

fn maximum(experiment: &Experiment, components: usize, optimum: &EmOptimum) -> Maximum {
    let data = &experiment.dataset.data;
    let n_parameters = experiment.n_parameters(components);
    let (log_likelihood, entropy) = optimum.best.as_ref().map_or((f64::NAN, f64::NAN), |best| {
        let responsibilities =
            Likelihood::new(data).responsibilities(&WhitenedComponents::from_mixture(&best.mixture));
        (best.log_likelihood, entropy(&responsibilities))
    });
    Maximum { components, log_likelihood, n_parameters, entropy }
}

/// A score with what is wrong with the optimum that it is of.
fn judged(mut score: Score, optimum: &EmOptimum) -> Score {
    let doubt = match &optimum.best {
        None => format!("all {} starts of EM ended in a degenerate solution", optimum.n_starts),
        Some(best) if best.regularity != Regularity::Regular => format!(
            "every optimum of {} starts of EM hangs on a tiny cluster (smallest expected count {:.1}, smallest relative eigenvalue {:.1e})",
            optimum.n_starts, best.min_count, best.min_eigenvalue
        ),
        Some(_) => String::new(),
    };
    if !doubt.is_empty() {
        append(&mut score.note, &doubt);
        score.reliable = false;
    } else if let Some(gain) = optimum.refused_gain {
        append(&mut score.note, &format!("a spurious optimum {gain:.1} nats higher was refused"));
    }
    score
}
