//! Criteria of the maximised likelihood.

use gmm_sampler::data::Data;
use gmm_sampler::mixture::likelihood::{Likelihood, WhitenedComponents};
use gmm_sampler::start::em::{EmOptimum, Regularity};
use gmm_scoring::{Criterion, aic, bic, entropy, icl};

use super::{ScoreRow, append};
use crate::experiment::Experiment;

/// AIC, BIC and ICL, as asked for, of the maximised likelihood.
#[must_use]
pub fn information_scores(experiment: &Experiment, components: usize, optimum: &EmOptimum) -> Vec<ScoreRow> {
    let data: &Data = &experiment.dataset.data;
    let n = data.n_observations();
    let p = experiment.n_parameters(components);
    let asked = |criterion: &Criterion| experiment.scores_by(*criterion);
    let wanted: Vec<Criterion> =
        [Criterion::Aic, Criterion::Bic, Criterion::Icl].into_iter().filter(asked).collect();
    let (log_likelihood, entropy) = match &optimum.best {
        Some(best) => {
            let components = WhitenedComponents::of(&best.mixture);
            (best.log_likelihood, entropy(&Likelihood::new(data).responsibilities(&components)))
        }
        None => (f64::NAN, f64::NAN),
    };
    let doubt = match &optimum.best {
        None => format!("all {} starts of EM ended in a degenerate solution", optimum.n_starts),
        Some(best) if best.regularity != Regularity::Regular => format!(
            "every optimum of {} starts of EM hangs on a tiny cluster (smallest expected count {:.1}, smallest relative eigenvalue {:.1e})",
            optimum.n_starts, best.min_count, best.min_eigenvalue
        ),
        Some(_) => String::new(),
    };
    wanted
        .into_iter()
        .map(|criterion| {
            let mut score = match criterion {
                Criterion::Aic => aic(log_likelihood, p),
                Criterion::Icl => icl(log_likelihood, p, n, entropy),
                _ => bic(log_likelihood, p, n),
            };
            if !doubt.is_empty() {
                append(&mut score.note, &doubt);
                score.reliable = false;
            } else if let Some(gain) = optimum.refused_gain {
                append(&mut score.note, &format!("a spurious optimum {gain:.1} nats higher was refused"));
            }
            ScoreRow { components, seed: None, score, mcse: f64::NAN }
        })
        .collect()
}
