//! Models fitted elsewhere: their scores and diagnostics against the programs whose papers they are from, and what is refused.

use std::fs;

use polars::prelude::{Column, DataFrame, NamedFrom, ParquetWriter, Series};
use serde_json::Value;

use crate::support::Workplace;

/// Two programs in double precision, relative.
const ROUNDING: f64 = 1e-8;

fn reference(name: &str) -> Value {
    let path = format!("{}/../../tests/reference/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).expect("tests/reference is part of the repository"))
        .unwrap()
}

fn write(workplace: &Workplace, name: &str, columns: Vec<Column>) {
    let mut frame = DataFrame::new_infer_height(columns).unwrap();
    ParquetWriter::new(fs::File::create(workplace.path(name)).unwrap()).finish(&mut frame).unwrap();
}

fn column<T, P>(name: &str, values: T) -> Column
where
    Series: NamedFrom<T, P>,
    P: ?Sized,
{
    Series::new(name.into(), values).into()
}

/// `chain` and `draw` of chains of one length.
fn counters(n_chains: usize, n_draws: usize) -> Vec<Column> {
    let chain: Vec<i64> = (0..n_chains * n_draws).map(|s| (s / n_draws) as i64 + 1).collect();
    let draw: Vec<i64> = (0..n_chains * n_draws).map(|s| (s % n_draws) as i64).collect();
    vec![column("chain", chain), column("draw", draw)]
}

fn size(fixture: &Value, key: &str) -> usize {
    fixture[key].as_u64().unwrap() as usize
}

/// The log-likelihoods of a fixture, a column an observation.
fn log_likelihoods(name: &str, fixture: &Value) -> Vec<Vec<f64>> {
    let path = format!("{}/../../tests/reference/scores/{name}.f64", env!("CARGO_MANIFEST_DIR"));
    let bytes = fs::read(path).expect("tests/reference is part of the repository");
    let values: Vec<f64> = bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
    values.chunks_exact(size(fixture, "chains") * size(fixture, "draws")).map(<[f64]>::to_vec).collect()
}

/// Writes a fixture as another program would.
fn write_fixture(workplace: &Workplace, name: &str, fixture: &Value) {
    let mut columns = counters(size(fixture, "chains"), size(fixture, "draws"));
    for (i, values) in log_likelihoods(name, fixture).into_iter().enumerate() {
        columns.push(column(&format!("y{}", i + 1), values));
    }
    write(workplace, &format!("{name}.parquet"), columns);
}

/// Runs `gmm`, which may find the draws wanting, and reads its JSON.
#[track_caller]
fn json(workplace: &Workplace, arguments: &str) -> Value {
    let output = workplace.gmm(&format!("{arguments} --format json"));
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Numbers, those that are not JSON's as `null`, against numbers of R.
#[track_caller]
fn agree(what: &str, ours: &Value, theirs: &Value) {
    match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len(), "{what}");
            ours.iter().zip(theirs).for_each(|(a, b)| agree(what, a, b));
        }
        _ => match (ours.as_f64(), theirs.as_f64()) {
            (Some(a), Some(b)) => {
                assert!((a - b).abs() <= ROUNDING * b.abs().max(1e-3), "{what}: {a} for {b}");
            }
            (a, b) => assert_eq!(a, b, "{what}: {ours} for {theirs}"),
        },
    }
}

#[test]
fn scores_of_stored_log_likelihoods_are_those_of_loo() {
    let workplace = Workplace::new();
    let reference = reference("scores.json");
    for (name, fixture) in reference["fixtures"].as_object().unwrap() {
        write_fixture(&workplace, name, fixture);
        let model = &json(&workplace, &format!("score --log-likelihood {name}.parquet"))["models"][0];
        assert_eq!(model["name"], name.as_str());
        let (loo, waic) = (&model["loo"], &model["waic"]);
        if fixture.get("waic").is_none() {
            // One draw calls the third observation impossible: `loo` refuses such a matrix.
            assert!(loo["elpd"].is_null() && loo["pointwise"][2].is_null() && loo["pareto_k"][2].is_null());
            assert!(waic["pointwise"][2].is_null() && !waic["pointwise"][1].is_null());
            assert_eq!(loo["bad"], serde_json::json!(["y3"]));
            continue;
        }
        let theirs = &fixture["loo_relative_eff"];
        agree(name, &loo["elpd"], &theirs["estimates"]["elpd_loo"][0]);
        agree(name, &loo["se"], &theirs["estimates"]["elpd_loo"][1]);
        agree(name, &loo["p"], &theirs["estimates"]["p_loo"][0]);
        agree(name, &loo["pointwise"], &theirs["pointwise"]["elpd_loo"]);
        agree(name, &loo["pareto_k"], &theirs["pareto_k"]);
        agree(name, &loo["n_eff"], &theirs["n_eff"]);
        let theirs = &fixture["waic"];
        agree(name, &waic["elpd"], &theirs["estimates"]["elpd_waic"][0]);
        agree(name, &waic["se"], &theirs["estimates"]["elpd_waic"][1]);
        agree(name, &waic["p"], &theirs["estimates"]["p_waic"][0]);
        agree(name, &waic["pointwise"], &theirs["pointwise"]["elpd_waic"]);
    }
}

