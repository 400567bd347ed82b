//! Whole experiments: what they answer, what they leave on disk, and that they leave the same bytes every time.

use std::fs;

use crate::support::{SMALL, Workplace, small, spread_and_equal, two_clusters};

/// A small run may be found wanting by its own diagnostics (status 3): its chains are short.
const RUN: &str = "run spec.toml --no-progress";

#[test]
fn two_clusters_are_two_components_and_everything_is_on_disk() {
    let workplace = small();
    let (table, talk) = workplace.runs(RUN);
    assert!(table.contains("\nK = 2"), "{table}");
    assert!(talk.contains("report: reports/small/index.html"), "{talk}");
    let files = workplace.files("reports/small");
    for name in [
        "index.html",
        "summary.md",
        "comparison.csv",
        "scores.parquet",
        "summary.parquet",
        "spec.toml",
        "figures/criteria.svg",
        "figures/criteria.png",
        "figures/differences.svg",
        "figures/mixture-2.png",
        "figures/traces.svg",
        "draws/components=3/seed=2/draws.parquet",
        "folds/components=1/seed=1/repeat=0/fold=2/held_out.parquet",
    ] {
        assert!(files.contains_key(name), "{name} is missing among {:?}", files.keys());
    }
    let page = String::from_utf8(files["index.html"].clone()).unwrap();
    for part in ["<svg", "K = 2", "length", "Adjusted Rand index against kind: 1.00", "Glossary"] {
        assert!(page.contains(part), "the page lacks {part}");
    }
    assert!(!page.contains("http://") || page.contains("http://www.w3.org"), "the page is self-contained");
    let csv = String::from_utf8(files["comparison.csv"].clone()).unwrap();
    // A header, and three values of K for each of eight criteria.
    assert_eq!(csv.lines().count(), 1 + 3 * 8, "{csv}");
    assert!(csv.contains("\nkfold,1,2,"), "{csv}");
}

/// Old Faithful under the published model, standardised: log evidence −415.8292 (bridgesampling 1.1-2, coefficient of variation
/// .0038; tests/reference/posteriors). On the data's own scale each row loses Σ log of the standard deviations.
#[test]
fn log_evidence_is_that_of_another_program_on_the_datas_own_scale() {
    let workplace = Workplace::new();
    let data = include_str!("../experiments/data/faithful.csv");
    workplace.write("faithful.csv", data);
    workplace.write(
        "spec.toml",
        "name = \"evidence\"\ndata.path = \"faithful.csv\"\nmodel.components = 2\nscoring.criteria = [\"evidence\"]\n",
    );
    workplace.runs(&format!("{RUN} --no-report"));
    let log_sd = |column: usize| {
        let rows = data.lines().skip(1);
        let values: Vec<f64> = rows.map(|row| row.split(',').nth(column).unwrap().parse().unwrap()).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        n * 0.5 * variance.ln()
    };
    let expected = -415.829_162_05 - log_sd(0) - log_sd(1);
    let csv = fs::read_to_string(workplace.path("reports/evidence/comparison.csv")).unwrap();
    let row: Vec<&str> = csv.lines().nth(1).unwrap().split(',').collect();
    let (estimate, mcse): (f64, f64) = (row[3].parse().unwrap(), row[5].parse().unwrap());
    assert!(
        mcse < 0.02 && (estimate - expected).abs() < 4.0 * mcse.hypot(0.003_841_2),
        "{csv} for {expected}"
    );
    // Ties under a half-Cauchy prior leave the exact posterior without an evidence.
    assert_eq!(row[10], "false");
}

