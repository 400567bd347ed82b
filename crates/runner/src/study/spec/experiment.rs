//! The spec of an experiment: its types, their defaults, and how it is written as TOML.

use gmm_sampler::nuts::chain::ChainSettings;
use gmm_scoring::{Basis, Criterion};
use serde::{Serialize, Serializer};

/// One question: which data, which mixtures, how to sample and how to score.
///
/// Written as TOML (or JSON) it has every default spelt out, and reads back as the same `Spec`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// A plain file name: where the report goes.
    pub name: String,
    pub data: DataSpec,
    pub model: ModelSpec,
    pub sampler: SamplerSpec,
    pub scoring: ScoringSpec,
}

/// Which numbers are the observations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataSpec {
    /// CSV or Parquet; relative to the spec's own directory.
    pub path: String,
    /// `None`: all numeric columns but the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Known classes, for the adjusted Rand index alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    pub scale: Scale,
    pub resolution: Resolution,
    pub missing: Missing,
}

/// The scale that the sampler sees; scores are always on the data's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Each feature with mean 0 and population standard deviation 1.
    #[default]
    Standardize,
    /// Each feature with midrange 0 and range 1, the units in which Richardson & Green (1997) state their priors.
    Range,
    None,
}

/// The steps in which columns were recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resolution {
    /// As the values show.
    Auto,
    /// Every value is exact.
    None,
    /// The same for all columns.
    #[serde(untagged)]
    Same(f64),
    /// One for each column.
    #[serde(untagged)]
    Each(Vec<f64>),
}

/// What happens to rows in which a needed cell is missing: one of a feature, or the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Nothing runs.
    #[default]
    Error,
    /// They are left out and counted.
    Drop,
}

/// The mixtures to be compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSpec {
    /// Every K, each at least 1, none twice, in the order typed.
    pub components: Vec<usize>,
    pub components_prior: ComponentsPrior,
    pub axes: Axes,
    pub prior: PriorSpec,
}

/// The coordinates in which the prior is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axes {
    /// The columns.
    Given,
    /// Axes that no linear map of the columns changes.
    Invariant,
    /// Both, equally probable beforehand.
    Average,
}

/// The prior of K, among the K that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentsPrior {
    /// The same for every K.
    Uniform,
    /// ∝ rate^K / K!; with rate 1 that of Nobile (2005, Technical Report 05-3, University of Glasgow).
    Poisson(f64),
    /// ∝ (1 − p)^K.
    Geometric(f64),
    /// K − 1 is beta-negative-binomial: Frühwirth-Schnatter, Malsiner-Walli & Grün (2021), Bayesian Analysis 16.
    BetaNegativeBinomial { r: f64, a: f64, b: f64 },
}

impl ComponentsPrior {
    /// log p(K) in nats, up to a constant.
    #[must_use]
    pub fn log_density(self, components: usize) -> f64 {
        let k = components as f64;
        let log_beta = |a: f64, b: f64| libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
        match self {
            Self::Uniform => 0.0,
            Self::Poisson(rate) => k * libm::log(rate) - libm::lgamma(k + 1.0),
            Self::Geometric(p) => k * libm::log1p(-p),
            Self::BetaNegativeBinomial { r, a, b } => {
                let more = k - 1.0;
                libm::lgamma(r + more) - libm::lgamma(r) - libm::lgamma(more + 1.0)
                    + log_beta(a + r, b + more)
                    - log_beta(a, b)
            }
        }
    }
}

/// The prior, one member per block of parameters, on the scale that the sampler sees.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct PriorSpec {
    pub weights: WeightsPrior,
    pub means: MeansPrior,
    pub scales: ScalePrior,
    pub correlations: CorrelationsPrior,
}

/// The prior of the weights.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightsPrior {
    /// Dirichlet(α, …, α).
    #[serde(serialize_with = "Serialize::serialize")]
    Dirichlet { alpha: Concentration },
}

/// The concentration α of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concentration {
    /// Half the number of parameters of a component, D (D + 3) / 4, at most 4. Above it surplus components share the observations of
    /// others, below it they are emptied (Rousseau & Mengersen 2011, Journal of the Royal Statistical Society B 73, theorem 1).
    HalfDimension,
    #[serde(untagged)]
    Number(f64),
}

impl Concentration {
    /// α for a number of columns.
    #[must_use]
    pub fn of(self, n_features: usize) -> f64 {
        const LARGEST: f64 = 4.0;
        match self {
            Self::Number(alpha) => alpha,
            Self::HalfDimension => ((n_features * (n_features + 3)) as f64 / 4.0).min(LARGEST),
        }
    }
}

/// The shape of the gamma distribution of 1/σ² under a hierarchical prior.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The number of columns, at most 2, the shape of Richardson & Green (1997). A single σ tells all of a component's size, and may
    /// differ more between components than each of many.
    Columns,
    #[serde(untagged)]
    Number(f64),
}

impl Shape {
    /// The shape for a number of columns.
    #[must_use]
    pub fn of(self, n_features: usize) -> f64 {
        match self {
            Self::Number(shape) => shape,
            Self::Columns => n_features.min(2) as f64,
        }
    }
}

/// μ_k ~ MVN(A_k, τ² I).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeansPrior {
    /// A.
    pub centre: Centre,
    /// τ².
    pub variance: f64,
}

/// A, the K × D prior means of the components' means.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Centre {
    Kmeans,
    Origin,
    DataMean,
    /// K rows of D numbers; goes with exactly one K.
    #[serde(untagged)]
    Explicit(Vec<Vec<f64>>),
}

