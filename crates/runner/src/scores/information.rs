//! Criteria of the maximised likelihood.

use std::collections::BTreeMap;

use gmm_sampler::data::Data;
use gmm_sampler::mixture::likelihood::{Likelihood, WhitenedComponents};
use gmm_sampler::start::em::{EmOptimum, Regularity};
use gmm_scoring::{Basis, Criterion, Maximised, Score, aic, bic, entropy, icl, sbic, sbic_phi};

use super::digest::{ScoreRow, append};
use crate::engine::experiment::Experiment;

/// The criteria of the maximised likelihood that were asked for.
fn wanted(experiment: &Experiment) -> impl Iterator<Item = Criterion> {
    let of_maximum = |criterion: &Criterion| criterion.basis() == Basis::Maximum;
    Criterion::ALL.into_iter().filter(of_maximum).filter(|criterion| experiment.scores_by(*criterion))
}

/// The scores of every K whose likelihood was maximised, as asked for; the optima are in the order of K.
#[must_use]
pub fn information_scores(experiment: &Experiment, optima: &[(usize, EmOptimum)]) -> Vec<ScoreRow> {
    let singular = singular(experiment, optima);
    let rows = |(components, optimum): &(usize, EmOptimum)| {
        let singular = singular.get(components);
        wanted(experiment)
            .filter_map(|criterion| score(experiment, criterion, *components, optimum, singular))
            .map(|score| ScoreRow { components: *components, seed: None, score, mcse: f64::NAN })
            .collect::<Vec<_>>()
    };
    optima.iter().flat_map(rows).collect()
}

/// sBIC is of all K together.
fn singular(experiment: &Experiment, optima: &[(usize, EmOptimum)]) -> BTreeMap<usize, Score> {
    let data = &experiment.dataset.data;
    let maximised: Vec<Maximised> = optima
        .iter()
        .map(|(components, optimum)| Maximised {
            components: *components,
            log_likelihood: optimum.best.as_ref().map_or(f64::NAN, |best| best.log_likelihood),
        })
        .collect();
    let scores = sbic(&maximised, data.n_features(), data.n_observations(), sbic_phi(data.n_features()));
    maximised.iter().map(|maximised| maximised.components).zip(scores).collect()
}

fn score(
    experiment: &Experiment,
    criterion: Criterion,
    components: usize,
    optimum: &EmOptimum,
    singular: Option<&Score>,
) -> Option<Score> {
    let data: &Data = &experiment.dataset.data;
    let (n, p) = (data.n_observations(), experiment.n_parameters(components));
    let best = optimum.best.as_ref();
    let log_likelihood = best.map_or(f64::NAN, |best| best.log_likelihood);
    let entropy = || {
        best.map_or(f64::NAN, |best| {
            entropy(&Likelihood::new(data).responsibilities(&WhitenedComponents::from_mixture(&best.mixture)))
        })
    };
    let mut score = match criterion {
        Criterion::Aic => aic(log_likelihood, p),
        Criterion::Bic => bic(log_likelihood, p, n),
        Criterion::Icl => icl(log_likelihood, p, n, entropy()),
        _ => singular?.clone(),
    };
    let doubt = match best {
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
    Some(score)
}
