use gmm_scoring::Criterion;
use proptest::prelude::*;

use super::experiment::{Concentration, SamplerSpec, Shape};
use super::preset::Preset;
use super::*;
use crate::cli::problem::{Problems, Style};

const SMALLEST: &str = "name = \"x\"\ndata.path = \"x.csv\"\nmodel.components = 3\n";

const FULL: &str = r#"# How many kinds of eruption are there?
name = "old-faithful"

[data]
path = "data/faithful.csv"
columns = ["eruptions", "waiting"]
label = "kind"
scale = "none"
missing = "drop"

[model]
components = { from = 1, to = 6 }

[model.prior]
weights = { dirichlet = 0.5 }
means = { centre = "kmeans", variance = 0.1 }
scales = { half_cauchy = 1.0 }
correlations = { lkj = 2.0 }

[sampler]
seeds = [1, 2, 3]
chains = 4
warmup = 1000
draws = 1000
target_accept = 0.8
max_tree_depth = 10

[scoring]
criteria = ["aic", "bic", "loo"]
folds = 10
"#;

fn spec(text: &str) -> Result<Spec, Problems> {
    read("x.toml", text).and_then(Reading::spec)
}

fn report(text: &str) -> String {
    spec(text).expect_err("the spec is wrong").render(Style::Plain)
}

/// The smallest spec with one more line.
fn with(line: &str) -> String {
    format!("{SMALLEST}{line}\n")
}

#[test]
fn what_is_not_typed_has_its_default() {
    let spec = spec(SMALLEST).unwrap();
    let components_prior = ComponentsPrior::Uniform;
    let axes = Axes::Given;
    assert_eq!(
        spec.model,
        ModelSpec { components: vec![3], components_prior, axes, prior: PriorSpec::default() }
    );
    assert_eq!(spec.data.resolution, Resolution::None);
    assert_eq!(spec.sampler, SamplerSpec::default());
    assert_eq!(spec.scoring, ScoringSpec::default());
    assert_eq!((spec.data.columns, spec.data.label), (None, None));
    assert_eq!((spec.data.scale, spec.data.missing), (Scale::Standardize, Missing::Error));
}

#[test]
fn what_is_typed_is_read() {
    let spec = spec(FULL).unwrap();
    assert_eq!(spec.name, "old-faithful");
    assert_eq!(spec.data.columns.unwrap(), ["eruptions", "waiting"]);
    assert_eq!(spec.data.label.unwrap(), "kind");
    assert_eq!((spec.data.scale, spec.data.missing), (Scale::None, Missing::Drop));
    assert_eq!(spec.model.components, [1, 2, 3, 4, 5, 6]);
    assert_eq!(spec.sampler.seeds, [1, 2, 3]);
    assert_eq!(spec.scoring.criteria, [Criterion::Aic, Criterion::Bic, Criterion::Loo]);
}

#[test]
fn the_default_study_changes_defaults_and_nothing_that_is_typed() {
    let study = spec(&with("model.prior = \"default\"")).unwrap();
    assert_eq!(study.model.prior, Preset::DefaultStudy.prior());
    assert!(study.model.prior.precedes_data());
    assert_eq!(study.data.resolution, Resolution::Auto);
    assert_eq!(study.sampler.sample, Sample::None);
    assert_eq!(study.scoring.criteria, [Criterion::Bic, Criterion::Icl, Criterion::Cv, Criterion::Laplace]);
    let typed = spec(&with(
        "model.prior = \"default\"\ndata.resolution = \"none\"\nmodel.components_prior = \"uniform\"\n\
         model.axes = \"given\"\nsampler.sample = \"all\"\nscoring.criteria = [\"loo\"]",
    ));
    let typed = typed.unwrap();
    assert_eq!((typed.data.resolution, typed.sampler.sample), (Resolution::None, Sample::All));
    assert_eq!(typed.model.components_prior, ComponentsPrior::Uniform);
    assert_eq!(typed.scoring.criteria, [Criterion::Loo]);
    // Written out, nothing depends on the word.
    assert_eq!(spec(&study.to_toml()).unwrap(), study);
}

