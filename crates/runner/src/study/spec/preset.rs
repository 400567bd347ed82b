//! The two sets of defaults of a spec: those of the published model, and those of the default study.

use gmm_scoring::Criterion;

use super::experiment::{
    Axes, Centre, ComponentsPrior, Concentration, CorrelationsPrior, MeansPrior, PriorSpec, Resolution,
    Sample, SamplerSpec, ScalePrior, ScoringSpec, Shape, WeightsPrior,
};

/// What a key that is not typed means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// The published model.
    Published,
    /// The default study: `prior = "default"`.
    DefaultStudy,
}

impl Preset {
    /// The default study: every component is alike before the data. Richardson & Green (1997) have the hierarchical prior of scales;
    /// its numbers are for standardised columns. Frühwirth-Schnatter (2006, Finite Mixture and Markov Switching Models) has α = 4, which
    /// keeps weights from zero, so that a spare component takes observations from others and is paid for; with one column or two it is
    /// paid too little, and a smaller α finds K more often. With η = 2 and ten columns components of a few observations near a
    /// hyperplane have most of the evidence; with η = 5 they have not.
    #[must_use]
    pub fn prior(self) -> PriorSpec {
        match self {
            Self::Published => PriorSpec::default(),
            Self::DefaultStudy => PriorSpec {
                weights: WeightsPrior::Dirichlet { alpha: Concentration::HalfDimension },
                means: MeansPrior { centre: Centre::Origin, variance: 1.0 },
                scales: ScalePrior::Hierarchical { shape: Shape::Columns, hyper_shape: 0.2, hyper_rate: 0.4 },
                correlations: CorrelationsPrior::Lkj { eta: 5.0 },
            },
        }
    }

    #[must_use]
    pub fn components_prior(self) -> ComponentsPrior {
        match self {
            Self::Published => ComponentsPrior::Uniform,
            // Frühwirth-Schnatter, Malsiner-Walli & Grün (2021), section 2.3.
            Self::DefaultStudy => ComponentsPrior::BetaNegativeBinomial { r: 1.0, a: 4.0, b: 3.0 },
        }
    }

    #[must_use]
    pub fn axes(self) -> Axes {
        match self {
            Self::Published => Axes::Given,
            Self::DefaultStudy => Axes::Average,
        }
    }

    #[must_use]
    pub fn resolution(self) -> Resolution {
        match self {
            Self::Published => Resolution::None,
            Self::DefaultStudy => Resolution::Auto,
        }
    }

    #[must_use]
    pub fn sampler(self) -> SamplerSpec {
        match self {
            Self::Published => SamplerSpec::default(),
            Self::DefaultStudy => SamplerSpec { sample: Sample::None, ..SamplerSpec::default() },
        }
    }

    #[must_use]
    pub fn scoring(self) -> ScoringSpec {
        let scoring = ScoringSpec::default();
        match self {
            Self::Published => scoring,
            Self::DefaultStudy => ScoringSpec {
                criteria: vec![Criterion::Bic, Criterion::Icl, Criterion::Cv, Criterion::Laplace],
                ..scoring
            },
        }
    }
}
