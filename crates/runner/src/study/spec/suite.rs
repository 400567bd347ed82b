//! The spec of a suite: a design of simulated data sets in place of a data file; the rest as in an experiment.

use serde::Serialize;

use super::document::{Document, Section, Value};
use super::experiment::{Axes, Centre, ModelSpec, PriorSpec, SamplerSpec, Scale, ScoringSpec};
use super::keys::{self, COMPONENTS, Domain, FEATURES, OBSERVATIONS, SETS};
use super::read::{model, name, parse, preset, prior, sampler, scale, scoring};
use crate::cli::problem::{Problem, Problems};

/// The question of how often each criterion finds the number of components of simulated data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuiteSpec {
    /// A plain file name: where the report goes.
    pub name: String,
    pub suite: DesignSpec,
    pub model: ModelSpec,
    pub sampler: SamplerSpec,
    pub scoring: ScoringSpec,
}

/// Which data sets are simulated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DesignSpec {
    #[serde(flatten)]
    pub size: Size,
    pub seed: u64,
    /// The scale that the sampler sees, as in `data.scale`.
    pub scale: Scale,
    /// Fresh observations from each true mixture that every fit's predictions are judged by; 0 judges none.
    pub fresh: usize,
    pub n_observations: Levels<usize>,
    pub n_features: Levels<usize>,
    #[serde(flatten)]
    pub truth: Truth,
    /// A second prior under which the same data are fitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contrast: Option<PriorSpec>,
}

/// Where true mixtures come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "truth", rename_all = "lowercase")]
pub enum Truth {
    /// Of a given overlap.
    Mixsim {
        components: Levels<usize>,
        /// Average over pairs of components; of no consequence to one component.
        overlap: Levels<f64>,
        least_weight: f64,
    },
    /// K from `model.components_prior`, the mixture from `model.prior`: then stated probabilities are those of a posterior.
    Prior,
}

/// How many data sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// A Latin hypercube sample of the design.
    Sets(usize),
    /// Every combination of listed levels, so many times.
    Replicates(usize),
}

/// The levels of one factor.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Levels<T> {
    Listed(Vec<T>),
    /// Both ends included.
    Between {
        from: T,
        to: T,
    },
}

impl<T: Copy + PartialOrd> Levels<T> {
    /// The number of levels in a grid; 1 for a range.
    #[must_use]
    pub fn n_listed(&self) -> usize {
        match self {
            Self::Listed(levels) => levels.len(),
            Self::Between { .. } => 1,
        }
    }

    /// The smallest and the largest.
    #[must_use]
    pub fn range(&self) -> (T, T) {
        match self {
            Self::Between { from, to } => (*from, *to),
            Self::Listed(levels) => levels.iter().fold((levels[0], levels[0]), |(low, high), &level| {
                (if level < low { level } else { low }, if level > high { level } else { high })
            }),
        }
    }
}

impl SuiteSpec {
    /// The spec with every default spelt out, as TOML.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a spec has string keys and no null, so TOML can hold it")
    }
}

/// Reads a suite's spec from the text of a file.
///
/// # Errors
/// All that is wrong with it, in the order of the text.
pub fn read_suite(file: &str, text: &str) -> Result<SuiteSpec, Problems> {
    let document = Document::new(file, text);
    let table = parse(file, text)?;
    let mut section = document.section(table.get_ref(), &keys::SUITE);
    let name = name(&mut section);
    let design = section.require(
        "suite",
        "suite = { replicates = 1, n_observations = 200, n_features = 2, components = 3, overlap = 0.01 }",
    );
    let preset = preset(&mut section);
    let model = model(section.section("model"), preset);
    let sampler = sampler(section.section("sampler"), preset);
    let scoring = scoring(section.section("scoring"), None, &sampler, preset);
    section.finish();
    let suite = design.and_then(|value| {
        let design = suite(value.section()?, &model)?;
        check_against_model(&value, &design, &model);
        Some(design)
    });
    let mut problems = document.problems();
    if scoring.groups.is_some() {
        let problem = Problem::with_key(file, "scoring.groups", "`scoring.groups` cannot be used in a suite");
        problems.push(document.place(problem.label("simulated data have no groups")));
    }
    Problems::check(problems)?;
    let suite = suite.expect("a design that is not there was reported");
    Ok(SuiteSpec { name, suite, model, sampler, scoring })
}

