//! Warnings that the spec and the data give before anything runs; `present::words` has the sentences.

use gmm_sampler::ties::Ties;
use gmm_scoring::Criterion;

use crate::engine::experiment::Experiment;
use crate::engine::model::scale_prior;
use crate::study::spec::{Centre, Scale};

/// Draws per chain below which diagnostics mean little: R-hat needs halves long enough to have a variance.
const SHORT_CHAIN: usize = 100;

/// Groups above which holding out each costs much.
const MANY_GROUPS: usize = 50;

/// What a reader of the answer should know beforehand.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// Rows with missing cells were dropped.
    DroppedRows { dropped: usize, remaining: usize },
    /// No more observations than features.
    FewObservations { n_observations: usize, n_features: usize },
    /// Values that occur so often that the exact posterior is improper under this scale prior.
    TiedValues { columns: Vec<TiedColumn> },
    /// WAIC and PSIS-LOO under a prior that is centred on centroids of all rows.
    OptimisticPredictions,
    /// A column far from unit scale under priors in the data's own units; `mean_sd` is the prior's of the means.
    UnscaledData { column: String, sd: f64, mean_sd: f64 },
    /// Groups that make many fits.
    ManyGroups { n_groups: usize },
    /// Chains too few or too short for diagnostics.
    ShortChains { chains: usize, draws: usize },
}

/// The value that occurs most often in a column.
#[derive(Debug, Clone, PartialEq)]
pub struct TiedColumn {
    pub name: String,
    pub times: usize,
    pub value: f64,
}

/// The warnings that apply.
#[must_use]
pub fn beforehand(experiment: &Experiment) -> Vec<Warning> {
    let ties = Ties::from_data(&experiment.dataset.data);
    let spec = &experiment.spec;
    let mut warnings = Vec::new();
    if experiment.dataset.dropped > 0 {
        warnings.push(Warning::DroppedRows {
            dropped: experiment.dataset.dropped,
            remaining: experiment.dataset.data.n_observations(),
        });
    }
    let (n_observations, n_features) =
        (experiment.dataset.data.n_observations(), experiment.dataset.data.n_features());
    if n_observations <= n_features {
        warnings.push(Warning::FewObservations { n_observations, n_features });
    }
    let scales = scale_prior(&spec.model.prior.scales, n_features);
    // Fewer components bear fewer ties; a single one owns all rows, which no column shares.
    let fewest = experiment.models().into_iter().map(|model| model.components).find(|&k| k > 1);
    let columns: Vec<TiedColumn> = ties
        .iter()
        .zip(&experiment.dataset.columns)
        .filter(|(ties, _)| {
            fewest.is_some_and(|k| scales.may_be_improper_with_ties(k, ties.largest_multiplicity))
        })
        .map(|(ties, name)| TiedColumn {
            name: name.clone(),
            times: ties.largest_multiplicity,
            value: ties.most_common,
        })
        .collect();
    if !columns.is_empty() {
        warnings.push(Warning::TiedValues { columns });
    }
    if spec.model.prior.means.centre == Centre::Kmeans
        && (experiment.scores_by(Criterion::Waic) || experiment.scores_by(Criterion::Loo))
    {
        warnings.push(Warning::OptimisticPredictions);
    }
    if spec.data.scale == Scale::None
        && let Some((name, spread)) = widest(experiment)
        && spread > 100.0
    {
        let mean_sd = spec.model.prior.means.variance.sqrt();
        warnings.push(Warning::UnscaledData { column: name.to_owned(), sd: spread, mean_sd });
    }
    let n_groups = experiment.groups().len();
    if n_groups > MANY_GROUPS {
        warnings.push(Warning::ManyGroups { n_groups });
    }
    let sampler = &spec.sampler;
    if sampler.chains < 2 || sampler.draws < SHORT_CHAIN {
        warnings.push(Warning::ShortChains { chains: sampler.chains, draws: sampler.draws });
    }
    warnings
}

fn widest(experiment: &Experiment) -> Option<(&str, f64)> {
    let data = &experiment.dataset.data;
    let spread = |feature: usize| gmm_sampler::diagnostics::sd(data.feature(feature));
    let names = experiment.dataset.columns.iter().map(String::as_str);
    names.zip((0..data.n_features()).map(spread)).max_by(|a, b| a.1.total_cmp(&b.1))
}