#[test]
fn an_average_over_axes_is_refused_where_chains_are_run() {
    let refusal = report(&with("model.axes = \"average\""));
    assert!(refusal.contains("chains are run in one system of axes"), "{refusal}");
    assert!(spec(&with("model.axes = \"average\"\nsampler.sample = \"none\"")).is_ok());
}

#[test]
fn criteria_that_need_draws_are_refused_without_them() {
    let refusal = report(&with("sampler.sample = \"none\"\nscoring.criteria = [\"bic\", \"waic\"]"));
    assert!(refusal.contains("`waic` needs draws, but `sampler.sample` is \"none\""), "{refusal}");
    assert!(spec(&with("sampler.sample = \"none\"\nscoring.criteria = [\"bic\", \"laplace\"]")).is_ok());
}

#[test]
fn every_alternative_of_resolution_and_the_prior_of_k_is_read() {
    let resolution =
        |value: &str| spec(&with(&format!("data.resolution = {value}"))).unwrap().data.resolution;
    assert_eq!(resolution("\"auto\""), Resolution::Auto);
    assert_eq!(resolution("0.1"), Resolution::Same(0.1));
    assert_eq!(resolution("[0.1, 0]"), Resolution::Each(vec![0.1, 0.0]));
    let refusal = report(&with("data.resolution = -1"));
    assert!(refusal.contains("`data.resolution` cannot be -1"), "{refusal}");
    let prior = |value: &str| {
        spec(&with(&format!("model.components_prior = {value}"))).unwrap().model.components_prior
    };
    assert_eq!(prior("\"uniform\""), ComponentsPrior::Uniform);
    assert_eq!(prior("{ poisson = 2 }"), ComponentsPrior::Poisson(2.0));
    assert_eq!(prior("{ geometric = 0.5 }"), ComponentsPrior::Geometric(0.5));
    let expected = ComponentsPrior::BetaNegativeBinomial { r: 1.0, a: 4.0, b: 3.0 };
    assert_eq!(prior("{ beta_negative_binomial = { r = 1, a = 4, b = 3 } }"), expected);
    let refusal = report(&with("model.components_prior = { geometric = 1.5 }"));
    assert!(refusal.contains("geometric"), "{refusal}");
}

#[test]
fn every_alternative_of_the_prior_is_read() {
    let prior = |line: &str| spec(&with(&format!("model.prior.{line}"))).unwrap().model.prior;
    let scales = |value: &str| prior(&format!("scales = {value}")).scales;
    assert_eq!(scales("{ half_cauchy = 2 }"), ScalePrior::HalfCauchy { scale: 2.0 });
    assert_eq!(scales("{ half_normal = 2.5 }"), ScalePrior::HalfNormal { scale: 2.5 });
    assert_eq!(
        scales("{ half_student_t = { nu = 4, scale = 1.5 } }"),
        ScalePrior::HalfStudentT { nu: 4.0, scale: 1.5 }
    );
    assert_eq!(scales("{ exponential = 3 }"), ScalePrior::Exponential { rate: 3.0 });
    assert_eq!(
        scales("{ log_normal = { mu = -1, sigma = 0.5 } }"),
        ScalePrior::LogNormal { mu: -1.0, sigma: 0.5 }
    );
    assert_eq!(
        scales("{ inverse_gamma = { shape = 2, scale = 1 } }"),
        ScalePrior::InverseGamma { shape: 2.0, scale: 1.0 }
    );
    assert_eq!(
        scales("{ hierarchical = { shape = 2, hyper_shape = 0.2, hyper_rate = 10 } }"),
        ScalePrior::Hierarchical { shape: Shape::Number(2.0), hyper_shape: 0.2, hyper_rate: 10.0 }
    );
    assert_eq!(
        scales("{ hierarchical = { shape = \"columns\", hyper_shape = 0.2, hyper_rate = 10 } }"),
        ScalePrior::Hierarchical { shape: Shape::Columns, hyper_shape: 0.2, hyper_rate: 10.0 }
    );
    let means = |value: &str| prior(&format!("means = {value}")).means;
    assert_eq!(means("{ centre = \"origin\" }"), MeansPrior { centre: Centre::Origin, variance: 0.1 });
    assert_eq!(
        means("{ centre = \"data-mean\", sd = 3 }"),
        MeansPrior { centre: Centre::DataMean, variance: 9.0 }
    );
    assert_eq!(
        means("{ centre = [[1, 2], [3, 4], [5, 6.5]] }").centre,
        Centre::Explicit(vec![vec![1.0, 2.0], vec![3.0, 4.0], vec![5.0, 6.5]])
    );
    assert_eq!(
        prior("weights = { dirichlet = 10 }").weights,
        WeightsPrior::Dirichlet { alpha: Concentration::Number(10.0) }
    );
    let weights = prior("weights = { dirichlet = \"half-dimension\" }").weights;
    assert_eq!(weights, WeightsPrior::Dirichlet { alpha: Concentration::HalfDimension });
    assert_eq!([1, 2, 3].map(|d| Shape::Columns.of(d)), [1.0, 2.0, 2.0]);
    assert_eq!([1, 2, 3, 10].map(|d| Concentration::HalfDimension.of(d)), [1.0, 2.5, 4.0, 4.0]);
    assert_eq!(prior("correlations = { lkj = 1 }").correlations, CorrelationsPrior::Lkj { eta: 1.0 });
}

