//! Numbers at the edges of what doubles and mixtures can bear: either the answer is right, or the refusal names what is wrong.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

use crate::support::Workplace;

fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// Sixty rows, twenty about (−3, 0) and forty about (3, 1.5), after a change of each.
fn rows(change: impl Fn(f64, f64) -> (f64, f64)) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut text = String::from("x,y\n");
    for i in 0..60 {
        let (centre, rise) = if i % 3 == 0 { (-3.0, 0.0) } else { (3.0, 1.5) };
        let (x, y) = change(centre + normal(&mut rng), rise + normal(&mut rng));
        text.push_str(&format!("{x:?},{y:?}\n"));
    }
    text
}

fn workplace(data: &str, components: &str) -> Workplace {
    let workplace = Workplace::new();
    workplace.write("data.csv", data);
    workplace.write(
        "spec.toml",
        &format!(
            "name = \"edge\"\ndata.path = \"data.csv\"\nmodel.components = {components}\n\
             [sampler]\nchains = 2\nwarmup = 100\ndraws = 100\n[scoring]\ncriteria = [\"bic\", \"waic\", \"laplace\"]\n"
        ),
    );
    workplace
}

/// Estimates of every criterion at K = 1 and 2, and the best K by each.
fn scores(data: &str) -> (Vec<f64>, Vec<u64>) {
    let (json, _) = workplace(data, "[1, 2]").runs("run spec.toml --quiet --no-report --format json");
    let told: serde_json::Value = serde_json::from_str(&json).unwrap();
    let mut rows: Vec<&serde_json::Value> = told["comparison"].as_array().unwrap().iter().collect();
    rows.sort_by_key(|row| (row["criterion"].to_string(), row["components"].as_u64()));
    let best = rows.iter().filter(|row| row["rank"] == 1).map(|row| row["components"].as_u64().unwrap());
    let best = best.collect();
    (rows.iter().map(|row| row["estimate"].as_f64().unwrap_or(f64::NAN)).collect(), best)
}

/// Criteria in alphabetical order, each at K = 1 and 2: of BIC twice the log scale is added, of the others it is taken away.
fn shifted(log_scale: f64) -> Vec<f64> {
    let (base, best) = scores(&rows(|x, y| (x, y)));
    assert_eq!((base.len(), best), (6, vec![2, 2, 2]));
    base.iter()
        .enumerate()
        .map(|(i, value)| if i < 2 { value + 2.0 * log_scale } else { value - log_scale })
        .collect()
}

#[track_caller]
fn assert_scores(data: &str, log_scale: f64, tolerance: f64) {
    let (found, best) = scores(data);
    let expected = shifted(60.0 * log_scale);
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < tolerance, "{found} for {expected}");
    }
    assert_eq!(best, [2, 2, 2]);
}

#[test]
fn units_however_extreme_change_scores_by_their_logarithm_and_nothing_else() {
    // BIC of 83,000 has an error of rounding in its tenth digit; WAIC and Laplace's evidence are computed on the standardised scale.
    assert_scores(&rows(|x, y| (x * 1e140, y * 1e140)), 2.0 * 1e140f64.ln(), 1e-4);
    assert_scores(&rows(|x, y| (x * 1e-140, y * 1e-140)), 2.0 * 1e-140f64.ln(), 1e-4);
    assert_scores(&rows(|x, y| (x * 1e12, y)), 1e12f64.ln(), 1e-4);
}

#[test]
fn a_large_offset_costs_no_more_than_the_digits_that_it_rounds_away() {
    let (found, best) = scores(&rows(|x, y| (x + 1e9, y)));
    let expected = shifted(0.0);
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        // Draws of WAIC part from one another after a few hundred steps, as all chaotic paths do: Monte Carlo error. Those of
        // importance sampling, which gives the evidence for so few rows, are resampled otherwise.
        let tolerance = [1e-3, 1e-3, 0.05, 0.05, 3.0, 3.0][index];
        assert!((found - expected).abs() < tolerance, "{found} for {expected}");
    }
    assert_eq!(best, [2, 2, 2]);
}

#[track_caller]
fn refused(data: &str, components: &str, reason: &str) {
    let (_, error) = workplace(data, components).expect(1, "run spec.toml");
    assert!(error.contains(reason) && error.contains("nothing was run"), "{error}");
}

#[test]
fn what_no_mixture_can_be_fitted_to_is_refused_by_name() {
    for factor in [1e300, 1.7e307, 1e-300, 5e-324] {
        refused(
            &rows(|x, y| (x * factor, y)),
            "[1, 2]",
            "the variance of column `x` is beyond the range of doubles",
        );
    }
    refused(&rows(|_, _| (1.5, 2.5)), "[1, 2]", "column `x` is constant: 1.5 in every row");
    for error in [0.0, 1e-9] {
        refused(
            &rows(|x, y| (x, 2.0 * x + 1.0 + error * y)),
            "[1, 2]",
            "column `y` is a linear combination of the columns before it, up to rounding",
        );
    }
    refused("x,y\n1,2\n3,5\n4,4\n", "[4]", "4 components for 3 different observations");
}

#[test]
fn as_many_components_as_rows_and_fewer_rows_than_features_are_told_to_mean_nothing() {
    // K = N.
    let few = workplace("x,y\n1,2\n3,5\n4,4\n", "[1, 3]");
    let (_, talk) = few.expect(3, "run spec.toml --no-report --no-progress");
    assert!(talk.contains("failed: EM, K = 3: 3 components need more than 3 observations"), "{talk}");
    // N < D.
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let names: Vec<String> = (0..10).map(|i| format!("c{i}")).collect();
    let mut text = format!("{}\n", names.join(","));
    for _ in 0..5 {
        let row: Vec<String> = (0..10).map(|_| format!("{:?}", normal(&mut rng))).collect();
        text.push_str(&format!("{}\n", row.join(",")));
    }
    let (_, talk) = workplace(&text, "[1]").expect(3, "run spec.toml --no-report --no-progress");
    assert!(talk.contains("warning: 5 observations of 10 features: the likelihood has no maximum"), "{talk}");
    assert!(talk.contains("failed: EM, K = 1: feature 4 is a linear combination"), "{talk}");
}
