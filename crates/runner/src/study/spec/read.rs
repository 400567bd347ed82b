//! Reads a [`Spec`] from TOML text, and checks its keys one by one and against each other.

use toml::Spanned;
use toml::de::DeTable;

use gmm_scoring::{Basis, Criterion};

use super::document::{Document, Section, Value};
use super::experiment::{
    Axes, Centre, ComponentsPrior, Concentration, CorrelationsPrior, DataSpec, MeansPrior, Missing,
    ModelSpec, PriorSpec, Resolution, Sample, SamplerSpec, Scale, ScalePrior, ScoringSpec, Shape, Spec,
    WeightsPrior,
};
use super::keys::{self, COMPONENTS, Domain, SEEDS};
use super::preset::Preset;
use crate::cli::problem::{Excerpt, Problem, Problems};

/// Bytes. File systems allow 255 for a name, and temporary names and suffixes are added to this one.
const LONGEST_NAME: usize = 100;

/// The word that stands for the prior of the default study.
const DEFAULT_PRIOR: &str = "default";

/// A spec as read. Where there are problems, the keys at fault have their defaults.
#[derive(Debug)]
pub struct Reading {
    spec: Spec,
    document: Document,
}

/// Reads a spec from the text of a file.
///
/// # Errors
/// Text that is not TOML: all its syntax errors.
pub fn read(file: &str, text: &str) -> Result<Reading, Problems> {
    let document = Document::new(file, text);
    let table = parse(file, text)?;
    let mut section = document.section(table.get_ref(), &keys::EXPERIMENT);
    let name = name(&mut section);
    let preset = preset(&mut section);
    let data = data(section.section("data"), preset);
    let model = model(section.section("model"), preset);
    let sampler = sampler(section.section("sampler"), preset);
    let scoring = scoring(section.section("scoring"), data.columns.as_deref(), &sampler, preset);
    if model.axes == Axes::Average && sampler.sample == Sample::All {
        let message = "`model.axes` is \"average\", but chains are run in one system of axes".to_owned();
        section.report(
            "model.axes",
            message,
            "allowed: \"given\" or \"invariant\", or `sampler.sample = \"none\"`",
        );
    }
    let spec = Spec { name, data, model, sampler, scoring };
    section.finish();
    Ok(Reading { spec, document })
}

/// The text as TOML.
///
/// # Errors
/// All syntax errors.
pub(super) fn parse<'a>(file: &str, text: &'a str) -> Result<Spanned<DeTable<'a>>, Problems> {
    let (table, mut errors) = DeTable::parse_recoverable(text);
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    let problems = errors.iter().map(|error| {
        let problem = Problem::new(file, "invalid TOML").label(error.message());
        match error.span() {
            Some(span) => problem.at(file, Excerpt::new(text, span)),
            None => problem,
        }
    });
    Problems::check(problems.collect())?;
    Ok(table)
}

impl Reading {
    /// The spec.
    ///
    /// # Errors
    /// All problems, in the order of the text.
    pub fn spec(self) -> Result<Spec, Problems> {
        Problems::check(self.document.problems())?;
        Ok(self.spec)
    }

    /// The spec with a default wherever [`problems`](Self::problems) has an entry: good for looking further, not to be run.
    #[must_use]
    pub fn draft(&self) -> &Spec {
        &self.spec
    }

    /// Whether a key, with all below it, was read without a problem.
    #[must_use]
    pub fn is_sound(&self, key: &str) -> bool {
        let is_below = |wrong: &str| {
            wrong.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        !self.problems().iter().filter_map(Problem::key).any(is_below)
    }

    /// All problems, in the order of the text.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        self.document.problems()
    }

    /// A problem that was found later, placed at its key in the text.
    #[must_use]
    pub fn place(&self, problem: Problem) -> Problem {
        self.document.place(problem)
    }
}

pub(super) fn name(section: &mut Section<'_>) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let is_file_name =
        |name: &str| name.len() <= LONGEST_NAME && name.chars().all(plain) && !name.starts_with(['-', '.']);
    section
        .require("name", "name = \"my-experiment\"")
        .and_then(|value| {
            let allowed = keys::EXPERIMENT.key("name").allowed.describe();
            let name = value.text(&allowed)?;
            if !is_file_name(name) {
                value.refuse(&allowed);
            }
            Some(name.to_owned())
        })
        .unwrap_or_default()
}