/// The prior of the σ_kd, independent unless said otherwise. σ > 0: "half" densities are folded at 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScalePrior {
    #[serde(serialize_with = "Serialize::serialize")]
    HalfCauchy {
        scale: f64,
    },
    #[serde(serialize_with = "Serialize::serialize")]
    HalfNormal {
        scale: f64,
    },
    HalfStudentT {
        nu: f64,
        scale: f64,
    },
    #[serde(serialize_with = "Serialize::serialize")]
    Exponential {
        rate: f64,
    },
    /// log σ ~ Normal(mu, sigma).
    LogNormal {
        mu: f64,
        sigma: f64,
    },
    /// On σ itself, not on σ².
    InverseGamma {
        shape: f64,
        scale: f64,
    },
    /// 1/σ² ~ Gamma(shape, β), β ~ Gamma(hyper_shape, hyper_rate) for all components of a feature.
    Hierarchical {
        shape: Shape,
        hyper_shape: f64,
        hyper_rate: f64,
    },
}

/// The prior of the correlation matrices Ω_k.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrelationsPrior {
    /// LKJ(η): density ∝ |Ω|^(η − 1).
    #[serde(serialize_with = "Serialize::serialize")]
    Lkj { eta: f64 },
}

impl PriorSpec {
    /// Whether the prior might have been stated before the data were seen, their location and unit excepted: evidence is of such
    /// a prior.
    #[must_use]
    pub fn precedes_data(&self) -> bool {
        self.means.centre != Centre::Kmeans
    }
}

/// Which K are sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sample {
    All,
    /// Only modes are looked for.
    None,
}

/// How the posterior is explored.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SamplerSpec {
    pub sample: Sample,
    /// Each an independent replicate of every fit. At most 2⁶³ − 1, the largest integer of TOML.
    pub seeds: Vec<u64>,
    /// Per fit.
    pub chains: usize,
    /// Iterations per chain that adapt the sampler and are then forgotten.
    pub warmup: usize,
    /// Draws kept per chain.
    pub draws: usize,
    /// The acceptance rate, between 0 and 1, that the step size is adapted to.
    pub target_accept: f64,
    /// A trajectory has at most 2^`max_tree_depth` steps.
    pub max_tree_depth: usize,
}

/// Which numbers answer the question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoringSpec {
    /// Empty: sample, and score nothing.
    #[serde(serialize_with = "names")]
    pub criteria: Vec<Criterion>,
    /// Of `kfold`.
    pub folds: usize,
    /// Of `kfold`: partitions of the rows that are averaged over.
    pub repeats: usize,
    /// Of `logo`: the column that says which rows belong together. No fit sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<String>,
    /// Of `loo`: most fits for each K and seed without observations at which reweighting fails.
    pub refits: usize,
    /// Per chain, of fits that are only scored on the rows that they did not see.
    pub fold_draws: usize,
}

impl ScoringSpec {
    /// Whether a criterion that was asked for is computed from this.
    #[must_use]
    pub fn needs(&self, basis: Basis) -> bool {
        self.criteria.iter().any(|criterion| criterion.basis() == basis)
    }

    /// Whether the likelihood is to be maximised: modes are looked for above its optima.
    #[must_use]
    pub fn needs_optima(&self) -> bool {
        self.needs(Basis::Maximum) || self.needs(Basis::Mode)
    }
}

fn names<S: Serializer>(criteria: &[Criterion], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(criteria.iter().map(|criterion| criterion.name()))
}

impl Default for WeightsPrior {
    /// Sparse: favours few large weights over equal ones.
    fn default() -> Self {
        Self::Dirichlet { alpha: Concentration::Number(0.5) }
    }
}

impl Default for MeansPrior {
    /// Each mean near its own k-means centroid, which also ties the labels down.
    fn default() -> Self {
        Self { centre: Centre::Kmeans, variance: 0.1 }
    }
}

impl Default for ScalePrior {
    /// Gelman (2006), section 7.1, recommends the family for scales; 1 is the spread of standardised data.
    fn default() -> Self {
        Self::HalfCauchy { scale: 1.0 }
    }
}

impl Default for CorrelationsPrior {
    /// Weakly towards no correlation.
    fn default() -> Self {
        Self::Lkj { eta: 2.0 }
    }
}

impl Default for SamplerSpec {
    /// The sampler's own defaults, four chains and one seed.
    fn default() -> Self {
        let ChainSettings { warmup, draws, target_accept, max_tree_depth } = ChainSettings::default();
        let max_tree_depth = max_tree_depth as usize;
        Self { sample: Sample::All, seeds: vec![1], chains: 4, warmup, draws, target_accept, max_tree_depth }
    }
}

impl Default for ScoringSpec {
    /// Every criterion that needs no groups, no fit of its own, and is no approximation to another; ten folds, the usual compromise between cost and training rows; refits that cost at
    /// most about as much as five fits of all rows. With 250 draws in
    /// each of four chains the Monte Carlo error of a K-fold score was a thirtieth of its standard error or less on six data sets,
    /// wherever the chains agreed.
    fn default() -> Self {
        let criteria = Criterion::ALL.into_iter().filter(|criterion| criterion.descriptor().by_default);
        Self {
            criteria: criteria.collect(),
            folds: 10,
            repeats: 1,
            groups: None,
            refits: 20,
            fold_draws: 250,
        }
    }
}

impl Spec {
    /// The spec with every default spelt out, as TOML.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a spec has string keys and no null, so TOML can hold it")
    }

    /// BLAKE3 of the spec's canonical JSON (keys in the order of the fields, no spaces), in hexadecimal. Comments,
    /// layout and defaults left out do not change it.
    #[must_use]
    pub fn hash(&self) -> String {
        let json = serde_json::to_vec(self).expect("a spec has string keys and finite numbers");
        blake3::hash(&json).to_hex().to_string()
    }
}