#[test]
fn evidence_answers_under_a_prior_that_precedes_the_data_and_no_other() {
    let workplace = small();
    let spec = |means: &str| {
        format!(
            "name = \"small\"\ndata = {{ path = \"data.csv\", columns = [\"length\", \"width\"] }}\nmodel.components = [1, 2, 3]\n\
             model.prior.means = {means}\n[sampler]\ndraws = 300\n\
             [scoring]\nfolds = 2\ncriteria = [\"kfold\", \"evidence\", \"laplace\"]\n"
        )
    };
    let run = |means: &str| -> serde_json::Value {
        workplace.write("spec.toml", &spec(means));
        let (json, _) = workplace.runs(&format!("{RUN} --no-report --format json"));
        serde_json::from_str(&json).unwrap()
    };
    let origin = run("{ centre = \"origin\", sd = 1.0 }");
    assert_eq!(
        (&origin["answer"]["components"], &origin["answer"]["criterion"]),
        (&2.into(), &"evidence".into())
    );
    let estimate = |criterion: &str, components: u64| {
        let rows = origin["comparison"].as_array().unwrap();
        let row = rows.iter().find(|row| row["criterion"] == criterion && row["components"] == components);
        row.unwrap()["estimate"].as_f64().unwrap()
    };
    // Twenty observations of the smaller cluster are few for five parameters.
    for components in [1, 2] {
        let (sampled, approximated) = (estimate("evidence", components), estimate("laplace", components));
        assert!((sampled - approximated).abs() < 0.5, "K = {components}: {sampled}, {approximated}");
    }
    let centroids = run("{ centre = \"kmeans\", variance = 0.1 }");
    assert_eq!(centroids["answer"]["criterion"], "kfold");
}

/// Under a hierarchical prior the components to spare of one normal lie on one another, where Laplace's method promises too much.
#[test]
fn importance_sampling_takes_over_where_components_coincide() {
    let workplace = Workplace::new();
    let mut data = String::from("y\n");
    for i in 0..100 {
        // Quantiles of the logistic distribution, which is nearly normal.
        let p = (f64::from(i) + 0.5) / 100.0;
        data.push_str(&format!("{:?}\n", (p / (1.0 - p)).ln()));
    }
    workplace.write("data.csv", &data);
    workplace.write(
        "spec.toml",
        "name = \"twins\"\ndata.path = \"data.csv\"\nmodel.components = [1, 2, 3]\nsampler.draws = 50\n\
         [model.prior]\nweights = { dirichlet = 1.0 }\nmeans = { centre = \"origin\", sd = 1.0 }\n\
         scales = { hierarchical = { shape = 2.0, hyper_shape = 0.2, hyper_rate = 0.4 } }\n\
         [scoring]\ncriteria = [\"bic\", \"laplace\"]\n",
    );
    let (json, _) = workplace.runs(&format!("{RUN} --no-report --format json"));
    let told: serde_json::Value = serde_json::from_str(&json).unwrap();
    let rows = told["comparison"].as_array().unwrap();
    let laplace = |row: &&serde_json::Value| row["criterion"] == "laplace";
    let best = rows.iter().filter(laplace).find(|row| row["rank"] == 1).unwrap();
    // The normal integral makes two or three components look more probable by nats, each the same as the one.
    assert!(
        best["components"] == 1 && rows.iter().filter(laplace).all(|row| row["reliable"] == true),
        "{json}"
    );
    assert_eq!((&told["answer"]["components"], &told["answer"]["criterion"]), (&1.into(), &"laplace".into()));
}

/// One component of one feature, standardised: the mean of −2 log L under prior × likelihood^(1 / ln N), by quadrature over μ and
/// log σ.
#[test]
fn wbic_is_the_mean_deviance_under_the_tempered_posterior() {
    let workplace = Workplace::new();
    let n = 60;
    // Irrational steps fill the unit interval evenly; their logarithms are skewed.
    let values: Vec<f64> =
        (1..=n).map(|i| 3.0 + 2.0 * (1.0 - (f64::from(i) * 0.618_033_988_749_894_8).fract()).ln()).collect();
    let text: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
    workplace.write("data.csv", &format!("y\n{}\n", text.join("\n")));
    workplace.write(
        "spec.toml",
        "name = \"tempered\"\ndata.path = \"data.csv\"\nmodel.components = 1\nscoring.criteria = [\"wbic\"]\n",
    );
    workplace.runs(&format!("{RUN} --no-report"));

    let count = f64::from(n);
    let mean = values.iter().sum::<f64>() / count;
    let sd = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    let (mut mass, mut sum) = (0.0, 0.0);
    for (i, j) in (-150..=150).flat_map(|i| (-150..=150).map(move |j| (i, j))) {
        let (mu, log_sigma) = (f64::from(i) * 0.02, f64::from(j) * 0.02);
        let sigma = log_sigma.exp();
        // Σ z² = N and Σ z = 0 for standardised z.
        let log_likelihood = -0.5 * count * (2.0 * std::f64::consts::PI).ln()
            - count * log_sigma
            - 0.5 * count * (1.0 + mu * mu) / (sigma * sigma);
        let log_prior = -0.5 * mu * mu / 0.1 - (1.0 + sigma * sigma).ln() + log_sigma;
        let weight = (log_prior + log_likelihood / count.ln()).exp();
        mass += weight;
        sum += weight * -2.0 * (log_likelihood - count * sd.ln());
    }
    let csv = fs::read_to_string(workplace.path("reports/tempered/comparison.csv")).unwrap();
    let row: Vec<&str> = csv.lines().nth(1).unwrap().split(',').collect();
    let (estimate, mcse): (f64, f64) = (row[3].parse().unwrap(), row[5].parse().unwrap());
    let expected = sum / mass;
    assert!(mcse < 0.2 && (estimate - expected).abs() < 4.0 * mcse, "{csv} for {expected}");
}