/// The smallest spec, of an experiment or a suite, with one more value at a dotted key.
fn with_value(path: &str, value: &toml::Value) -> String {
    const SUITE: &str = "name = \"x\"\nmodel.components = 1\n\
        suite = { n_observations = 20, n_features = 1, components = 1, overlap = 0.01 }\n";
    let smallest = if path.starts_with("suite") { SUITE } else { SMALLEST };
    let mut document: toml::Table = smallest.parse().unwrap();
    let mut names: Vec<&str> = path.split('.').collect();
    let last = names.pop().unwrap();
    let mut table = &mut document;
    for name in names {
        let below = table.entry(name).or_insert_with(|| toml::Table::new().into());
        if !below.is_table() {
            *below = toml::Table::new().into();
        }
        table = below.as_table_mut().unwrap();
    }
    table.insert(last.to_owned(), value.clone());
    document.to_string()
}

fn refusals(path: &str, value: &toml::Value) -> String {
    let text = with_value(path, value);
    let read = if path.starts_with("suite") {
        suite::read_suite("x.toml", &text).map(drop)
    } else {
        spec(&text).map(drop)
    };
    read.err().map(|problems| problems.to_string()).unwrap_or_default()
}

#[test]
fn every_key_of_the_table_is_read_and_its_words_are_accepted() {
    // No key allows a date.
    let date: toml::Value = "1979-05-27".parse::<toml::value::Datetime>().unwrap().into();
    let roots = [(&keys::EXPERIMENT, "", ""), (&keys::SUITE, "", "suite")];
    let below =
        keys::SECTIONS.iter().flat_map(|section| section.paths.iter().map(move |&path| (section, path, "")));
    for (section, path, only) in roots.into_iter().chain(below) {
        for key in section.keys.iter().filter(|key| only.is_empty() || key.name == only) {
            let full = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
            let refused = refusals(&full, &date);
            assert!(refused.contains(&format!("`{full}` cannot be 1979-05-27")), "{full}: {refused}");
            if let keys::Allowed::Words(words) = key.allowed {
                for &word in words {
                    // A word may go with no default of another key, but it is a word of this one.
                    let refused = refusals(&full, &word.into());
                    assert!(!refused.contains(&format!("`{full}` cannot be")), "{full} = {word}: {refused}");
                }
            }
        }
    }
}

#[test]
fn no_criterion_at_all_is_allowed() {
    assert!(spec(&with("scoring.criteria = []")).unwrap().scoring.criteria.is_empty());
}

#[test]
fn bom_and_crlf_change_nothing() {
    let windows = format!("\u{feff}{}", FULL.replace('\n', "\r\n"));
    assert_eq!(spec(&windows), spec(FULL));
}

#[test]
fn the_hash_is_of_the_meaning_not_of_the_layout() {
    let typed = spec(SMALLEST).unwrap();
    let same = spec(&with("sampler.chains = 4 # the default")).unwrap();
    let other = spec(&with("sampler.chains = 5")).unwrap();
    assert_eq!(typed.hash(), same.hash());
    assert_ne!(typed.hash(), other.hash());
    assert_eq!(typed.hash().len(), 64);
}