fn suite(mut section: Section<'_>, model: &ModelSpec) -> Option<DesignSpec> {
    let size = section.only_one_of(&["sets", "replicates"]).and_then(|(key, value)| {
        let count = value.count(SETS)?;
        Some(if key == "sets" { Size::Sets(count) } else { Size::Replicates(count) })
    });
    let n_observations = levels(&mut section, "n_observations", "{ from = 100, to = 1000 }", |value| {
        value.count(OBSERVATIONS)
    });
    let n_features = levels(&mut section, "n_features", "[2, 5, 10]", |value| value.count(FEATURES));
    let seed = section.integer("seed", 1);
    let truth = if section.choice("truth", false, &[("mixsim", false), ("prior", true)]) {
        for key in ["components", "overlap", "least_weight"] {
            if let Some(value) = section.take(key) {
                let message = format!("`suite.{key}` has no effect beside `truth = \"prior\"`");
                value.report(message, "the prior draws it".to_owned(), |problem| problem);
            }
        }
        Some(Truth::Prior)
    } else {
        mixsim(&mut section)
    };
    let scale = scale(&mut section);
    let fresh = section.count("fresh", 0);
    let contrast =
        section.take("contrast").and_then(|value| Some(prior(value.section()?, Some(&model.components))));
    section.finish();
    Some(DesignSpec {
        // Two data sets of each combination already show which differences are chance.
        size: size.unwrap_or(Size::Replicates(2)),
        seed,
        scale,
        fresh,
        n_observations: n_observations?,
        n_features: n_features?,
        truth: truth?,
        contrast,
    })
}

fn mixsim(section: &mut Section<'_>) -> Option<Truth> {
    let components = levels(section, "components", "{ from = 1, to = 8 }", |value| value.count(COMPONENTS));
    let overlap = levels(section, "overlap", "[0.001, 0.01, 0.05]", |value| value.number(Domain::OpenUnit));
    let least_weight = section.number("least_weight").unwrap_or(0.05);
    Some(Truth::Mixsim { components: components?, overlap: overlap?, least_weight })
}

fn levels<'a, T: Copy + PartialOrd + std::fmt::Display>(
    section: &mut Section<'a>,
    key: &'static str,
    example: &str,
    read: impl Fn(&Value<'a>) -> Option<T>,
) -> Option<Levels<T>> {
    let value = section.require(key, &format!("{key} = {example}"))?;
    if value.is_table() {
        let mut section = value.section()?;
        let from = section.require("from", "from = 1").and_then(|value| read(&value));
        let to = section.require("to", "to = 8").and_then(|value| read(&value));
        section.finish();
        let (from, to) = (from?, to?);
        if from > to {
            let message = format!("`suite.{key}` is an empty range: from {from} to {to}");
            value.report(message, "allowed: `from` at most `to`".to_owned(), |problem| problem);
            return None;
        }
        return Some(Levels::Between { from, to });
    }
    if value.is_list() {
        return value.some_distinct("a list of at least one number", read).map(Levels::Listed);
    }
    read(&value).map(|level| Levels::Listed(vec![level]))
}

/// Checks the design against the model.
fn check_against_model(value: &Value<'_>, design: &DesignSpec, model: &ModelSpec) {
    let report = |message: String, help: &str| {
        value.report(message, String::new(), |problem| problem.help(help.to_owned()));
    };
    check_size(design, &report);
    match &design.truth {
        Truth::Mixsim { components, least_weight, .. } => {
            let (least, most) = components.range();
            let searched = |k: usize| model.components.is_empty() || model.components.contains(&k);
            let simulated: Vec<usize> = match components {
                Levels::Listed(levels) => levels.clone(),
                Levels::Between { .. } => (least..=most).collect(),
            };
            if let Some(missing) = simulated.into_iter().find(|&k| !searched(k)) {
                report(
                    format!(
                        "mixtures of {missing} components are simulated, but K = {missing} is not among `model.components`"
                    ),
                    "list every simulated K in `model.components`, and a few larger ones",
                );
            }
            if least_weight * most as f64 > 1.0 {
                report(
                    format!("{most} components cannot all have a weight of at least {least_weight}"),
                    "lower `suite.least_weight`",
                );
            }
        }
        // Any other scale or axes are those of the data, and move the prior that they were drawn from.
        Truth::Prior => {
            let is_fixed = design.scale == Scale::None
                && model.axes == Axes::Given
                && model.prior.means.centre == Centre::Origin;
            if !is_fixed {
                report(
                    "`truth = \"prior\"` needs a prior that does not depend on the data".to_owned(),
                    "set `suite.scale = \"none\"`, `model.axes = \"given\"` and `means.centre = \"origin\"`",
                );
            }
        }
    }
    let largest = model.components.iter().copied().max().unwrap_or(0);
    let (fewest, _) = design.n_observations.range();
    if largest >= fewest {
        report(
            format!("{largest} components would be fitted to only {fewest} observations"),
            "raise `suite.n_observations`, or lower `model.components`",
        );
    }
    let explicit = |prior: &PriorSpec| matches!(prior.means.centre, Centre::Explicit(_));
    if explicit(&model.prior) || design.contrast.as_ref().is_some_and(explicit) {
        report(
            "explicit centres cannot be used in a suite".to_owned(),
            "choose \"kmeans\", \"origin\" or \"data-mean\"",
        );
    }
}