#[test]
fn other_rows_of_the_same_file_are_other_data() {
    let workplace = small();
    // The second label column lacks its last three classes; rows without a class are dropped.
    let mut data: Vec<String> = two_clusters().lines().map(|line| format!("{line},x")).collect();
    data[0] = data[0].replace(",x", ",part");
    for line in data.iter_mut().rev().take(3) {
        *line = line.replace(",x", ",");
    }
    workplace.write("data.csv", &data.join("\n"));
    let spec = SMALL.replace(
        "label = \"kind\"",
        "label = \"kind\"\ncolumns = [\"length\", \"width\"]\nmissing = \"drop\"",
    );
    workplace.write("spec.toml", &spec);
    workplace.runs(RUN);
    workplace.write("spec.toml", &spec.replace("\"kind\"", "\"part\""));
    assert!(workplace.runs(RUN).1.contains("(24 to run)"));
}

#[test]
fn a_report_is_drawn_again_without_sampling() {
    let workplace = small();
    workplace.runs(RUN);
    let before = workplace.files("reports/small");
    fs::remove_dir_all(workplace.path("reports/small/figures")).unwrap();
    fs::remove_file(workplace.path("reports/small/index.html")).unwrap();
    workplace.runs("report reports/small");
    assert!(workplace.files("reports/small") == before);
}

#[test]
fn a_run_without_a_report_leaves_all_else_and_the_report_drawn_later_is_the_same() {
    let workplace = small();
    workplace.runs(RUN);
    let whole = workplace.files("reports/small");
    let (table, talk) = workplace.runs(&format!("{RUN} --no-report --out bare"));
    assert!(table.contains("\nK = 2"), "{table}");
    assert!(talk.contains("results: bare; `gmm report` draws the report"), "{talk}");
    let is_drawn = |name: &String| name == "index.html" || name.starts_with("figures/");
    let mut all_else = whole.clone();
    all_else.retain(|name, _| !is_drawn(name));
    assert!(workplace.files("bare") == all_else, "{:?}", workplace.files("bare").keys());
    workplace.runs("report bare");
    assert!(workplace.files("bare") == whole);
}

#[test]
fn a_run_without_a_report_removes_the_one_that_its_results_may_contradict() {
    let workplace = small();
    workplace.runs(RUN);
    workplace.write("spec.toml", &SMALL.replace("[1, 2, 3]", "[1, 2]"));
    workplace.runs(&format!("{RUN} --no-report"));
    assert!(!workplace.path("reports/small/index.html").exists());
    assert!(!workplace.path("reports/small/figures").exists());
    // Nothing is left to be sampled: this draws.
    let (_, talk) = workplace.runs(RUN);
    assert!(talk.contains("(0 to run)"), "{talk}");
    let files = workplace.files("reports/small");
    assert!(files.contains_key("figures/mixture-2.svg") && !files.contains_key("figures/mixture-3.svg"));
}

#[test]
fn a_report_of_changed_data_is_refused() {
    let workplace = small();
    workplace.runs(RUN);
    workplace.write("data.csv", &two_clusters().replacen("-", "-1", 1));
    let (_, error) = workplace.expect(1, "report reports/small");
    assert!(error.contains("has changed since it was fitted"), "{error}");
}