#[test]
fn the_spec_as_run_spells_out_every_default() {
    insta::assert_snapshot!(spec(SMALLEST).unwrap().to_toml());
}

#[test]
fn a_wrong_line_is_refused_whatever_it_is() {
    let lines = [
        "model.prior.weights.dirichlet = 0",
        "model.prior.weights.dirichlet = inf",
        "model.prior.correlations.lkj = nan",
        "model.prior.correlations.lkj = -1",
        "model.prior.means.variance = 0.0",
        "model.prior.means = { sd = 1e-200 }",
        "model.prior.means = { variance = 1e400 }",
        "model.prior.means = { variance = 1, sd = 1 }",
        "model.prior.scales = {  half_cauchy = 1, half_normal = 1 }",
        "model.prior.scales = { half_student_t = { nu = 3 } }",
        "model.prior.scales = { log_normal = 1 }",
        "model.prior.scales = { log_normal = { mu = 0, sigma = 0 } }",
        "model.prior.scales = \"half_cauchy\"",
        "model.prior.means.centre = []",
        "model.prior.means.centre = [[]]",
        "model.prior.means.centre = [[], [], []]",
        "model.prior.means.centre = [[1], [2]]",
        "model.prior.means.centre = [[1], [2], [3, 4]]",
        "model.prior.means.centre = [1, 2, 3]",
        "model.prior.means.centre = [[1], [inf], [3]]",
        "model.prior.means.centre = \"k-means++\"",
        "sampler.seeds = []",
        "sampler.seeds = [1, 1]",
        "sampler.seeds = [-1]",
        "sampler.seeds = 1",
        "sampler.chains = 0",
        "sampler.chains = 4.0",
        "sampler.chains = true",
        "sampler.chains = 99999999999999999999999999999999999999999999",
        "sampler.draws = 0",
        "sampler.warmup = -1",
        "sampler.target_accept = 1",
        "sampler.target_accept = 0.0",
        "sampler.max_tree_depth = 21",
        "scoring.folds = 1",
        "scoring.criteria = [\"loo\", \"loo\"]",
        "scoring.criteria = [\"logo\"]",
        "scoring.repeats = 0",
        "data.columns = [\"a\"]\nscoring.groups = \"a\"",
        "scoring.criteria = \"loo\"",
        "data.columns = []",
        "data.columns = [\"a\", \"a\"]",
        "data.columns = [\"\"]",
        "data.columns = [\"a\"]\ndata.label = \"a\"",
        "data.scale = \"Standardize\"",
        "data.missing = 1979-05-27",
        "extra = 1",
        "[[extra]]",
    ];
    for line in lines {
        assert!(spec(&with(line)).is_err(), "{line}");
    }
}

#[test]
fn only_plain_file_names_are_names() {
    let named = |name: &str| spec(&SMALLEST.replacen("\"x\"", &format!("'{name}'"), 1));
    for name in ["a", "old-faithful", "v1.2_final", "7"] {
        assert!(named(name).is_ok(), "{name}");
    }
    for name in ["", ".", "..", "../up", "a/b", "a\\b", ".hidden", "-v", "a b", "é", "a\tb", &"a".repeat(101)]
    {
        assert!(named(name).is_err(), "{name}");
    }
}

#[test]
fn only_sensible_components_are_components() {
    let components = |value: &str| spec(&SMALLEST.replace("= 3", &format!("= {value}")));
    for (value, expected) in
        [("5", vec![5]), ("[4, 2]", vec![4, 2]), ("{ from = 2, to = 4 }", vec![2, 3, 4]), ("0x2", vec![2])]
    {
        assert_eq!(components(value).unwrap().model.components, expected);
    }
    for value in [
        "0",
        "-1",
        "[]",
        "[0]",
        "[1, 1]",
        "[1.0]",
        "\"1..3\"",
        "{}",
        "{ from = 1 }",
        "{ from = 3, to = 2 }",
        "1001",
        "{ from = 1, to = 1000000000 }",
        "{ from = 1, to = 2, by = 1 }",
    ] {
        assert!(components(value).is_err(), "{value}");
    }
}