/// Checks the number of data sets.
fn check_size(design: &DesignSpec, report: &impl Fn(String, &str)) {
    let Size::Replicates(replicates) = design.size else { return };
    let (components, overlap) = match &design.truth {
        Truth::Mixsim { components, overlap, .. } => (Some(components), Some(overlap)),
        Truth::Prior => (None, None),
    };
    let counts = [Some(&design.n_observations), Some(&design.n_features), components];
    let is_range = |levels: &&Levels<usize>| matches!(levels, Levels::Between { .. });
    if counts.into_iter().flatten().any(|levels| is_range(&levels))
        || overlap.is_some_and(|levels| matches!(levels, Levels::Between { .. }))
    {
        report(
            "`suite.replicates` needs lists of levels, not ranges".to_owned(),
            "use `sets` instead, the number of data sets to draw from the design",
        );
    }
    let listed = counts.into_iter().flatten().map(Levels::n_listed).chain(overlap.map(Levels::n_listed));
    let sets = listed.fold(replicates, usize::saturating_mul);
    if !SETS.contains(&(sets as u64)) {
        report(
            format!("`suite` asks for {sets} data sets; the limit is {}", SETS.end()),
            "use `sets` instead, the number of data sets to draw from the design",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"
name = "suite"
[suite]
sets = 12
n_observations = { from = 100, to = 400 }
n_features = [1, 2]
components = { from = 1, to = 3 }
overlap = [0.001, 0.05]
[model]
components = { from = 1, to = 4 }
[scoring]
criteria = ["bic"]
"#;

    const FROM_PRIOR: &str = r#"
name = "suite"
[suite]
sets = 12
truth = "prior"
scale = "none"
n_observations = [20, 40]
n_features = [1, 2]
[model]
components = { from = 1, to = 4 }
prior = "default"
axes = "given"
"#;

    fn refused(text: &str) -> String {
        read_suite("suite.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn the_spec_as_run_reads_back_as_itself() {
        for contrast in ["", "[suite.contrast]\nmeans = { centre = \"data-mean\", variance = 10.0 }\n"] {
            let spec = read_suite("suite.toml", &format!("{SOUND}{contrast}")).unwrap();
            assert_eq!(read_suite("suite.toml", &spec.to_toml()).unwrap(), spec, "{}", spec.to_toml());
        }
        let spec = read_suite("suite.toml", FROM_PRIOR).unwrap();
        assert_eq!(spec.suite.truth, Truth::Prior);
        assert_eq!(read_suite("suite.toml", &spec.to_toml()).unwrap(), spec, "{}", spec.to_toml());
    }

    #[test]
    fn a_prior_that_draws_the_truth_depends_on_no_data() {
        for (from, to, told) in [
            ("scale = \"none\"\n", "", "needs a prior that does not depend on the data"),
            ("axes = \"given\"", "axes = \"average\"", "needs a prior that does not depend on the data"),
            ("scale = \"none\"", "scale = \"none\"\noverlap = 0.01", "`suite.overlap` has no effect"),
        ] {
            let told_of = refused(&FROM_PRIOR.replace(from, to));
            assert!(told_of.contains(told), "{told}\n{told_of}");
        }
    }

    #[test]
    fn what_design_and_model_cannot_give_each_other_is_refused_with_a_way_out() {
        for (from, to, told) in [
            ("sets = 12", "replicates = 2", "`suite.replicates` needs lists of levels"),
            ("to = 3 }", "to = 6 }", "K = 5 is not among `model.components`"),
            ("sets = 12", "sets = 12\nleast_weight = 0.4", "cannot all have a weight of at least 0.4"),
            ("from = 100,", "from = 4,", "4 components would be fitted to only 4 observations"),
            ("sets = 12", "sets = 12\nreplicates = 2", "exclude each other"),
            ("from = 100, to = 400", "from = 400, to = 100", "an empty range: from 400 to 100"),
            ("overlap = [0.001, 0.05]", "overlap = [0.001, 1.5]", "cannot be 1.5"),
            ("n_features = [1, 2]\n", "", "`suite.n_features` is missing"),
        ] {
            let told_of = refused(&SOUND.replace(from, to));
            assert!(told_of.contains(told), "{told}\n{told_of}");
        }
    }
}
