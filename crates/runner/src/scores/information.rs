//! Criteria of the maximised likelihood.

use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::start::em::{EmOptimum, Regularity};
use gmm_scoring::{Criterion, Maxima, Maximum, Score, Source, entropy};

use super::diagnostic::ScoreDiagnostic;
use crate::engine::experiment::Experiment;
use crate::scores::rows::ScoreRow;
use crate::study::job::ModelKey;

/// The scores of every K whose likelihood was maximised, as asked for; the optima are in the order of K.
#[must_use]
pub fn information_scores(experiment: &Experiment, optima: &[(ModelKey, EmOptimum)]) -> Vec<ScoreRow> {
    let data = &experiment.dataset.data;
    let of_each: Vec<Maximum> =
        optima.iter().map(|(model, optimum)| maximum(experiment, *model, optimum)).collect();
    let maxima =
        Maxima { of_each: &of_each, n_features: data.n_features(), n_observations: data.n_observations() };
    let asked = Criterion::ALL.into_iter().filter(|criterion| experiment.scores_by(*criterion));
    let scores = asked.filter_map(|criterion| match criterion.descriptor().source {
        Source::Likelihood(formula) => Some(formula(&maxima)),
        Source::Mode | Source::Draws(_) => None,
    });
    let row = |(score, (model, optimum)): (Score, &(ModelKey, EmOptimum))| {
        let mut row = ScoreRow::new(*model, None, score);
        diagnostic(optimum).into_iter().for_each(|diagnostic| row.push(diagnostic));
        row
    };
    scores.flat_map(|scores| scores.into_iter().zip(optima).map(row).collect::<Vec<_>>()).collect()
}

fn maximum(experiment: &Experiment, model: ModelKey, optimum: &EmOptimum) -> Maximum {
    let data = &experiment.dataset.data;
    let n_parameters = experiment.n_parameters(model);
    let (log_likelihood, entropy) = optimum.best.as_ref().map_or((f64::NAN, f64::NAN), |best| {
        let responsibilities = Likelihood::new(data).responsibilities_under(&best.mixture);
        (best.log_likelihood, entropy(&responsibilities))
    });
    Maximum { components: model.components, log_likelihood, n_parameters, entropy }
}

/// What is to be said of an optimum.
fn diagnostic(optimum: &EmOptimum) -> Option<ScoreDiagnostic> {
    let n_starts = optimum.n_starts;
    match &optimum.best {
        None => Some(ScoreDiagnostic::DegenerateStarts { n_starts }),
        Some(best) if best.regularity != Regularity::Regular => Some(ScoreDiagnostic::TinyCluster {
            n_starts,
            min_count: best.min_count,
            min_eigenvalue: best.min_eigenvalue,
        }),
        Some(_) => optimum.refused_gain.map(|gain| ScoreDiagnostic::SpuriousOptimum { gain }),
    }
}