/// What the keys that are not typed mean.
pub(super) fn preset(section: &mut Section<'_>) -> Preset {
    let prior = section.section("model").take("prior");
    if prior.is_some_and(|prior| prior.is_word(DEFAULT_PRIOR)) {
        Preset::DefaultStudy
    } else {
        Preset::Published
    }
}

fn data(mut section: Section<'_>, preset: Preset) -> DataSpec {
    let column = |value: &Value<'_>| value.text("the name of a column").map(str::to_owned);
    let path = section
        .require("path", "path = \"data.csv\"")
        .and_then(|value| value.text(&keys::section("data").key("path").allowed.describe()))
        .unwrap_or_default()
        .to_owned();
    let columns = section
        .take("columns")
        .and_then(|value| value.some_distinct("a list of column names, at least one", column));
    let label = section.take("label").and_then(|value| {
        let label = column(&value)?;
        if columns.iter().flatten().any(|name| *name == label) {
            let message = format!("`data.label` is also one of `data.columns`: \"{label}\"");
            value.report(message, "the known classes must not be fitted".to_owned(), |problem| problem);
        }
        Some(label)
    });
    let scale = scale(&mut section);
    let resolution = section.take("resolution").and_then(|value| resolution(&value));
    let resolution = resolution.unwrap_or_else(|| preset.resolution());
    let missing =
        section.choice("missing", Missing::default(), &[("error", Missing::Error), ("drop", Missing::Drop)]);
    section.finish();
    DataSpec { path, columns, label, scale, resolution, missing }
}

fn resolution(value: &Value<'_>) -> Option<Resolution> {
    if value.is_list() {
        let steps = value.items("a list of numbers")?;
        let steps: Option<Vec<f64>> = steps.iter().map(|step| step.number(Domain::NotNegative)).collect();
        return steps.map(Resolution::Each);
    }
    if value.is_text() {
        return value.choice(&[("auto", Resolution::Auto), ("none", Resolution::None)]);
    }
    let step = value.number(Domain::NotNegative);
    step.map(Resolution::Same)
}

pub(super) fn scale(section: &mut Section<'_>) -> Scale {
    section.choice(
        "scale",
        Scale::default(),
        &[("standardize", Scale::Standardize), ("range", Scale::Range), ("none", Scale::None)],
    )
}

pub(super) fn model(mut section: Section<'_>, preset: Preset) -> ModelSpec {
    let typed = section.require("components", "components = { from = 1, to = 6 }").and_then(components);
    let components_prior = section.take("components_prior").and_then(|value| components_prior(&value));
    let choices = [("given", Axes::Given), ("invariant", Axes::Invariant), ("average", Axes::Average)];
    let axes = section.choice("axes", preset.axes(), &choices);
    let prior = match preset {
        Preset::DefaultStudy => preset.prior(),
        Preset::Published => prior(section.section("prior"), typed.as_deref()),
    };
    section.finish();
    ModelSpec {
        components: typed.unwrap_or_default(),
        components_prior: components_prior.unwrap_or_else(|| preset.components_prior()),
        axes,
        prior,
    }
}

fn components_prior(value: &Value<'_>) -> Option<ComponentsPrior> {
    if value.is_text() {
        return value.choice(&[("uniform", ComponentsPrior::Uniform)]);
    }
    let mut section = value.section()?;
    let families: Vec<&'static str> = section.names().collect();
    let chosen = section.only_one_of(&families);
    let domain = |name: &str| section.domain(name);
    let prior = chosen.and_then(|(family, value)| {
        Some(match family {
            "poisson" => ComponentsPrior::Poisson(value.number(domain(family))?),
            "geometric" => ComponentsPrior::Geometric(value.number(domain(family))?),
            _ => {
                let numbers = value.section()?.numbers()?;
                let [r, a, b] = numbers.try_into().expect("three parameters");
                ComponentsPrior::BetaNegativeBinomial { r, a, b }
            }
        })
    });
    section.finish();
    prior
}

fn components(value: Value<'_>) -> Option<Vec<usize>> {
    if value.is_table() {
        let mut section = value.section()?;
        let from = section.require("from", "from = 1").and_then(|value| value.count(COMPONENTS));
        let to = section.require("to", "to = 6").and_then(|value| value.count(COMPONENTS));
        section.finish();
        let (from, to) = (from?, to?);
        if from > to {
            let message = format!("`model.components` is an empty range: from {from} to {to}");
            value.report(message, "allowed: `from` at most `to`".to_owned(), |problem| problem);
            return None;
        }
        return Some((from..=to).collect());
    }
    if value.is_list() {
        return value.some_distinct("a list of at least one integer", |item| item.count(COMPONENTS));
    }
    value.count(COMPONENTS).map(|components| vec![components])
}

