//! The keys of specs: one table for the reader, its messages and the reference.

use std::ops::RangeInclusive;

use super::limits::{MOST_FEATURES, MOST_ROWS};

/// A table of TOML, or a whole spec.
#[derive(Debug)]
pub struct KeySection {
    /// Dotted; the same keys may stand in several places. Empty for a whole spec.
    pub paths: &'static [&'static str],
    pub meaning: &'static str,
    pub keys: &'static [Key],
}

/// A key of a section.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub allowed: Allowed,
    pub default: Default,
    /// A sentence.
    pub meaning: &'static str,
}

/// The values that a key allows.
#[derive(Debug, Clone)]
pub enum Allowed {
    /// A string, in words.
    Text(&'static str),
    /// One of a few words.
    Words(&'static [&'static str]),
    Integer(RangeInclusive<u64>),
    Number(Domain),
    /// Anything else, in words.
    Other(&'static str),
    /// A table with a section of its own.
    Section,
}

/// The value of a key that is not typed.
#[derive(Debug)]
pub enum Default {
    /// The key must be typed.
    Required,
    /// That of the typed spec.
    Typed,
    /// What happens without the key, in words.
    Absent(&'static str),
    /// Nothing: a section whose keys have defaults, or an alternative to another key.
    Optional,
}

/// Which real numbers a key allows. Infinity and NaN never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    Real,
    Positive,
    NotNegative,
    /// Between 0 and 1, both excluded.
    OpenUnit,
}

impl Domain {
    pub fn contains(self, number: f64) -> bool {
        number.is_finite()
            && match self {
                Self::Real => true,
                Self::Positive => number > 0.0,
                Self::NotNegative => number >= 0.0,
                Self::OpenUnit => number > 0.0 && number < 1.0,
            }
    }

    pub fn describe(self) -> &'static str {
        match self {
            Self::Real => "a finite number",
            Self::Positive => "a finite number above 0",
            Self::NotNegative => "a finite number of at least 0",
            Self::OpenUnit => "a number above 0 and below 1",
        }
    }
}

impl Allowed {
    /// As messages and the reference say it; empty for a section.
    pub fn describe(&self) -> String {
        match self {
            Self::Text(words) | Self::Other(words) => (*words).to_owned(),
            Self::Words(words) => {
                words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
            }
            Self::Integer(range) => format!("an integer from {} to {}", range.start(), range.end()),
            Self::Number(domain) => domain.describe().to_owned(),
            Self::Section => String::new(),
        }
    }
}

impl KeySection {
    /// The key of that name.
    ///
    /// # Panics
    /// There is no such key: a reader asked for one that is missing from the table.
    pub fn key(&self, name: &str) -> &'static Key {
        let key = self.keys.iter().find(|key| key.name == name);
        key.unwrap_or_else(|| panic!("`{name}` is missing from the keys of {:?}", self.paths))
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.keys.iter().map(|key| key.name)
    }
}

/// The section at a path below the whole spec.
///
/// # Panics
/// There is no such section: a reader asked for one that is missing from the table.
pub fn section(path: &str) -> &'static KeySection {
    let section = SECTIONS.iter().find(|section| section.paths.contains(&path));
    section.unwrap_or_else(|| panic!("`{path}` is missing from the sections of the table"))
}

/// K. Far above any use: a slip such as `to = 1000000000` is refused, not expanded.
pub const COMPONENTS: RangeInclusive<u64> = 1..=1000;

/// N of simulated data.
pub const OBSERVATIONS: RangeInclusive<u64> = 2..=MOST_ROWS as u64;

/// D of simulated data.
pub const FEATURES: RangeInclusive<u64> = 1..=MOST_FEATURES as u64;

/// Far above any use: a slip is refused before it fills the disk.
pub const SETS: RangeInclusive<u64> = 1..=100_000;

/// Far above any use: a slip is refused before it fills the memory.
const CHAINS: RangeInclusive<u64> = 1..=1000;

/// What TOML integers hold.
pub const SEEDS: RangeInclusive<u64> = 0..=i64::MAX as u64;

/// Per chain.
const DRAWS: RangeInclusive<u64> = 1..=1_000_000;

/// Counts of rows. That of the data is checked with the data.
const ROWS: RangeInclusive<u64> = 0..=MOST_ROWS as u64;

const POSITIVE: Allowed = Allowed::Number(Domain::Positive);