#[test]
fn without_criteria_draws_are_kept_and_nothing_is_scored() {
    let workplace = small();
    workplace.write("spec.toml", &SMALL.replace("folds = 3", "criteria = []"));
    let (table, _) = workplace.runs(RUN);
    assert!(table.starts_with("K "), "{table}");
    let files = workplace.files("reports/small");
    assert!(files.contains_key("draws/components=2/seed=1/draws.parquet"));
    assert!(!files.keys().any(|name| name.starts_with("folds")));
}

#[test]
fn repeats_and_groups_are_scored_and_resumed() {
    let workplace = small();
    let scoring = "criteria = [\"kfold\", \"logo\"]\nfolds = 3\nrepeats = 2\ngroups = \"kind\"";
    workplace.write("spec.toml", &SMALL.replace("folds = 3", scoring).replace("[1, 2, 3]", "[1, 2]"));
    let (table, talk) = workplace.runs(RUN);
    assert!(table.contains("2 × 3-fold") && table.contains("Group-out"), "{table}");
    // Two K and two seeds: on all rows, on twice three folds, on two groups.
    assert!(talk.contains("36 fits (36 to run)"), "{talk}");
    let whole = workplace.files("reports/small");
    for name in ["folds/components=2/seed=1/repeat=1/fold=2", "groups/components=1/seed=2/group=1"] {
        let name = format!("{name}/held_out.parquet");
        assert!(whole.contains_key(&name), "{name}");
        fs::remove_file(workplace.path(&format!("reports/small/{name}"))).unwrap();
    }
    let page = String::from_utf8(whole["index.html"].clone()).unwrap();
    assert!(page.contains("Mean of 2 partitions, whose estimates have a standard deviation of"));
    let summary = String::from_utf8(whole["summary.md"].clone()).unwrap();
    assert!(summary.contains("K-fold, K = 2, seed 1: Mean of 2 partitions"), "{summary}");
    assert!(workplace.runs(RUN).1.contains("(2 to run)"));
    assert!(workplace.files("reports/small") == whole);
    // The partition that was there stays, and one more is added.
    workplace.write(
        "spec.toml",
        &fs::read_to_string(workplace.path("spec.toml")).unwrap().replace("repeats = 2", "repeats = 3"),
    );
    assert!(workplace.runs(RUN).1.contains("48 fits (12 to run)"));
}

/// Two clusters and an observation far from both, which no reweighting can leave out.
fn with_an_outlier() -> Workplace {
    let workplace = small();
    workplace.write("data.csv", &(two_clusters() + "30.0,-9.0,large\n"));
    let scoring = "criteria = [\"loo\"]\nrefits = 4";
    workplace.write("spec.toml", &SMALL.replace("folds = 3", scoring).replace("[1, 2, 3]", "[1, 2]"));
    workplace
}

#[test]
fn observations_that_reweighting_cannot_leave_out_are_left_out_by_fits() {
    let workplace = with_an_outlier();
    let (_, talk) = workplace.runs(RUN);
    assert!(talk.contains("fits without single observations"), "{talk}");
    let whole = workplace.files("reports/small");
    let refit = "refits/components=1/seed=1/observation=60/held_out.parquet";
    assert!(whole.contains_key(refit), "{:?}", whole.keys());
    assert!(whole.contains_key("loo.parquet"));
    let page = String::from_utf8(whole["index.html"].clone()).unwrap();
    assert!(page.contains("refitted (one fit each). This changed the estimate by"));

    let summary = String::from_utf8(whole["summary.md"].clone()).unwrap();
    assert!(
        summary.contains("observations refitted, because reweighting fails: 1 at K = 1 (seed 1)"),
        "{summary}"
    );

    // Resumed is uninterrupted, and no number of threads matters.
    fs::remove_file(workplace.path(&format!("reports/small/{refit}"))).unwrap();
    assert!(workplace.runs(RUN).1.contains("(0 to run)"));
    assert!(workplace.files("reports/small") == whole);
    for jobs in [1, 3] {
        workplace.runs(&format!("{RUN} --jobs {jobs} --out jobs{jobs}"));
        let files = workplace.files(&format!("jobs{jobs}"));
        for (name, bytes) in &whole {
            assert!(*bytes == files[name], "{name} differs on {jobs} threads");
        }
    }
    // A report samples nothing, and misses what is not there.
    fs::remove_file(workplace.path(&format!("reports/small/{refit}"))).unwrap();
    let (_, talk) = workplace.expect(3, "report reports/small");
    assert!(talk.contains("K = 1, seed 1, without observation 60: there is no stored result"), "{talk}");
    let page = fs::read_to_string(workplace.path("reports/small/index.html")).unwrap();
    assert!(
        page.contains("1 of 61 observations have a Pareto k that exceeds")
            && page.contains("refit failed or are"),
        "{page}"
    );
}