#[test]
fn wrong_values_are_reported_all_at_once() {
    insta::assert_snapshot!(report(
        r#"name = "../up"
data = { path = "x.csv", scale = "standardise", missing = true }

[model]
components = [1, 0, 2, 2]

[sampler]
seeds = [1, 2, 1]
chains = 0
draws = "many"
target_accept = 1.5

[scoring]
criteria = ["loo", "waiic", "elpd"]
folds = 1
"#
    ));
}

#[test]
fn unknown_keys_are_reported_with_the_nearest_known() {
    insta::assert_snapshot!(report(
        r#"nmae = "x"
colour = "blue"

[data]
path = "x.csv"
colums = ["a"]

[model]
components = { from = 1, to = 3, step = 2 }
priors = {}

[model.prior]
scales = { half_caucy = 1.0 }

[sampler]
chans = 4
warm_up = 100
"#
    ));
}

#[test]
fn wrong_priors_are_reported_all_at_once() {
    insta::assert_snapshot!(report(
        r#"name = "x"
data.path = "x.csv"
model.components = { from = 2, to = 4 }

[model.prior]
weights = { dirichlet = -1 }
means = { centre = [[0, 0], [1, 1]], variance = 0.1, sd = 2.0 }
scales = { half_student_t = { nu = 3 } }
correlations = 2.0
"#
    ));
}

#[test]
fn wrong_centres_are_reported_with_their_shape() {
    let centre = |rows: &str| report(&with(&format!("model.prior.means.centre = {rows}")));
    insta::assert_snapshot!([
        centre("[[0, 0], [1, 1]]"),
        centre("[\n  [0, 0],\n  [1, 1, 1],\n  [2, 2],\n]"),
        centre("\"kmean\""),
    ]
    .join("\n\n"));
}

#[test]
fn missing_keys_are_reported_with_an_example() {
    insta::assert_snapshot!(report("[data]\nlabel = \"a\"\n"));
}

#[test]
fn an_empty_spec_is_told_what_it_needs() {
    insta::assert_snapshot!(report(""));
}

#[test]
fn syntax_errors_are_reported_where_they_are() {
    insta::assert_snapshot!(
        [
            report("name = x\ndata.path = \"x.csv\"\nmodel.components = {from = 1, to 3}\n"),
            report("name = \"x\"\nname = \"y\"\n"),
            report("[data\npath = \"x\n"),
        ]
        .join("\n\n")
    );
}

#[test]
fn colour_is_used_only_when_asked_for() {
    let problems = spec("").unwrap_err();
    assert!(!problems.render(Style::Plain).contains('\u{1b}'));
    assert!(problems.render(Style::Coloured).contains('\u{1b}'));
}

fn positive() -> impl Strategy<Value = f64> {
    (f64::MIN_POSITIVE..f64::MAX).prop_union(1e-3..1e3)
}

fn any_scale_prior() -> impl Strategy<Value = ScalePrior> {
    prop_oneof![
        positive().prop_map(|scale| ScalePrior::HalfCauchy { scale }),
        positive().prop_map(|scale| ScalePrior::HalfNormal { scale }),
        (positive(), positive()).prop_map(|(nu, scale)| ScalePrior::HalfStudentT { nu, scale }),
        positive().prop_map(|rate| ScalePrior::Exponential { rate }),
        (-1e3..1e3, positive()).prop_map(|(mu, sigma)| ScalePrior::LogNormal { mu, sigma }),
        (positive(), positive()).prop_map(|(shape, scale)| ScalePrior::InverseGamma { shape, scale }),
        (positive(), positive(), positive()).prop_map(|(shape, hyper_shape, hyper_rate)| {
            ScalePrior::Hierarchical { shape: Shape::Number(shape), hyper_shape, hyper_rate }
        }),
    ]
}