/// A workplace with the three models of Old Faithful.
fn three_models() -> Workplace {
    let workplace = Workplace::new();
    let reference = reference("scores.json");
    for k in 1..=3 {
        let name = format!("faithful_k{k}_800x91");
        write_fixture(&workplace, &name, &reference["fixtures"][&name]);
        fs::rename(workplace.path(&format!("{name}.parquet")), workplace.path(&format!("k{k}.parquet")))
            .unwrap();
    }
    workplace
}

#[test]
fn several_models_are_compared_and_the_doubtful_one_earns_status_three() {
    let workplace = three_models();
    let (table, talk) = workplace.expect(3, "score --log-likelihood k1.parquet k2.parquet k3.parquet");
    insta::assert_snapshot!(format!("{table}---\n{talk}"));
    let (_, talk) = workplace.expect(0, "score -q --log-likelihood k1.parquet k2.parquet");
    assert!(talk.is_empty(), "{talk}");
}

#[test]
fn comparisons_are_paired_and_weights_sum_to_one() {
    let workplace = three_models();
    let scores = json(&workplace, "score --log-likelihood k1.parquet k2.parquet k3.parquet");
    let rows = scores["comparison"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["k2", "k3", "k1"]);
    let pointwise = |model: usize| {
        let terms = scores["models"][model]["loo"]["pointwise"].as_array().unwrap();
        terms.iter().map(|term| term.as_f64().unwrap()).collect::<Vec<f64>>()
    };
    let differences: Vec<f64> = pointwise(0).iter().zip(pointwise(1)).map(|(a, b)| a - b).collect();
    let (n, sum) = (differences.len() as f64, differences.iter().sum::<f64>());
    let variance = differences.iter().map(|d| (d - sum / n).powi(2)).sum::<f64>() / (n - 1.0);
    agree("elpd_diff", &rows[2]["elpd_diff"], &sum.into());
    agree("se_diff", &rows[2]["se_diff"], &(n * variance).sqrt().into());
    for weight in ["stacking", "pseudo_bma", "pseudo_bma_plus"] {
        let total: f64 = rows.iter().map(|row| row[weight].as_f64().unwrap()).sum();
        assert!((total - 1.0).abs() < 1e-12, "{weight}");
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let workplace = three_models();
    let arguments = "--log-likelihood k1.parquet k3.parquet --format json";
    let one = workplace.gmm(&format!("score {arguments} --jobs 1")).stdout;
    assert!(one == workplace.gmm(&format!("score {arguments} --jobs 3")).stdout);
}

#[test]
fn files_that_share_a_name_are_told_apart() {
    let workplace = three_models();
    workplace.write("other/k1.parquet", "");
    fs::copy(workplace.path("k1.parquet"), workplace.path("other/k1.parquet")).unwrap();
    let scores = json(&workplace, "score --log-likelihood k1.parquet other/k1.parquet");
    assert_eq!((&scores["models"][0]["name"], &scores["models"][1]["name"]), (&"k1".into(), &"k1-2".into()));
    // Identical models share.
    for row in scores["comparison"].as_array().unwrap() {
        for (quantity, expected) in [("elpd_diff", 0.0), ("stacking", 0.5), ("pseudo_bma", 0.5)] {
            assert!((row[quantity].as_f64().unwrap() - expected).abs() < 1e-6, "{quantity}: {row}");
        }
    }
}

#[test]
fn diagnostics_of_stored_draws_are_those_of_posterior() {
    let workplace = Workplace::new();
    for fixture in reference("diagnostics.json")["fixtures"].as_array().unwrap() {
        let name = fixture["name"].as_str().unwrap();
        let chains = fixture["x"].as_array().unwrap();
        let number = |value: &Value| match value.as_str() {
            Some("inf") => f64::INFINITY,
            _ => value.as_f64().unwrap_or(f64::NAN),
        };
        let draws: Vec<f64> = chains.iter().flat_map(|chain| chain.as_array().unwrap()).map(number).collect();
        let mut columns = counters(chains.len(), draws.len() / chains.len());
        columns.push(column("x", draws));
        write(&workplace, "draws.parquet", columns);
        let described = json(&workplace, "diagnose draws.parquet");
        let (ours, theirs) = (&described["variables"][0], &fixture["posterior"]);
        assert_eq!(ours["name"], "x");
        for quantity in ["rhat", "ess_bulk", "ess_tail", "mcse_mean"] {
            agree(&format!("{name} {quantity}"), &ours[quantity], &theirs[quantity]);
        }
    }
}

/// Evenly spread numbers that look drawn.
fn noise(index: usize, n: usize) -> Vec<f64> {
    (0..n).map(|s| ((s + 1) as f64 * (0.618_033_988_749_894_8 + 0.01 * index as f64)).fract()).collect()
}

#[test]
fn draws_of_every_type_are_described_and_statistics_of_the_sampler_are_not() {
    let workplace = Workplace::new();
    let n = 4 * 250;
    let mut columns = counters(4, 250);
    columns.push(column("lp", noise(1, n)));
    columns.push(column("step_size", vec![0.5; n]));
    columns.push(column("diverging", vec![false; n]));
    columns.push(column("stepsize__", vec![0.5; n]));
    columns.push(column("single", noise(2, n).iter().map(|x| *x as f32).collect::<Vec<f32>>()));
    columns.push(column("count", noise(3, n).iter().map(|x| (7.0 * x) as i32).collect::<Vec<i32>>()));
    columns.push(column("flag", noise(4, n).iter().map(|x| *x > 0.3).collect::<Vec<bool>>()));
    columns.push(column("fixed", vec![1_u32; n]));
    columns.push(column("tiny", noise(2, n).iter().map(|x| 1e-9 * x).collect::<Vec<f64>>()));
    write(&workplace, "draws.parquet", columns);
    let (table, talk) = workplace.expect(0, "diagnose draws.parquet");
    insta::assert_snapshot!(format!("{table}---\n{talk}"));
}

#[test]
fn chains_that_disagree_earn_status_three() {
    let workplace = Workplace::new();
    let mut columns = counters(2, 500);
    columns.push(column("mixed", noise(1, 1000)));
    let apart = noise(2, 1000)
        .iter()
        .enumerate()
        .map(|(s, x)| x + if s < 500 { 0.0 } else { 3.0 })
        .collect::<Vec<f64>>();
    columns.push(column("apart", apart));
    columns.push(column(
        "undefined",
        noise(3, 1000).iter().map(|x| if *x < 0.1 { f64::NAN } else { *x }).collect::<Vec<f64>>(),
    ));
    write(&workplace, "draws.parquet", columns);
    let (table, talk) = workplace.expect(3, "diagnose draws.parquet");
    assert!(talk.contains("unreliable: apart: R-hat") && talk.contains("undefined: R-hat"), "{talk}");
    assert!(!talk.contains("mixed:") && table.contains("?  unreliable"), "{table}{talk}");
    let described = json(&workplace, "diagnose draws.parquet");
    assert!(described["variables"][2]["rhat"].is_null() && described["variables"][2]["mean"].is_null());
}

#[test]
fn many_variables_are_printed_whole() {
    let workplace = Workplace::new();
    let mut columns = counters(2, 200);
    columns.extend((0..300).map(|i| column(&format!("x[{i}]"), noise(i, 400))));
    write(&workplace, "draws.parquet", columns);
    let table = String::from_utf8(workplace.gmm("diagnose draws.parquet -q").stdout).unwrap();
    // Each name stands once in every block of columns that the line's width makes.
    let names = table.lines().filter(|line| line.starts_with("x[")).filter_map(|line| line.split(' ').next());
    assert_eq!(names.collect::<std::collections::BTreeSet<_>>().len(), 300);
}

/// Two chains of four draws.
fn few() -> Vec<Column> {
    let mut columns = counters(2, 4);
    columns.push(column("y1", noise(1, 8)));
    columns.push(column("y2", noise(2, 8)));
    columns
}

/// Each is refused with status 1 and words that name what is wrong; none panics.
#[test]
fn files_that_hold_no_draws_are_refused_in_plain_words() {
    let chains = |chains: Vec<i64>| {
        let n = chains.len();
        vec![column("chain", chains), column("y1", noise(1, n)), column("y2", noise(2, n))]
    };
    let with = |name: &str, values: Column| {
        let mut columns = few();
        columns.push(values.with_name(name.into()));
        columns
    };
    let mut null = noise(3, 8).into_iter().map(Some).collect::<Vec<Option<f64>>>();
    null[5] = None;
    let cases: Vec<(&str, Vec<Column>, &str)> = vec![
        (
            "no chain",
            vec![column("chains", vec![1, 1, 2, 2]), column("y", noise(1, 4))],
            "has no column `chain`",
        ),
        ("unequal", chains(vec![1, 1, 1, 2, 2]), "chain 1 has 3 draws, chain 2 has 2"),
        ("not chain-major", chains(vec![1, 2, 1, 2]), "chain 1 comes back in row 3"),
        ("text", with("note", column("", vec!["a"; 8])), "column `note` holds"),
        ("null", with("y3", column("", null)), "column `y3` is null in row 6"),
        (
            "null chain",
            vec![column("chain", vec![Some(1), None]), column("y", noise(1, 2))],
            "column `chain` is null in row 2",
        ),
        (
            "text chain",
            vec![column("chain", vec!["a", "b"]), column("y", noise(1, 2))],
            "column `chain` holds",
        ),
        ("nothing else", counters(2, 4), "has no column of"),
        ("one draw", chains(vec![1]), "there is one draw"),
        ("no draws", chains(vec![]), "no draws"),
    ];
    for (name, columns, expected) in cases {
        let workplace = Workplace::new();
        write(&workplace, "x.parquet", columns);
        for command in ["score --log-likelihood x.parquet", "diagnose x.parquet"] {
            let (out, error) = workplace.expect(1, command);
            assert!(
                error.contains(expected) && error.contains("x.parquet") && out.is_empty(),
                "{name}: {error}"
            );
            assert!(!error.contains("panicked"), "{name}: {error}");
        }
    }
}

#[test]
fn files_that_are_no_parquet_or_damaged_are_refused() {
    let workplace = Workplace::new();
    write(&workplace, "good.parquet", few());
    let good = fs::read(workplace.path("good.parquet")).unwrap();
    fs::write(workplace.path("cut.parquet"), &good[..good.len() / 2]).unwrap();
    let mut torn = good.clone();
    // The length of the footer.
    let length = torn.len() - 8;
    torn[length..length + 4].copy_from_slice(&[255; 4]);
    fs::write(workplace.path("torn.parquet"), torn).unwrap();
    workplace.write("text.parquet", "chain,y1\n1,0.5\n");
    workplace.write("empty.parquet", "");
    fs::create_dir(workplace.path("directory.parquet")).unwrap();
    for (name, expected) in [
        ("cut", "invalid Parquet file"),
        ("torn", "invalid Parquet file"),
        ("text", "is not a Parquet file"),
        ("empty", "is not a Parquet file"),
        ("directory", "it is a directory"),
        ("nothing", "there is no file"),
    ] {
        for command in ["score --log-likelihood", "diagnose"] {
            let (_, error) = workplace.expect(1, &format!("{command} {name}.parquet"));
            assert!(error.contains(expected) && error.contains(name), "{name}: {error}");
        }
    }
}

#[test]
fn scores_of_different_data_are_not_compared() {
    let workplace = Workplace::new();
    write(&workplace, "two.parquet", few());
    let mut three = few();
    three.push(column("y3", noise(3, 8)));
    write(&workplace, "three.parquet", three);
    let mut turned = few();
    turned.swap(2, 3);
    write(&workplace, "turned.parquet", turned);
    let mut longer = counters(2, 6);
    longer.extend([column("a", noise(1, 12)), column("b", noise(2, 12))]);
    write(&workplace, "longer.parquet", longer);
    let (_, error) = workplace.expect(1, "score --log-likelihood two.parquet three.parquet turned.parquet");
    insta::assert_snapshot!(error);
    // Other draws and other names of the same observations are another program's.
    workplace.expect(3, "score --log-likelihood two.parquet longer.parquet");
}

#[test]
fn the_commands_explain_themselves() {
    let workplace = Workplace::new();
    let help = ["score --help", "diagnose --help"].map(|arguments| workplace.expect(0, arguments).0);
    insta::assert_snapshot!(help.join("\n"));
    for arguments in ["score", "score --log-likelihood", "diagnose", "diagnose a.parquet b.parquet"] {
        assert_eq!(workplace.gmm(arguments).status.code(), Some(2), "{arguments}");
    }
}