#[test]
fn more_observations_than_may_be_refitted_share_fits_and_none_are_refitted_if_none_may_be() {
    let workplace = with_an_outlier();
    // Under a narrow prior that is centred far away every observation moves the posterior.
    let spec = fs::read_to_string(workplace.path("spec.toml")).unwrap().replace("draws = 150", "draws = 40");
    workplace.write("spec.toml", &spec.replace("refits = 4", "refits = 1"));
    workplace.runs(RUN);
    let files = workplace.files("reports/small");
    assert!(
        files.keys().any(|name| name.starts_with("refits/") && name.contains("/fold=0/")),
        "{:?}",
        files.keys()
    );
    let page = String::from_utf8(files["index.html"].clone()).unwrap();
    assert!(page.contains("refitted (1 fit, each without up to"), "{page}");
    workplace.write("spec.toml", &spec.replace("refits = 4", "refits = 0"));
    assert!(!workplace.runs(&format!("{RUN} --out none")).1.contains("fits without"));
    assert!(!workplace.files("none").keys().any(|name| name.starts_with("refits")));
}

#[test]
fn json_is_json_and_nothing_else_is_on_standard_output() {
    let workplace = small();
    let (stdout, _) = workplace.runs(&format!("{RUN} --format json"));
    let value: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(value["answer"]["components"], 2);
    assert_eq!(value["comparison"].as_array().unwrap().len(), 24);
    // What is undefined is null.
    assert!(value["comparison"][0]["difference_se"].is_null());
}

#[test]
fn choose_needs_no_spec_and_writes_the_one_it_ran() {
    let workplace = small();
    let choose = "choose data.csv -k 2..3 --columns length --save chosen.toml --no-progress -q";
    let (table, _) = workplace.runs(choose);
    let (above, of_k) = table.split_once("\nK ").unwrap();
    assert!(of_k.contains("\n2 ") && !of_k.contains("\n1 "), "{table}");
    assert!(above.contains("\nEach component: weight (90 % interval)"), "{table}");
    let components = fs::read_to_string(workplace.path("reports/data/components.csv")).unwrap();
    // Weight, mean and standard deviation of each of two.
    assert_eq!(components.lines().count(), 1 + 2 * 3, "{components}");
    let (plan, _) = workplace.expect(0, "check chosen.toml");
    assert!(plan.contains("components  2, 3") && plan.contains("only modes are looked for"), "{plan}");
    assert!(workplace.path("reports/data/index.html").exists());
    workplace.runs(&format!("{choose} --no-report"));
    assert!(!workplace.path("reports/data/index.html").exists());
}

#[test]
fn a_results_directory_that_cannot_be_written_is_named_before_anything_runs() {
    let workplace = small();
    workplace.write("reports", "a file where the directory should be");
    let (_, error) = workplace.expect(1, RUN);
    assert!(error.contains("reports/small cannot be made: Not a directory"), "{error}");
    let (_, error) = workplace.expect(1, "choose data.csv");
    assert!(error.contains("reports/data cannot be made: Not a directory"), "{error}");
    assert!(!error.contains("observations"), "{error}");
}