pub(super) fn prior(mut section: Section<'_>, components: Option<&[usize]>) -> PriorSpec {
    let default = PriorSpec::default();
    let WeightsPrior::Dirichlet { mut alpha } = default.weights;
    let mut weights = section.section("weights");
    let half_dimension = ("half-dimension", Concentration::HalfDimension);
    let typed = weights.take("dirichlet");
    alpha = typed.and_then(|value| number_or(&value, half_dimension, Concentration::Number)).unwrap_or(alpha);
    weights.finish();
    let means = means(section.section("means"), components);
    let scales = scales(section.section("scales"));
    let CorrelationsPrior::Lkj { mut eta } = default.correlations;
    let mut correlations = section.section("correlations");
    eta = correlations.number("lkj").unwrap_or(eta);
    correlations.finish();
    section.finish();
    PriorSpec {
        weights: WeightsPrior::Dirichlet { alpha },
        means,
        scales,
        correlations: CorrelationsPrior::Lkj { eta },
    }
}

/// A number above 0, or the one word that stands for another.
fn number_or<T: Clone>(value: &Value<'_>, word: (&'static str, T), number: fn(f64) -> T) -> Option<T> {
    if value.is_text() { value.choice(&[word]) } else { value.number(Domain::Positive).map(number) }
}

fn means(mut section: Section<'_>, components: Option<&[usize]>) -> MeansPrior {
    let default = MeansPrior::default();
    let centre = section.take("centre").and_then(|value| centre(&value, components));
    let domain = section.domain("variance");
    let variance = section.only_one_of(&["variance", "sd"]).and_then(|(key, value)| {
        let number = value.number(domain)?;
        let variance = if key == "sd" { number * number } else { number };
        if !(variance > 0.0 && variance.is_finite()) {
            value.refuse("a number whose square is above 0 and finite");
        }
        Some(variance)
    });
    section.finish();
    MeansPrior { centre: centre.unwrap_or(default.centre), variance: variance.unwrap_or(default.variance) }
}

fn centre(value: &Value<'_>, components: Option<&[usize]>) -> Option<Centre> {
    if !value.is_list() {
        return value.choice(&[
            ("kmeans", Centre::Kmeans),
            ("origin", Centre::Origin),
            ("data-mean", Centre::DataMean),
        ]);
    }
    let shape = "K rows of D numbers, on the scale that the sampler sees";
    let rows = value.items(shape)?;
    let mut centres: Vec<Vec<f64>> = Vec::with_capacity(rows.len());
    for row in &rows {
        let numbers = row.items("a row of D numbers")?;
        let numbers: Option<Vec<f64>> = numbers.iter().map(|number| number.number(Domain::Real)).collect();
        let numbers = numbers?;
        let expected = centres.first().map_or(numbers.len().max(1), Vec::len);
        if numbers.len() != expected {
            let message = format!("this centre has {} numbers, expected {expected}", numbers.len());
            row.report(message, format!("allowed: {shape}"), |problem| problem);
            return None;
        }
        centres.push(numbers);
    }
    match components {
        Some([one]) if *one != centres.len() => {
            let message = format!("{} explicit centres for {one} components", centres.len());
            value.report(message, format!("allowed: {shape}; here K = {one}"), |problem| problem);
        }
        Some([_, _, ..]) => {
            let message = "explicit centres need a single K".to_owned();
            let label = format!("these are for K = {}", centres.len());
            let help = format!("set `model.components = {}`, or choose \"kmeans\"", centres.len());
            value.report(message, label, |problem| problem.help(help));
        }
        // No components, or wrong ones: reported where they are read.
        _ => {}
    }
    Some(Centre::Explicit(centres))
}

