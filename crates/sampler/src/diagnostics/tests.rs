//! Diagnostics against R's `posterior`, against closed forms, and under transformations that must not matter.

use super::*;
use proptest::prelude::*;

/// Two programs in double precision, relative.
const ROUNDING: f64 = 1e-8;

struct Fixture {
    name: String,
    n_chains: usize,
    column: Vec<f64>,
    posterior: serde_json::Value,
}

fn fixtures() -> Vec<Fixture> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/reference/diagnostics.json");
    let text =
        std::fs::read_to_string(path).expect("tests/reference/diagnostics.json is part of the repository");
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let number = |value: &serde_json::Value| match value.as_str() {
        Some("inf") => f64::INFINITY,
        _ => value.as_f64().unwrap_or(f64::NAN),
    };
    let fixtures = file["fixtures"].as_array().unwrap();
    fixtures
        .iter()
        .map(|fixture| Fixture {
            name: fixture["name"].as_str().unwrap().to_owned(),
            n_chains: fixture["chains"].as_u64().unwrap() as usize,
            column: fixture["x"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|c| c.as_array().unwrap())
                .map(number)
                .collect(),
            posterior: fixture["posterior"].clone(),
        })
        .collect()
}

fn quantity(name: &str, x: &[f64], n_chains: usize) -> f64 {
    match name.split_once("_q") {
        Some(("ess", p)) => ess_quantile(x, n_chains, p.parse().unwrap()),
        Some(("mcse", p)) => mcse_quantile(x, n_chains, p.parse().unwrap()),
        _ => match name {
            "rhat" => rhat(x, n_chains),
            "rhat_basic" => rhat_basic(x, n_chains),
            "ess_bulk" => ess_bulk(x, n_chains),
            "ess_tail" => ess_tail(x, n_chains),
            "ess_mean" | "ess_basic" => ess_mean(x, n_chains),
            "ess_sd" => ess_sd(x, n_chains),
            "mcse_mean" => mcse_mean(x, n_chains),
            "mcse_sd" => mcse_sd(x, n_chains),
            other => panic!("the reference has a quantity that is not computed: {other}"),
        },
    }
}

#[test]
fn every_quantity_of_every_fixture_agrees_with_posterior() {
    let mut compared = 0;
    let mut wrong = Vec::new();
    for fixture in fixtures() {
        for (name, expected) in fixture.posterior.as_object().unwrap() {
            let ours = quantity(name, &fixture.column, fixture.n_chains);
            let theirs = expected.as_f64().unwrap_or(f64::NAN);
            let agrees =
                (ours.is_nan() && theirs.is_nan()) || (ours - theirs).abs() <= ROUNDING * theirs.abs();
            compared += 1;
            if !agrees {
                wrong.push(format!("{} {name}: {ours} for {theirs}", fixture.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(compared, 15 * 15);
}

#[test]
fn a_summary_is_the_single_quantities() {
    for Fixture { name, n_chains, column, .. } in fixtures() {
        let summary = Summary::from_column(&column, n_chains);
        let pairs = [
            (summary.mean, mean(&column)),
            (summary.sd, sd(&column)),
            (summary.q5, quantile(&column, 0.05)),
            (summary.median, quantile(&column, 0.5)),
            (summary.q95, quantile(&column, 0.95)),
            (summary.mcse_mean, mcse_mean(&column, n_chains)),
            (summary.ess_bulk, ess_bulk(&column, n_chains)),
            (summary.ess_tail, ess_tail(&column, n_chains)),
            (summary.rhat, rhat(&column, n_chains)),
        ];
        for (field, (ours, single)) in pairs.into_iter().enumerate() {
            assert!(
                ours.to_bits() == single.to_bits() || (ours.is_nan() && single.is_nan()),
                "{name} field {field}"
            );
        }
    }
}

#[test]
fn the_middle_draw_of_an_odd_chain_belongs_to_no_half() {
    let chain = |middle: f64| [1.0, 2.0, 0.5, middle, 1.5, 2.5, 0.7, 3.0, 1.1, 2.2, middle, 0.3, 1.9, 0.8];
    assert_eq!(rhat_basic(&chain(9.0), 2), rhat_basic(&chain(-3.0), 2));
    assert!(rhat_basic(&chain(9.0), 2).is_finite());
}

#[test]
fn what_is_undefined_is_nan_and_not_a_panic() {
    for column in
        [vec![], vec![1.0], vec![f64::NAN; 8], vec![f64::INFINITY; 8], vec![1e300, -1e300, 1e300, -1e300]]
    {
        for name in [
            "rhat",
            "ess_bulk",
            "ess_tail",
            "ess_mean",
            "ess_sd",
            "mcse_mean",
            "mcse_sd",
            "ess_q0.5",
            "mcse_q0.5",
        ] {
            let value = quantity(name, &column, 1);
            assert!(value.is_nan() || (name == "rhat" && value >= 0.0), "{name} of {column:?}: {value}");
        }
        let summary = Summary::from_column(&column, 1);
        assert!(summary.ess_bulk.is_nan());
    }
}

#[test]
fn chains_in_different_places_are_told_apart() {
    let column: Vec<f64> =
        (0..400).map(|i| f64::from(i * 37 % 101) + if i < 200 { 0.0 } else { 500.0 }).collect();
    assert!(rhat(&column, 2) > 1.5);
    assert!(ess_bulk(&column, 2) < 20.0);
}

/// Chains of an AR(1) process, slow enough for the transform to be used.
fn drifting(noise: &[f64]) -> Vec<f64> {
    noise
        .iter()
        .scan(0.0, |state, e| {
            *state = 0.95 * *state + e;
            Some(*state)
        })
        .collect()
}

proptest! {
    #[test]
    fn rank_based_diagnostics_see_only_the_order(noise in prop::collection::vec(-1.0..1.0_f64, 200)) {
        let column = drifting(&noise);
        let cubed: Vec<f64> = column.iter().map(|v| v.powi(3)).collect();
        prop_assert_eq!(ess_bulk(&column, 2), ess_bulk(&cubed, 2));
        prop_assert_eq!(ess_quantile(&column, 2, 0.25), ess_quantile(&cubed, 2, 0.25));
    }

    #[test]
    fn a_change_of_unit_leaves_diagnostics_and_carries_errors(
        noise in prop::collection::vec(-1.0..1.0_f64, 200), scale in 0.01..100.0_f64, shift in -10.0..10.0_f64,
    ) {
        let column = drifting(&noise);
        let moved: Vec<f64> = column.iter().map(|v| scale * v + shift).collect();
        for name in ["rhat_basic", "ess_mean", "ess_sd"] {
            let (before, after) = (quantity(name, &column, 4), quantity(name, &moved, 4));
            prop_assert!((before - after).abs() <= 1e-6 * before, "{} {} {}", name, before, after);
        }
        for name in ["mcse_mean", "mcse_sd", "mcse_q0.5"] {
            let (before, after) = (quantity(name, &column, 4), quantity(name, &moved, 4));
            prop_assert!((scale * before - after).abs() <= 1e-6 * after, "{} {} {}", name, before, after);
        }
    }

    #[test]
    fn the_order_of_the_chains_does_not_matter(noise in prop::collection::vec(-1.0..1.0_f64, 120)) {
        let column = drifting(&noise);
        let swapped = [&column[60..], &column[..60]].concat();
        prop_assert!((rhat(&column, 2) - rhat(&swapped, 2)).abs() < 1e-12);
        prop_assert!((ess_bulk(&column, 2) / ess_bulk(&swapped, 2) - 1.0).abs() < 1e-9);
    }
}