#[test]
fn names_from_strangers_cannot_script_the_page() {
    let workplace = small();
    let names = [
        "<script>alert(1)</script>",
        "\"onload=\"alert(1)",
        "it's & <b>bold</b> -->",
        "שלום \u{202e}gnp.exe",
        "😀 {{ name }} ${x}",
        "]]></style><img src=x onerror=alert(1)>",
    ];
    for pair in names.chunks(2) {
        let [one, other] = [0, 1].map(|i| format!("\"{}\"", pair[i].replace('"', "\"\"")));
        let data = two_clusters().replacen("length", &one, 1).replacen("width", &other, 1);
        workplace.write("data.csv", &data.replace("small", "\"<i>small</i>\""));
        workplace.runs(&format!("{RUN} --fresh"));
        let files = workplace.files("reports/small");
        for (name, bytes) in
            files.iter().filter(|(name, _)| name.ends_with(".html") || name.ends_with(".svg"))
        {
            let text = std::str::from_utf8(bytes).unwrap();
            for markup in ["<script>", "<b>", "<img", "<i>", "]]></style>"] {
                assert!(!text.contains(markup), "{name} holds {markup} of {pair:?}");
            }
            let mut tags = text.split('<').filter_map(|rest| rest.split('>').next());
            assert!(!tags.any(|tag| tag.contains("onload=")), "{name} has an attribute of {pair:?}");
        }
        let page = std::str::from_utf8(&files["index.html"]).unwrap();
        // Of every name what needs no escape is there.
        let plain = |name: &str| {
            name.split(['<', '>', '"', '\'', '&']).max_by_key(|part| part.len()).unwrap().to_owned()
        };
        for name in pair {
            assert!(page.contains(plain(name).trim()), "the page lacks {name}");
        }
    }
}

#[test]
fn chains_that_fall_into_the_spike_of_ties_are_named_and_left_out() {
    let workplace = small();
    // A second component cannot resist.
    workplace.write("data.csv", &spread_and_equal(30));
    let spec = SMALL
        .replace("label = \"kind\"", "")
        .replace("[1, 2, 3]", "[2]")
        .replace("folds = 3", "criteria = [\"loo\"]");
    workplace.write("spec.toml", &spec);
    let (_, talk) = workplace.expect(3, RUN);
    assert!(talk.contains("warning: equal values in x (30 times 4.1)"), "{talk}");
    assert!(talk.contains("spike of tied observations") && talk.contains("log_normal"), "{talk}");
    workplace.write(
        "spec.toml",
        &format!("{spec}\n[model.prior]\nscales = {{ log_normal = {{ mu = -1.0, sigma = 0.3 }} }}\n"),
    );
    let (_, talk) = workplace.runs(RUN);
    assert!(!talk.contains("spike"), "{talk}");
}

#[test]
#[ignore = "minutes: make test-slow"]
fn the_accuracy_suite_passes_and_leaves_the_same_bytes_on_any_number_of_threads() {
    let workplace = Workplace::new();
    let (table, talk) = workplace.expect(0, "accuracy --quick --jobs 2");
    assert!(table.contains("checks pass.") && !table.contains("FAIL"), "{table}");
    assert!(talk.contains("report: reports/accuracy/index.html"), "{talk}");
    let files = workplace.files("reports/accuracy");
    for name in [
        "index.html",
        "accuracy.csv",
        "accuracy.parquet",
        "z_scores.parquet",
        "ranks.parquet",
        "figures/p-values.svg",
        "figures/z-scores-posteriors.png",
        "figures/calibration-k-1-d-1-half-cauchy.svg",
    ] {
        assert!(files.contains_key(name), "{name} is missing");
    }
    let (again, _) = workplace.expect(0, "accuracy --quick --jobs 1 --out again");
    assert_eq!(table, again);
    assert!(workplace.files("again") == files, "files differ");
}

#[test]
#[ignore = "half a minute: make test-slow"]
fn measurements_are_printed_and_left_as_tables_figure_and_page() {
    let workplace = Workplace::new();
    let output = workplace.gmm("bench --quick -q");
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    // Noise of the machine can change the exponents, and so the status, but not whether there are results.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{stdout}\n{stderr}");
    assert!(stderr.is_empty(), "{stderr}");
    for heading in ["Kernel: ", "Chain: ", "EM: ", "Fits: ", "Growth: ", "exponents of growth are"] {
        assert!(stdout.contains(heading), "{heading} is missing: {stdout}");
    }
    let files = workplace.files("reports/bench");
    assert_eq!(String::from_utf8_lossy(&files["tables.txt"]), stdout);
    for name in ["index.html", "bench.parquet", "growth.parquet", "figures/growth.svg", "figures/growth.png"]
    {
        assert!(files.contains_key(name), "{name} is missing");
    }
    let machine = fs::read(workplace.path("reports/bench/provenance.json")).unwrap();
    let machine: serde_json::Value = serde_json::from_slice(&machine).unwrap();
    assert!(machine["multiply_adds_per_second"].as_f64().unwrap() > 1e6);
}