fn any_model() -> impl Strategy<Value = ModelSpec> {
    let named = prop::sample::select(vec![Centre::Kmeans, Centre::Origin, Centre::DataMean]);
    let row = prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::ZERO, 2);
    let explicit = prop::collection::vec(row, 1..4);
    let components = prop_oneof![
        (prop::collection::hash_set(1_usize..=1000, 1..6), named)
            .prop_map(|(components, centre)| (components.into_iter().collect(), centre)),
        explicit.prop_map(|centres| (vec![centres.len()], Centre::Explicit(centres))),
    ];
    let components_prior =
        prop_oneof![
            Just(ComponentsPrior::Uniform),
            positive().prop_map(ComponentsPrior::Poisson),
            (1e-9..0.999_999).prop_map(ComponentsPrior::Geometric),
            (positive(), positive(), positive())
                .prop_map(|(r, a, b)| ComponentsPrior::BetaNegativeBinomial { r, a, b }),
        ];
    let axes = prop::sample::select(vec![Axes::Given, Axes::Invariant]);
    (components, (components_prior, axes), positive(), positive(), positive(), any_scale_prior()).prop_map(
        |((components, centre), (components_prior, axes), alpha, variance, eta, scales)| ModelSpec {
            components,
            components_prior,
            axes,
            prior: PriorSpec {
                weights: WeightsPrior::Dirichlet { alpha: Concentration::Number(alpha) },
                means: MeansPrior { centre, variance },
                scales,
                correlations: CorrelationsPrior::Lkj { eta },
            },
        },
    )
}

prop_compose! {
    fn any_spec()(
        name in "[A-Za-z0-9_][A-Za-z0-9._-]{0,20}",
        path in "[^\\p{C}]{1,20}",
        names in prop::option::of(prop::collection::hash_set("[a-zé \"'\\\\]{1,8}", 1..5)),
        has_label: bool,
        scale in prop::sample::select(vec![Scale::Standardize, Scale::Range, Scale::None]),
        missing in prop::sample::select(vec![Missing::Error, Missing::Drop]),
        resolution in prop_oneof![
            Just(Resolution::Auto), Just(Resolution::None), positive().prop_map(Resolution::Same),
            prop::collection::vec(positive(), 1..4).prop_map(Resolution::Each),
        ],
        model in any_model(),
        seeds in prop::collection::hash_set(0..=i64::MAX as u64, 1..5),
        (chains, warmup, draws) in (1_usize..=1000, 0_usize..=1_000_000, 1_usize..=1_000_000),
        (target_accept, max_tree_depth) in (1e-9..0.999_999, 1_usize..=20),
        (folds, repeats, refits, fold_draws) in (2_usize..=1_000_000, 1_usize..=1000, 0_usize..=1_000_000, 1_usize..=1_000_000),
        criteria in prop::sample::subsequence(Criterion::ALL.to_vec(), 0..=Criterion::ALL.len()),
    ) -> Spec {
        Spec {
            name,
            data: DataSpec {
                path,
                columns: names.map(|names| names.into_iter().collect()),
                label: has_label.then(|| "THE LABEL".to_owned()),
                scale,
                resolution,
                missing,
            },
            model,
            sampler: SamplerSpec { sample: Sample::All, seeds: seeds.into_iter().collect(), chains, warmup, draws, target_accept, max_tree_depth },
            scoring: ScoringSpec { criteria, folds, repeats, groups: Some("THE GROUPS".to_owned()), refits, fold_draws },
        }
    }
}

proptest! {
    #[test]
    fn a_spec_written_as_toml_reads_back_as_itself(written in any_spec()) {
        let toml = written.to_toml();
        match spec(&toml) {
            Ok(read) => prop_assert_eq!(read, written),
            Err(problems) => prop_assert!(false, "{}\n{}", toml, problems),
        }
    }

    #[test]
    fn no_mutation_of_a_spec_makes_reading_or_rendering_panic(
        edits in prop::collection::vec((0..FULL.len(), 0..4_usize, "[\\PC\n\r\t\"\\[\\]{}=.,#]{0,3}"), 1..6),
    ) {
        let mut text: Vec<char> = FULL.chars().collect();
        for (place, deleted, inserted) in edits {
            let place = place.min(text.len());
            let end = (place + deleted).min(text.len());
            text.splice(place..end, inserted.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(problems) = spec(&text) {
            prop_assert!(problems.render(Style::Coloured).contains("x.toml"));
        }
    }
}