fn scales(mut section: Section<'_>) -> ScalePrior {
    let families: Vec<&'static str> = section.names().collect();
    let chosen = section.only_one_of(&families);
    section.finish();
    let read = |(family, value): (&str, Value<'_>)| {
        // A family of one parameter is a number, one of several a table of them all, for none has a natural default.
        let one = || value.number(Domain::Positive);
        let two = || Some(<[f64; 2]>::try_from(value.section()?.numbers()?).expect("two parameters"));
        Some(match family {
            "half_cauchy" => ScalePrior::HalfCauchy { scale: one()? },
            "half_normal" => ScalePrior::HalfNormal { scale: one()? },
            "exponential" => ScalePrior::Exponential { rate: one()? },
            "half_student_t" => {
                let [nu, scale] = two()?;
                ScalePrior::HalfStudentT { nu, scale }
            }
            "log_normal" => {
                let [mu, sigma] = two()?;
                ScalePrior::LogNormal { mu, sigma }
            }
            "inverse_gamma" => {
                let [shape, scale] = two()?;
                ScalePrior::InverseGamma { shape, scale }
            }
            _ => {
                let mut section = value.section()?;
                let shape = section
                    .require("shape", "shape = 2.0")
                    .and_then(|value| number_or(&value, ("columns", Shape::Columns), Shape::Number));
                let [hyper_shape, hyper_rate] = ["hyper_shape", "hyper_rate"].map(|key| {
                    let value = section.require(key, &format!("{key} = 1.0"));
                    value.and_then(|value| value.number(Domain::Positive))
                });
                section.finish();
                ScalePrior::Hierarchical { shape: shape?, hyper_shape: hyper_shape?, hyper_rate: hyper_rate? }
            }
        })
    };
    chosen.and_then(read).unwrap_or_default()
}

pub(super) fn sampler(mut section: Section<'_>, preset: Preset) -> SamplerSpec {
    let default = preset.sampler();
    let sample = section.choice("sample", default.sample, &[("all", Sample::All), ("none", Sample::None)]);
    let seeds = section
        .take("seeds")
        .and_then(|value| value.some_distinct("a list of at least one integer", |seed| seed.integer(SEEDS)));
    let sampler = SamplerSpec {
        sample,
        seeds: seeds.unwrap_or(default.seeds),
        chains: section.count("chains", default.chains),
        warmup: section.count("warmup", default.warmup),
        draws: section.count("draws", default.draws),
        target_accept: section.number("target_accept").unwrap_or(default.target_accept),
        max_tree_depth: section.count("max_tree_depth", default.max_tree_depth),
    };
    section.finish();
    sampler
}

/// `columns` are those that the fits see, where they are named.
pub(super) fn scoring(
    mut section: Section<'_>,
    columns: Option<&[String]>,
    sampler: &SamplerSpec,
    preset: Preset,
) -> ScoringSpec {
    let default = preset.scoring();
    let groups = section.take("groups").and_then(|value| {
        let groups = value.text("the name of a column")?;
        if columns.iter().copied().flatten().any(|name| name == groups) {
            let message = format!("`scoring.groups` is also one of `data.columns`: \"{groups}\"");
            value.report(message, "the groups must not be fitted".to_owned(), |problem| problem);
        }
        Some(groups.to_owned())
    });
    let criteria = section.take("criteria").and_then(|value| {
        value.distinct("a list of criteria", |item| {
            let criterion = item.choice(&Criterion::ALL.map(|criterion| (criterion.name(), criterion)))?;
            if criterion == Criterion::Logo && groups.is_none() {
                let message = "`logo` (leave-one-group-out) needs `scoring.groups`".to_owned();
                let help = "add `groups = \"column\"` under `[scoring]`";
                item.report(message, "no column of groups is given".to_owned(), |problem| problem.help(help));
            }
            Some(criterion)
        })
    });
    // Whoever names groups and no criteria wants them used.
    let wanted = default.criteria.into_iter().chain(groups.is_some().then_some(Criterion::Logo));
    let is_possible = |criterion: &Criterion| {
        sampler.sample != Sample::None || matches!(criterion.basis(), Basis::Maximum | Basis::Mode)
    };
    let criteria: Vec<Criterion> = criteria.unwrap_or_else(|| wanted.filter(is_possible).collect());
    if let Some(criterion) = criteria.iter().find(|criterion| !is_possible(criterion)) {
        let message = format!("`{}` needs draws, but `sampler.sample` is \"none\"", criterion.name());
        section.report(
            "criteria",
            message,
            "allowed: criteria that need none, such as \"bic\" and \"laplace\"",
        );
    }
    let folds = section.count("folds", default.folds);
    let repeats = section.count("repeats", default.repeats);
    let refits = section.count("refits", default.refits);
    // Whoever wants short chains wants none that are longer.
    let fold_draws = section.count("fold_draws", default.fold_draws.min(sampler.draws));
    section.finish();
    ScoringSpec { criteria, folds, repeats, groups, refits, fold_draws }
}