const SCALE: Key = Key {
    name: "scale",
    allowed: Allowed::Words(&["standardize", "range", "none"]),
    default: Default::Typed,
    meaning: "The scale that the sampler sees: each column with mean 0 and standard deviation 1, with midrange 0 \
              and range 1, or as it is. Scores are always on the data's own scale.",
};

const NAME: Key = Key {
    name: "name",
    allowed: Allowed::Text("at most 100 letters, digits, `-`, `_` and `.`, not starting with `-` or `.`"),
    default: Default::Required,
    meaning: "Names the study. Results go to `reports/<name>` unless `--out` says otherwise.",
};

const MODEL: Key = part("model", "The mixtures to compare.");
const SAMPLER: Key = part("sampler", "How each posterior is sampled.");
const SCORING: Key = part("scoring", "How the mixtures are compared.");

const fn part(name: &'static str, meaning: &'static str) -> Key {
    Key { name, allowed: Allowed::Section, default: Default::Optional, meaning }
}

/// A factor of a suite's design.
const fn factor(name: &'static str, meaning: &'static str) -> Key {
    let allowed = Allowed::Other("a number, a list of numbers, or a range `{ from = …, to = … }`");
    Key { name, allowed, default: Default::Required, meaning }
}

/// A parameter of a family of priors.
const fn parameter(name: &'static str, domain: Domain, meaning: &'static str) -> Key {
    Key { name, allowed: Allowed::Number(domain), default: Default::Required, meaning }
}

/// A family of priors of σ; one parameter is a number, several are a section.
const fn family(name: &'static str, allowed: Allowed, default: Default, meaning: &'static str) -> Key {
    Key { name, allowed, default, meaning }
}

/// The whole spec of an experiment.
pub static EXPERIMENT: KeySection = KeySection {
    paths: &[""],
    meaning: "An experiment: one data set, fitted with every number of components.",
    keys: &[
        NAME,
        Key {
            name: "data",
            allowed: Allowed::Section,
            default: Default::Required,
            meaning: "The observations.",
        },
        MODEL,
        SAMPLER,
        SCORING,
    ],
};

/// The whole spec of a suite.
pub static SUITE: KeySection = KeySection {
    paths: &[""],
    meaning: "A suite: many simulated data sets whose number of components is known. A spec with a `[suite]` is one.",
    keys: &[
        NAME,
        Key {
            name: "suite",
            allowed: Allowed::Section,
            default: Default::Required,
            meaning: "The simulated data sets, in place of `[data]`.",
        },
        MODEL,
        SAMPLER,
        SCORING,
    ],
};

