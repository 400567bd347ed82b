//! Log evidence of a fit's model, by bridge sampling from its draws.

use anyhow::Result;
use gmm_sampler::data::Observations;
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::prior::Prior;
use gmm_sampler::ties::Ties;
use gmm_scoring::{Canonical, Criterion, Evidence, EvidenceError, Score, log_evidence};

use super::diagnostic::ScoreDiagnostic;
use crate::engine::experiment::Experiment;
use crate::engine::model::{Model, improper_with};
use crate::scores::pivot::pivot;
use crate::scores::rows::ScoreRow;
use crate::storage::fits::Fit;
use crate::study::job::{Job, Variant};
use crate::study::spec::{Centre, Scale};
use crate::study::streams::Stream;

/// Halves of the draws that are further apart than this many standard errors say that the error is wrong.
const DISAGREEMENT: f64 = 3.0;

/// A Monte Carlo error above this, in nats, is as large as differences that count: Kass & Raftery (1995), section 3.2.
const LARGEST_ERROR: f64 = 0.5;

/// The score, in nats on the data's own scale.
///
/// # Errors
/// Draws that are no mixtures, a constant column.
pub fn log_evidence_score(experiment: &Experiment, job: Job, fit: &Fit) -> Result<ScoreRow> {
    let data = &experiment.dataset.data;
    let Model { scaling, prior, .. } = Model::from_rows(experiment, job.model, Variant::AllRows, data)?;
    let scaled = scaling.view(data);
    let likelihood = Likelihood::new(&scaled).with_threads(rayon::current_num_threads());
    let mut posterior = Posterior::new(&likelihood, &prior, job.model.components)?;
    let layout = posterior.layout();
    let position = |values: &[f64]| -> Result<Vec<f64>> {
        let mixture = Mixture::from_values(job.model.components, scaled.n_features(), values)?;
        Ok(layout.unconstrain(&mixture.on_sampler_scale(&scaling)))
    };
    let positions: Result<Vec<Vec<f64>>> =
        (0..fit.draws.len()).map(|s| position(&fit.draws.draw(s))).collect();
    let mut positions = positions?;
    let mut rng = Stream::Evidence { model: job.model, seed: job.seed }.rng();
    let n_chains = fit.draws.n_chains();
    let found = if prior.is_exchangeable(job.model.components) {
        let reference = pivot(fit, job.model.components, scaled.n_features())?.on_sampler_scale(&scaling);
        let mut canonical = Canonical::new(posterior, reference);
        positions.iter_mut().for_each(|position| *position = canonical.bring(position));
        log_evidence(&mut canonical, &positions, n_chains, &mut rng)
    } else {
        log_evidence(&mut posterior, &positions, n_chains, &mut rng)
    };
    let mut row = score_row(job, found, data.n_observations() as f64 * scaling.log_scale());
    push_prior(experiment, &prior, &mut row);
    Ok(row)
}

/// Adds what is to be said of an evidence under a prior, whatever it was computed by.
pub(super) fn push_prior(experiment: &Experiment, prior: &Prior, row: &mut ScoreRow) {
    let ties = Ties::from_data(&experiment.dataset.data);
    if row.model.components > 1 && improper_with(&prior.scales, row.model.components, &ties) {
        row.push(ScoreDiagnostic::ImproperPosterior);
    }
    let means = &experiment.spec.model.prior.means;
    if means.centre == Centre::Kmeans {
        row.push(ScoreDiagnostic::PriorFromCentroids);
    } else if means.centre == Centre::DataMean || experiment.spec.data.scale != Scale::None {
        row.push(ScoreDiagnostic::PriorUnitFromData);
    }
}

/// `log_scale` is what the data's log density loses on the way back from the sampler's scale.
fn score_row(job: Job, found: Result<Evidence, EvidenceError>, log_scale: f64) -> ScoreRow {
    let row = |score| ScoreRow::new(job.model, Some(job.seed), score);
    match found {
        Err(error) => {
            let mut row = row(Score::new(Criterion::Evidence, f64::NAN));
            row.push(ScoreDiagnostic::NoEvidence(error));
            row
        }
        Ok(found) => {
            let score = Score::new(Criterion::Evidence, found.log_evidence - log_scale);
            let mut row = row(Score { mcse: found.mcse, ..score });
            if found.mcse.is_nan() || found.mcse > LARGEST_ERROR {
                row.push(ScoreDiagnostic::LargeEvidenceError);
            }
            if found.disagreement().is_nan() || found.disagreement() > DISAGREEMENT {
                let halves = found.halves.map(|half| half - log_scale);
                row.push(ScoreDiagnostic::HalvesDisagree { halves });
            }
            row
        }
    }
}
