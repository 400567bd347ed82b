//! Simulated data and suites: what they leave, and that they leave the same bytes however they are run.

use std::fs;
use std::process::Stdio;

use crate::reliability::{assert_same, signal, wait_until};
use crate::support::Workplace;

/// A suite that takes a few seconds.
const SUITE: &str = r#"
name = "tiny"
[suite]
sets = 4
n_observations = 80
n_features = [1, 2]
components = [1, 2]
overlap = 0.001
least_weight = 0.3
fresh = 500
[suite.contrast]
means = { centre = "data-mean", variance = 4.0 }
[model]
components = [1, 2, 3]
[sampler]
chains = 2
warmup = 100
draws = 100
[scoring]
criteria = ["bic", "loo"]
"#;

const RUN: &str = "run suite.toml --no-progress";

fn suite() -> Workplace {
    let workplace = Workplace::new();
    workplace.write("suite.toml", SUITE);
    workplace
}

#[test]
fn simulated_data_are_a_function_of_the_seed_and_their_labels_are_words() {
    let workplace = Workplace::new();
    let (first, _) = workplace.expect(0, "simulate -k 3 -d 2 -n 50 --overlap 0.01 --seed 7");
    let (again, _) =
        workplace.expect(0, "simulate -k 3 -d 2 -n 50 --overlap 0.01 --seed 7 --truth truth.json");
    assert_eq!(first, again);
    let (other, _) = workplace.expect(0, "simulate -k 3 -d 2 -n 50 --overlap 0.01 --seed 8");
    assert_ne!(first, other);
    let mut lines = first.lines();
    assert_eq!(lines.next(), Some("y1,y2,component"));
    assert_eq!(lines.clone().count(), 50);
    assert!(lines.all(|line| ["c1", "c2", "c3"].contains(&line.rsplit(',').next().unwrap())), "{first}");
    let truth: serde_json::Value =
        serde_json::from_slice(&fs::read(workplace.path("truth.json")).unwrap()).unwrap();
    assert!((truth["overlap"]["average"].as_f64().unwrap() - 0.01).abs() < 1e-6, "{truth}");
    let weights: f64 =
        truth["weights"].as_array().unwrap().iter().map(|weight| weight.as_f64().unwrap()).sum();
    assert!((weights - 1.0).abs() < 1e-12);
    assert_eq!(truth["covariances"][2].as_array().unwrap().len(), 2);
}

#[test]
fn simulated_parquet_and_csv_are_the_same_data() {
    let workplace = Workplace::new();
    workplace.expect(0, "simulate -k 2 -d 2 -n 60 --out data.csv");
    workplace.expect(0, "simulate -k 2 -d 2 -n 60 --out data.parquet");
    let spec = |data: &str| {
        format!(
            "name = \"same\"\n[data]\npath = \"{data}\"\nlabel = \"component\"\n[model]\ncomponents = [1, 2]\n[sampler]\nchains = 2\n\
             warmup = 50\ndraws = 50\n[scoring]\ncriteria = [\"bic\"]\n"
        )
    };
    let mut draws = Vec::new();
    for ending in ["csv", "parquet"] {
        workplace.write("spec.toml", &spec(&format!("data.{ending}")));
        let output = workplace.gmm(&format!("run spec.toml --no-progress --no-report --out {ending}"));
        assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
        draws.push(workplace.files(&format!("{ending}/draws")));
    }
    assert_eq!(draws[0], draws[1]);
}

#[test]
fn mixtures_that_cannot_be_are_refused() {
    let workplace = Workplace::new();
    let (_, error) = workplace.expect(1, "simulate -k 4 --least-weight 0.3");
    assert_eq!(error, "error: weights of at least 0.3 for 4 components: at most 0.25 is possible\n");
    let (_, error) = workplace.expect(1, "simulate --overlap 0");
    assert_eq!(error, "error: an overlap of 0: it must lie between 0 and 1, both excluded\n");
    workplace.expect(2, "simulate -k 0");
    workplace.expect(1, "simulate --out same.csv --truth same.csv");
    assert!(!workplace.path("same.csv").exists());
}

#[test]
fn a_design_of_more_data_sets_than_can_be_run_is_refused() {
    let workplace = suite();
    workplace.write("suite.toml", &SUITE.replace("sets = 4", "replicates = 100000"));
    let (_, error) = workplace.expect(1, "check suite.toml");
    assert!(error.contains("`suite` asks for 400000 data sets; the limit is 100000"), "{error}");
}

#[test]
fn a_suites_plan_is_printed_and_nothing_is_written() {
    let workplace = suite();
    let (plan, _) = workplace.expect(0, "check suite.toml");
    insta::assert_snapshot!(plan);
    assert!(!workplace.path("reports").exists());
}