/// All sections below the whole specs.
pub static SECTIONS: &[KeySection] = &[
    KeySection {
        paths: &["data"],
        meaning: "The observations.",
        keys: &[
            Key {
                name: "path",
                allowed: Allowed::Text("the path of a CSV or Parquet file, relative to this file"),
                default: Default::Required,
                meaning: "The data file. Its first bytes tell CSV and Parquet apart, not its name.",
            },
            Key {
                name: "columns",
                allowed: Allowed::Other("a list of column names, at least one"),
                default: Default::Absent("all numeric columns but `label` and `scoring.groups`"),
                meaning: "The columns to fit, in this order.",
            },
            Key {
                name: "label",
                allowed: Allowed::Text("the name of a column"),
                default: Default::Absent("no label"),
                meaning: "Known classes, for the adjusted Rand index only. No fit sees them.",
            },
            SCALE,
            Key {
                name: "resolution",
                allowed: Allowed::Other(
                    "\"auto\", \"none\", a number of at least 0, or a list of one for each column",
                ),
                default: Default::Typed,
                meaning: "The steps in which values were recorded, in the columns' units; 0 means exact. A step of δ adds δ²/12 to \
                          the variances with which values are seen. \"auto\" takes the coarsest step that fits a column's \
                          differences, and 0 where no value repeats.",
            },
            Key {
                name: "missing",
                allowed: Allowed::Words(&["error", "drop"]),
                default: Default::Typed,
                meaning: "What to do with rows that have a missing cell: refuse the data, or leave those rows out.",
            },
        ],
    },
    KeySection {
        paths: &["model"],
        meaning: "The mixtures to compare.",
        keys: &[
            Key {
                name: "components",
                allowed: Allowed::Other(
                    "an integer, a list of integers, or `{ from = 1, to = 6 }`, from 1 to 1000",
                ),
                default: Default::Required,
                meaning: "The numbers of components K to fit.",
            },
            Key {
                name: "components_prior",
                allowed: Allowed::Other(
                    "\"uniform\", `{ poisson = rate }`, `{ geometric = p }`, or `{ beta_negative_binomial = { r, a, b } }`",
                ),
                default: Default::Typed,
                meaning: "The prior of K, among those fitted. Evidence times this is the posterior probability.",
            },
            Key {
                name: "axes",
                allowed: Allowed::Words(&["given", "invariant", "average"]),
                default: Default::Typed,
                meaning: "The coordinates in which the prior is stated: the columns, axes that no linear map of the columns \
                          changes, or both, equally probable beforehand. Draws need one system.",
            },
            Key {
                name: "prior",
                allowed: Allowed::Other("a section, or \"default\""),
                default: Default::Optional,
                meaning: "The prior. \"default\" is that of `gmm choose`: every component is alike before the data. It also \
                          changes the defaults of `data.resolution`, `model.axes`, `model.components_prior`, `sampler.sample` and \
                          `scoring.criteria`.",
            },
        ],
    },
    KeySection {
        paths: &[
            "model.components",
            "suite.n_observations",
            "suite.n_features",
            "suite.components",
            "suite.overlap",
        ],
        meaning: "A range, both ends included.",
        keys: &[
            Key {
                name: "from",
                allowed: Allowed::Other("a value that the key allows by itself"),
                default: Default::Required,
                meaning: "The smallest value.",
            },
            Key {
                name: "to",
                allowed: Allowed::Other("a value that the key allows by itself"),
                default: Default::Required,
                meaning: "The largest value.",
            },
        ],
    },
    KeySection {
        paths: &["model.prior", "suite.contrast"],
        meaning: "The prior, on the scale that the sampler sees: one section for each block of parameters.",
        keys: &[
            part("weights", "The prior of the weights."),
            part("means", "The prior of the means."),
            part("scales", "The prior of the standard deviations σ."),
            part("correlations", "The prior of the correlation matrices."),
        ],
    },
    KeySection {
        paths: &["model.prior.weights", "suite.contrast.weights"],
        meaning: "The prior of the weights.",
        keys: &[Key {
            name: "dirichlet",
            allowed: Allowed::Other("a finite number above 0, or \"half-dimension\""),
            default: Default::Typed,
            meaning: "The concentration α of Dirichlet(α, …, α). Below 1 it empties surplus components. \"half-dimension\" is half \
                      the number of parameters of a component, D (D + 3) / 4, at most 4.",
        }],
    },
    KeySection {
        paths: &["model.prior.means", "suite.contrast.means"],
        meaning: "The prior of the means: normal around a centre.",
        keys: &[
            Key {
                name: "centre",
                allowed: Allowed::Other("\"kmeans\", \"origin\", \"data-mean\", or K rows of D numbers"),
                default: Default::Typed,
                meaning: "The prior mean of each component's mean. \"kmeans\" uses the data, so that evidence is not that of a \
                          prior stated beforehand. Rows of numbers need a single K.",
            },
            Key {
                name: "variance",
                allowed: POSITIVE,
                default: Default::Typed,
                meaning: "The variance of each coordinate around the centre.",
            },
            Key {
                name: "sd",
                allowed: POSITIVE,
                default: Default::Optional,
                meaning: "The standard deviation, in place of the variance.",
            },
        ],
    },
    KeySection {
        paths: &["model.prior.scales", "suite.contrast.scales"],
        meaning: "The prior of the standard deviations σ: at most one family. \"Half\" densities are folded at 0.",
        keys: &[
            family("half_cauchy", POSITIVE, Default::Typed, "The scale of a half-Cauchy density."),
            family("half_normal", POSITIVE, Default::Optional, "The scale of a half-normal density."),
            family("half_student_t", Allowed::Section, Default::Optional, "A half-Student-t density."),
            family("exponential", POSITIVE, Default::Optional, "The rate of an exponential density."),
            family("log_normal", Allowed::Section, Default::Optional, "A normal density of log σ."),
            family(
                "inverse_gamma",
                Allowed::Section,
                Default::Optional,
                "An inverse gamma density of σ, not of σ².",
            ),
            family(
                "hierarchical",
                Allowed::Section,
                Default::Optional,
                "1/σ² ~ Gamma(shape, β), with β ~ Gamma(hyper_shape, hyper_rate) shared by the components of a \
                 column (Richardson & Green 1997).",
            ),
        ],
    },
    KeySection {
        paths: &["model.prior.scales.half_student_t", "suite.contrast.scales.half_student_t"],
        meaning: "A half-Student-t density of σ.",
        keys: &[
            parameter("nu", Domain::Positive, "The degrees of freedom."),
            parameter("scale", Domain::Positive, "The scale."),
        ],
    },
    KeySection {
        paths: &["model.prior.scales.log_normal", "suite.contrast.scales.log_normal"],
        meaning: "A normal density of log σ.",
        keys: &[
            parameter("mu", Domain::Real, "The mean of log σ."),
            parameter("sigma", Domain::Positive, "The standard deviation of log σ."),
        ],
    },
    KeySection {
        paths: &["model.prior.scales.inverse_gamma", "suite.contrast.scales.inverse_gamma"],
        meaning: "An inverse gamma density of σ.",
        keys: &[
            parameter("shape", Domain::Positive, "The shape."),
            parameter("scale", Domain::Positive, "The scale."),
        ],
    },
    KeySection {
        paths: &["model.prior.scales.hierarchical", "suite.contrast.scales.hierarchical"],
        meaning: "A gamma density of 1/σ² whose rate β has a gamma density of its own.",
        keys: &[
            Key {
                name: "shape",
                allowed: Allowed::Other("a finite number above 0, or \"columns\""),
                default: Default::Required,
                meaning: "The shape of the density of 1/σ². \"columns\" is the number of columns D, at most 2.",
            },
            parameter("hyper_shape", Domain::Positive, "The shape of the density of β."),
            parameter("hyper_rate", Domain::Positive, "The rate of the density of β."),
        ],
    },
    KeySection {
        paths: &["model.prior.correlations", "suite.contrast.correlations"],
        meaning: "The prior of the correlation matrices Ω.",
        keys: &[Key {
            name: "lkj",
            allowed: POSITIVE,
            default: Default::Typed,
            meaning: "η of the LKJ density |Ω|^(η − 1). 1 is uniform, larger values favour weak correlations.",
        }],
    },
    KeySection {
        paths: &["model.components_prior"],
        meaning: "A prior of the number of components K: exactly one of these.",
        keys: &[
            family("poisson", POSITIVE, Default::Optional, "p(K) ∝ rate^K / K!."),
            family("geometric", Allowed::Number(Domain::OpenUnit), Default::Optional, "p(K) ∝ (1 − p)^K."),
            family(
                "beta_negative_binomial",
                Allowed::Section,
                Default::Optional,
                "K − 1 is beta-negative-binomial (Frühwirth-Schnatter, Malsiner-Walli & Grün 2021).",
            ),
        ],
    },
    KeySection {
        paths: &["model.components_prior.beta_negative_binomial"],
        meaning: "A negative binomial distribution of K − 1 whose probability has a beta distribution.",
        keys: &[
            parameter("r", Domain::Positive, "The size of the negative binomial distribution."),
            parameter("a", Domain::Positive, "The first shape of the beta distribution."),
            parameter("b", Domain::Positive, "The second shape of the beta distribution."),
        ],
    },
    KeySection {
        paths: &["sampler"],
        meaning: "How each posterior is sampled.",
        keys: &[
            Key {
                name: "sample",
                allowed: Allowed::Words(&["all", "none"]),
                default: Default::Typed,
                meaning: "Which K to sample: all, or none, where no criterion needs draws.",
            },
            Key {
                name: "seeds",
                allowed: Allowed::Other("a list of at least one integer"),
                default: Default::Typed,
                meaning: "Each is an independent replicate of every fit, and changes the randomness alone.",
            },
            Key {
                name: "chains",
                allowed: Allowed::Integer(CHAINS),
                default: Default::Typed,
                meaning: "The number of chains of each fit.",
            },
            Key {
                name: "warmup",
                // None at all is allowed: the sampler then keeps the metric and step size that it starts with.
                allowed: Allowed::Integer(0..=1_000_000),
                default: Default::Typed,
                meaning: "Iterations of each chain that adapt the sampler and are then discarded.",
            },
            Key {
                name: "draws",
                allowed: Allowed::Integer(DRAWS),
                default: Default::Typed,
                meaning: "Draws kept of each chain.",
            },
            Key {
                name: "target_accept",
                allowed: Allowed::Number(Domain::OpenUnit),
                default: Default::Typed,
                meaning: "The acceptance rate that the step size is adapted to.",
            },
            Key {
                name: "max_tree_depth",
                // 2²⁰ steps take minutes for a single draw, even on small data.
                allowed: Allowed::Integer(1..=20),
                default: Default::Typed,
                meaning: "A trajectory has at most 2 to this power steps.",
            },
        ],
    },
    KeySection {
        paths: &["scoring"],
        meaning: "How the mixtures are compared.",
        keys: &[
            Key {
                name: "criteria",
                allowed: Allowed::Other("a list of criteria"),
                default: Default::Typed,
                meaning: "The criteria to compute. \"logo\" (leave-one-group-out) is added if `groups` is given and \
                          `criteria` is not. \"wbic\" needs another fit of each K and seed; \"cv\" and \"laplace\" need no draws. An empty \
                          list samples and scores nothing.",
            },
            Key {
                name: "folds",
                // One fold would leave nothing to train on.
                allowed: Allowed::Integer(2..=MOST_ROWS as u64),
                default: Default::Typed,
                meaning: "The number of folds of \"kfold\" and \"cv\".",
            },
            Key {
                name: "repeats",
                // Each costs as much as the folds themselves.
                allowed: Allowed::Integer(1..=1000),
                default: Default::Typed,
                meaning: "The number of partitions into folds that \"kfold\" averages.",
            },
            Key {
                name: "groups",
                allowed: Allowed::Text("the name of a column"),
                default: Default::Absent("no groups"),
                meaning: "The column that says which rows belong together, for \"logo\". No fit sees it.",
            },
            Key {
                name: "refits",
                allowed: Allowed::Integer(ROWS),
                default: Default::Typed,
                meaning: "\"loo\" refits each K and seed without an observation at which reweighting fails, at most for this \
                          many observations; 0 refits none.",
            },
            Key {
                name: "fold_draws",
                allowed: Allowed::Integer(DRAWS),
                default: Default::Typed,
                meaning: "Draws kept of each chain in fits that are only scored on held-out rows. The default is \
                          `sampler.draws` where that is fewer.",
            },
        ],
    },
    KeySection {
        paths: &["suite"],
        meaning: "The data sets of a suite. A factor is a number, a list of levels, or a range `{ from, to }`.",
        keys: &[
            Key {
                name: "sets",
                allowed: Allowed::Integer(SETS),
                default: Default::Optional,
                meaning: "The number of data sets, drawn as a Latin hypercube sample of the factors.",
            },
            Key {
                name: "replicates",
                allowed: Allowed::Integer(SETS),
                default: Default::Typed,
                meaning: "The number of data sets of every combination of listed levels.",
            },
            Key {
                name: "seed",
                allowed: Allowed::Integer(SEEDS),
                default: Default::Typed,
                meaning: "The seed of the design and of the simulated data.",
            },
            factor("n_observations", "The number of rows N, from 2 to 1000000."),
            factor("n_features", "The number of columns D, from 1 to 100."),
            Key {
                name: "truth",
                allowed: Allowed::Words(&["mixsim", "prior"]),
                default: Default::Typed,
                meaning: "Where the true mixtures come from: MixSim, with the three keys below, or the prior itself, with K from \
                          `model.components_prior`. The latter has none of the three.",
            },
            factor(
                "components",
                "The true number of components. `model.components` must have every one of them.",
            ),
            factor(
                "overlap",
                "The mean over pairs of components of the sum of their two misclassification probabilities, \
                 above 0 and below 1. No effect where K = 1.",
            ),
            Key {
                name: "least_weight",
                allowed: Allowed::Number(Domain::OpenUnit),
                default: Default::Typed,
                meaning: "The smallest weight that a component may have.",
            },
            SCALE,
            Key {
                name: "fresh",
                allowed: Allowed::Integer(ROWS),
                default: Default::Typed,
                meaning: "New rows from each true mixture on which every fit's predictions are scored; 0 scores none.",
            },
            Key {
                name: "contrast",
                allowed: Allowed::Section,
                default: Default::Absent("one prior"),
                meaning: "A second prior, under which the same data sets are fitted. Its keys are those of `[model.prior]`.",
            },
        ],
    },
];
