//! What a person should know before believing a run: what was seen in the data, what it means, what to try.

use gmm_sampler::ties::Ties;
use gmm_scoring::Criterion;

use crate::engine::experiment::Experiment;
use crate::engine::model::scale_prior;
use crate::study::spec::{Centre, Scale};

/// Draws per chain below which diagnostics mean nothing: R-hat needs halves long enough to have a variance.
const SHORT_CHAIN: usize = 100;

/// Groups above which leaving out one after the other costs more than it tells.
const MANY_GROUPS: usize = 50;

/// Warnings that the spec and the data give before anything runs.
#[must_use]
pub fn beforehand(experiment: &Experiment, ties: &[Ties]) -> Vec<String> {
    let spec = &experiment.spec;
    let mut warnings = Vec::new();
    if experiment.dataset.dropped > 0 {
        warnings.push(format!(
            "{} rows with missing cells are left out; {} remain",
            experiment.dataset.dropped,
            experiment.dataset.data.n_observations()
        ));
    }
    let (n, d) = (experiment.dataset.data.n_observations(), experiment.dataset.data.n_features());
    if n <= d {
        warnings.push(format!(
            "{n} observations of {d} features: the likelihood has no maximum, so that criteria of the maximised likelihood fail, and \
             of the covariances the prior says more than the data; fewer features, or more observations, make a difference"
        ));
    }
    let scales = scale_prior(spec);
    // Fewer components bear fewer ties; a single one owns all rows, which no column shares.
    let fewest = experiment.ks().into_iter().find(|&k| k > 1);
    let tied: Vec<String> = ties
        .iter()
        .zip(&experiment.dataset.columns)
        .filter(|(ties, _)| {
            fewest.is_some_and(|k| scales.may_be_improper_with_ties(k, ties.largest_multiplicity))
        })
        .map(|(ties, name)| format!("{name} ({} times {})", ties.largest_multiplicity, ties.most_common))
        .collect();
    if !tied.is_empty() {
        warnings.push(format!(
            "equal values in {}: with a scale prior that is positive at 0, or vanishes there too slowly, the exact posterior is \
             improper, because a component that owns just these values has a likelihood without bound. Chains start in regular \
             modes, and one that falls into such a spike is named. The scale priors inverse_gamma and log_normal remove them",
            tied.join(", ")
        ));
    }
    if spec.model.prior.means.centre == Centre::Kmeans
        && (experiment.scores_by(Criterion::Waic) || experiment.scores_by(Criterion::Loo))
    {
        warnings.push(
            "the means' prior is centred on k-means centroids of all rows, so WAIC and LOO are optimistic: the row that they \
             leave out has moved the prior. K-fold is not: each fold has centroids of its own"
                .to_owned(),
        );
    }
    if spec.data.scale == Scale::None
        && let Some((name, spread)) = widest(experiment)
        && spread > 100.0
    {
        warnings.push(format!(
            "{name} has a standard deviation of {spread:.0} and is not standardised: the prior's scales (means within {:.2} of \
             their centres, σ of order 1) are in the data's own units",
            spec.model.prior.means.variance.sqrt()
        ));
    }
    let n_groups = experiment.groups().len();
    if n_groups > MANY_GROUPS {
        warnings.push(format!(
            "{n_groups} groups: each is held out by a fit of its own, for every K and seed; larger groups, or K-fold, cost less"
        ));
    }
    let sampler = &spec.sampler;
    if sampler.chains < 2 || sampler.draws < SHORT_CHAIN {
        warnings.push(format!(
            "{} chain{} of {} draws: too short for R-hat and for scores to be believed; 4 chains of 1000 are usual",
            sampler.chains,
            if sampler.chains == 1 { "" } else { "s" },
            sampler.draws
        ));
    }
    warnings
}

fn widest(experiment: &Experiment) -> Option<(&str, f64)> {
    let data = &experiment.dataset.data;
    let spread = |feature: usize| gmm_sampler::diagnostics::sd(data.feature(feature));
    let names = experiment.dataset.columns.iter().map(String::as_str);
    names.zip((0..data.n_features()).map(spread)).max_by(|a, b| a.1.total_cmp(&b.1))
}