#[test]
fn a_suite_leaves_the_same_bytes_on_any_number_of_threads_interrupted_or_not() {
    let workplace = suite();
    let (table, talk) = workplace.expect(0, &format!("{RUN} --jobs 1 --out one"));
    assert!(
        table.contains("\nanswer ") && table.contains("\nBIC ") && table.contains("(contrast)"),
        "{table}"
    );
    // BIC's weights are held against the truth; none of the others states a probability.
    assert!(table.contains("mean stated") && table.contains("\nBIC weights"), "{table}");
    assert!(workplace.path("one/figures/reliability.svg").exists());
    assert!(talk.contains("report: one/index.html"), "{talk}");
    let one = workplace.files("one");
    for name in [
        "index.html",
        "summary.md",
        "table.csv",
        "picks.parquet",
        "bias.parquet",
        "figures/recovery.png",
        "figures/bias.svg",
    ] {
        assert!(one.contains_key(name), "{name} is missing among {:?}", one.keys());
    }
    assert_eq!(one.keys().filter(|name| name.starts_with("sets/")).count(), 4);
    assert!(!one.keys().any(|name| name.contains("scratch")), "{:?}", one.keys());

    workplace.expect(0, &format!("{RUN} --jobs 3 --out three"));
    assert_eq!(workplace.files("three"), one);

    // As if the run had been stopped: two sets are missing, the third is cut short.
    fs::remove_dir_all(workplace.path("three/sets/set=00001")).unwrap();
    let cut = workplace.path("three/sets/set=00003/outcome.parquet");
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let (_, talk) = workplace.expect(0, &format!("{RUN} --out three"));
    assert!(talk.contains("4 data sets (2 to run)"), "{talk}");
    assert_eq!(workplace.files("three"), one);

    let (again, _) = workplace.expect(0, "report three");
    assert_eq!(again, table);
    assert_eq!(workplace.files("three"), one);

    // Another seed of the design is another set of data.
    workplace.write("suite.toml", &SUITE.replace("sets = 4", "sets = 4\nseed = 2"));
    let (_, talk) = workplace.expect(0, &format!("{RUN} --no-report --out three"));
    assert!(talk.contains("4 data sets (4 to run)"), "{talk}");
    assert!(!workplace.path("three/index.html").exists(), "an old page would contradict the new tables");
}

#[test]
fn a_suite_is_stopped_told_of_completed_and_verified() {
    let workplace = suite();
    workplace.expect(0, &format!("{RUN} --out whole"));
    let whole = workplace.files("whole");
    let (text, _) = workplace.expect(0, "verify whole --sample 1 --quiet");
    assert!(text.starts_with("1 of 4 stored results run again: 1 have the same bytes\n"), "{text}");
    assert!(!text.contains("differs") && !text.contains(" 0 have the same bytes"), "{text}");

    let mut command = workplace.command(&format!("{RUN} --jobs 1 --out stopped"));
    let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let sets = workplace.path("stopped/sets");
    wait_until("a data set is done", || sets.exists());
    let (_, refused) = workplace.expect(1, &format!("{RUN} --out stopped"));
    assert!(refused.contains("stopped is in use by process"), "{refused}");
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(130) && talk.contains("of 4 are stored in stopped"), "{talk}");
    let (status, _) = workplace.expect(0, "status stopped");
    assert!(status.starts_with("tiny in stopped\n") && status.contains("missing"), "{status}");
    let (_, talk) = workplace.expect(3, "report stopped");
    assert!(talk.contains(" of 4 data sets are done, and the report covers these"), "{talk}");
    workplace.expect(0, &format!("{RUN} --out stopped"));
    assert_same(&workplace.files("stopped"), &whole, "a suite completed");
    let (status, _) = workplace.expect(0, "status stopped");
    assert!(status.ends_with("data sets      4      4\n"), "{status}");
}

#[test]
fn data_sets_that_fail_are_rows_of_the_report() {
    let workplace = Workplace::new();
    // Five rows span four of six dimensions: no covariance of them is regular.
    let text = SUITE
        .replace("n_observations = 80", "n_observations = 5")
        .replace("n_features = [1, 2]", "n_features = 6")
        .replace("fresh = 500", "fresh = 0")
        .replace(r#"criteria = ["bic", "loo"]"#, r#"criteria = ["bic"]"#);
    workplace.write("suite.toml", &text);
    let (table, talk) = workplace.expect(3, RUN);
    assert_eq!(talk.matches("failed: set ").count(), 4, "{talk}");
    assert!(table.contains("of 4 data sets"), "{table}");
    let csv = fs::read_to_string(workplace.path("reports/tiny/table.csv")).unwrap();
    assert!(csv.lines().nth(1).unwrap().starts_with("all,,answer,4,0,0,0,4,"), "{csv}");
}

/// K from its prior, mixtures from theirs: then the probabilities of K are right, for each K and in all.
const FROM_PRIOR: &str = r#"
name = "posterior"
[suite]
truth = "prior"
sets = 60
seed = 3
scale = "none"
n_observations = [15, 40]
n_features = [1, 2]
[model]
components = [1, 2, 3]
components_prior = { poisson = 2.0 }
axes = "given"
[model.prior]
weights = { dirichlet = 4.0 }
means = { centre = "origin", variance = 4.0 }
scales = { hierarchical = { shape = 4.0, hyper_shape = 4.0, hyper_rate = 10.0 } }
[sampler]
sample = "none"
[scoring]
criteria = ["laplace"]
"#;

#[test]
fn probabilities_of_k_are_those_of_a_posterior() {
    let workplace = Workplace::new();
    workplace.write("suite.toml", FROM_PRIOR);
    let (plan, _) = workplace.expect(0, "check suite.toml");
    assert!(plan.contains("60, simulated; N 15 to 40, D 1, 2, K 1, 2, 3, from the prior"), "{plan}");
    let (json, _) = workplace.expect(0, &format!("{RUN} --no-report --format json -q"));
    let results: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(results["missed_modes"], 0, "{json}");
    let answer = &results["probabilities"][0];
    assert_eq!((&answer["rule"], &answer["n"]), (&"answer".into(), &60.into()), "{json}");
    assert!(answer["brier_z"].as_f64().unwrap().abs() < 4.0, "{json}");
    let of_each = answer["by_components"].as_array().unwrap();
    assert_eq!(of_each.len(), 3);
    assert!(of_each.iter().all(|one| one["z"].as_f64().unwrap().abs() < 4.0), "{json}");
    let summary = fs::read_to_string(workplace.path("reports/posterior/summary.md")).unwrap();
    assert!(summary.contains("Brier score: z = "), "{summary}");
}
