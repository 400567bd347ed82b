//! The model of a fit: prior and scaling, both from the rows that the fit may see.

use anyhow::{Context, Result, bail};
use gmm_sampler::data::{Data, Observations, Scaling};
use gmm_sampler::invariant::invariant_axes;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::prior::{Prior, ScalePrior};
use gmm_sampler::start::kmeans::{DEFAULT_RESTARTS, KMeans, kmeans};
use gmm_sampler::start::{match_to_centres, mixture_from_clusters};
use gmm_sampler::ties::Ties;

use crate::engine::experiment::Experiment;
use crate::study::job::{ModelKey, Variant};
use crate::study::spec::{self, Axes, Centre, CorrelationsPrior, PriorSpec, Scale, Spec, WeightsPrior};
use crate::study::streams::Stream;

/// Restarts of k-means where the centroids are no part of the model, but one of many places where a search begins.
const RESTARTS_FOR_A_START: usize = 10;

/// The prior of a fit, and the scaling of its data.
#[derive(Debug, Clone)]
pub struct Model {
    pub scaling: Scaling,
    /// On the sampler's scale.
    pub prior: Prior,
    /// The mixture of the k-means clusters, which the prior may be centred on; on the sampler's scale.
    pub of_clusters: Mixture,
}

impl Model {
    /// From the rows that a fit sees.
    ///
    /// # Errors
    /// A constant column.
    pub fn from_rows(experiment: &Experiment, key: ModelKey, variant: Variant, rows: &Data) -> Result<Self> {
        let [scaling] = &scalings(&experiment.spec, rows)?[..] else {
            bail!("the average over two systems of axes has no draws")
        };
        Self::on_scale(experiment, key, variant, rows, scaling.clone())
    }

    /// The same on a given scale.
    ///
    /// # Errors
    /// A constant column.
    pub fn on_scale(
        experiment: &Experiment,
        key: ModelKey,
        variant: Variant,
        rows: &Data,
        scaling: Scaling,
    ) -> Result<Self> {
        let scaled = scaling.view(rows);
        let mut rng = Stream::Centroids { model: key, variant }.rng();
        let restarts = match experiment.spec.model.prior.means.centre {
            Centre::Kmeans => DEFAULT_RESTARTS,
            Centre::Origin | Centre::DataMean | Centre::Explicit(_) => RESTARTS_FOR_A_START,
        };
        let clusters = kmeans(&scaled, key.components, restarts, &mut rng);
        let prior = prior(&experiment.spec, &scaled, &clusters);
        let of_clusters = mixture_from_clusters(&scaled, &clusters)
            .context("a column is constant in the rows that this fit may see")?;
        Ok(Self { scaling, prior, of_clusters })
    }

    /// Where to look for modes, on the sampler's scale and with labels as the prior has them: the k-means clusters, and mixtures
    /// on the data's own scale.
    #[must_use]
    pub fn beginnings(&self, promising: &[Mixture]) -> Vec<Mixture> {
        let labelled = |mixture: &Mixture| {
            match_to_centres(&mixture.on_sampler_scale(&self.scaling), &self.prior.centres)
        };
        std::iter::once(self.of_clusters.clone()).chain(promising.iter().map(labelled)).collect()
    }
}

/// The scales on which the prior is stated: one for each system of axes.
///
/// # Errors
/// A constant column; for invariant axes alone, collinear columns.
pub fn scalings(spec: &Spec, rows: &Data) -> Result<Vec<Scaling>> {
    let given = match spec.data.scale {
        Scale::None => Scaling::identity(rows.n_features()),
        Scale::Standardize => Scaling::standardizing(rows).context("the rows cannot be standardised")?,
        Scale::Range => Scaling::to_unit_range(rows).context("the rows have no range")?,
    };
    // One column has one axis.
    if spec.model.axes == Axes::Given || rows.n_features() == 1 {
        return Ok(vec![given]);
    }
    let invariant = invariant_axes(&given.view(rows)).map(|axes| given.clone().with_axes(axes));
    match (invariant, spec.model.axes) {
        (Some(invariant), Axes::Invariant) => Ok(vec![invariant]),
        (None, Axes::Invariant) => bail!("the columns are collinear, so there are no invariant axes"),
        (Some(invariant), _) => Ok(vec![given, invariant]),
        // Fewer rows than columns, say: the columns are all the axes there are.
        (None, _) => Ok(vec![given]),
    }
}

/// The prior, with its centres where rows on the sampler's scale and their clusters put them.
fn prior(spec: &Spec, rows: &impl Observations, clusters: &KMeans) -> Prior {
    let (n, d) = (rows.n_observations(), rows.n_features());
    let n_components = clusters.centroids.len() / d;
    let centres = match &spec.model.prior.means.centre {
        Centre::Kmeans => clusters.centroids.clone(),
        Centre::Origin => vec![0.0; n_components * d],
        Centre::DataMean => {
            let mean = |feature| (0..n).map(|row| rows.value(feature, row)).sum::<f64>() / n as f64;
            (0..n_components).flat_map(|_| (0..d).map(mean)).collect()
        }
        Centre::Explicit(rows) => rows.concat(),
    };
    prior_about(&spec.model.prior, d, centres)
}

/// The prior, as the sampler knows it, with its centres (K × D).
#[must_use]
pub fn prior_about(spec: &PriorSpec, n_features: usize, centres: Vec<f64>) -> Prior {
    let WeightsPrior::Dirichlet { alpha } = spec.weights;
    let CorrelationsPrior::Lkj { eta } = spec.correlations;
    let mean_sd = spec.means.variance.sqrt();
    Prior {
        concentration: alpha.of(n_features),
        centres,
        mean_sd,
        scales: scale_prior(&spec.scales, n_features),
        lkj_shape: eta,
    }
}

/// The prior of the scales, as the sampler knows it.
#[must_use]
pub fn scale_prior(spec: &spec::ScalePrior, n_features: usize) -> ScalePrior {
    match *spec {
        spec::ScalePrior::HalfCauchy { scale } => ScalePrior::HalfCauchy { scale },
        spec::ScalePrior::HalfNormal { scale } => ScalePrior::HalfNormal { scale },
        spec::ScalePrior::HalfStudentT { nu, scale } => ScalePrior::HalfStudentT { nu, scale },
        spec::ScalePrior::Exponential { rate } => ScalePrior::Exponential { rate },
        spec::ScalePrior::LogNormal { mu, sigma } => ScalePrior::LogNormal { mu, sigma },
        spec::ScalePrior::InverseGamma { shape, scale } => ScalePrior::InverseGamma { shape, scale },
        spec::ScalePrior::Hierarchical { shape, hyper_shape, hyper_rate } => {
            ScalePrior::Hierarchical { shape: shape.of(n_features), hyper_shape, hyper_rate }
        }
    }
}

/// Whether the ties in some column may make the posterior of K components improper.
#[must_use]
pub fn improper_with(scales: &ScalePrior, components: usize, ties: &[Ties]) -> bool {
    ties.iter().any(|ties| scales.may_be_improper_with_ties(components, ties.largest_multiplicity))
}
