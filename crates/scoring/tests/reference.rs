//! Scores against R's `loo` on its own matrices, and against the exact optimum of stacking.

use gmm_scoring::{
    Comparison, LooPoint, PointScores, Score, WaicPoint, loo, pseudo_bma, pseudo_bma_plus, psis,
    relative_efficiency, stacking, tail_length, waic,
};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use serde_json::Value;

/// Two programs in double precision, relative.
const ROUNDING: f64 = 1e-8;

fn path(name: &str) -> String {
    format!("{}/../../tests/reference/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn reference() -> Value {
    let text =
        std::fs::read_to_string(path("scores.json")).expect("tests/reference is part of the repository");
    serde_json::from_str(&text).unwrap()
}

/// Log-likelihoods of one fixture, a chain-major column an observation.
fn columns(name: &str, fixture: &Value) -> Vec<Vec<f64>> {
    let bytes = std::fs::read(path(&format!("scores/{name}.f64")))
        .expect("tests/reference is part of the repository");
    let values: Vec<f64> = bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
    let n_draws = size(fixture, "chains") * size(fixture, "draws");
    assert_eq!(values.len(), n_draws * size(fixture, "observations"));
    values.chunks_exact(n_draws).map(<[f64]>::to_vec).collect()
}

fn size(fixture: &Value, key: &str) -> usize {
    fixture[key].as_u64().unwrap() as usize
}

fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("Inf" | "inf") => f64::INFINITY,
        _ => value.as_f64().unwrap_or(f64::NAN),
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

#[track_caller]
fn agree(what: &str, ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!(a == b || (a - b).abs() <= ROUNDING * b.abs().max(1e-3), "{what}[{i}]: {a} for {b}");
    }
}

fn agree_with_estimates(what: &str, score: &Score, reference: &Value, names: [&str; 2]) {
    let estimate = numbers(&reference["estimates"][names[0]]);
    agree(what, &[score.estimate, score.se], &estimate);
    agree(what, &[score.p_eff], &numbers(&reference["estimates"][names[1]])[..1]);
    agree(what, &score.pointwise, &numbers(&reference["pointwise"][names[0]]));
}

/// The fixtures that `loo` accepts: all whose values are finite.
fn finite_fixtures(reference: &Value) -> impl Iterator<Item = (&String, &Value)> {
    reference["fixtures"].as_object().unwrap().iter().filter(|(_, fixture)| fixture.get("waic").is_some())
}

#[test]
fn relative_efficiencies_agree_with_loo() {
    let reference = reference();
    for (name, fixture) in reference["fixtures"].as_object().unwrap() {
        let n_chains = size(fixture, "chains");
        let ours: Vec<f64> = columns(name, fixture)
            .iter()
            .map(|column| relative_efficiency(&column.iter().map(|l| l.exp()).collect::<Vec<_>>(), n_chains))
            .collect();
        agree(name, &ours, &numbers(&fixture["r_eff"]));
    }
}

#[test]
fn psis_loo_agrees_with_loo_in_every_term() {
    let reference = reference();
    let mut compared = 0;
    for (name, fixture) in finite_fixtures(&reference) {
        let columns = columns(name, fixture);
        let independent: Vec<LooPoint> =
            columns.iter().map(|c| LooPoint::with_relative_efficiency(c, 1.0)).collect();
        let dependent: Vec<LooPoint> =
            columns.iter().map(|c| LooPoint::new(c, size(fixture, "chains"))).collect();
        for (key, points) in [("loo_reff1", independent), ("loo_relative_eff", dependent)] {
            let theirs = &fixture[key];
            let what = format!("{name} {key}");
            let ours = |field: fn(&LooPoint) -> f64| points.iter().map(field).collect::<Vec<f64>>();
            agree(&format!("{what} p_loo"), &ours(|p| p.p), &numbers(&theirs["pointwise"]["p_loo"]));
            let efficiencies = match key {
                "loo_reff1" => vec![1.0; points.len()],
                _ => numbers(&fixture["r_eff"]),
            };
            let mcse: Vec<f64> =
                points.iter().zip(&efficiencies).map(|(p, r)| by_quadrature(p.mcse, *r)).collect();
            agree(&format!("{what} mcse"), &mcse, &numbers(&theirs["pointwise"]["mcse_elpd_loo"]));
            agree(&format!("{what} k"), &ours(|p| p.pareto_k), &numbers(&theirs["pareto_k"]));
            agree(&format!("{what} n_eff"), &ours(|p| p.n_eff), &numbers(&theirs["n_eff"]));
            agree_with_estimates(&what, &loo(&points, columns[0].len()), theirs, ["elpd_loo", "p_loo"]);
            compared += 1;
        }
    }
    assert_eq!(compared, 14);
}

/// The Monte Carlo error that `loo` 2.5 makes of the variance behind ours: it spread the density as a normal over a thousand Blom
/// points and took the variance of their logarithms, where we, and later versions of `loo`, have a log-normal's closed form.
fn by_quadrature(mcse: f64, relative_efficiency: f64) -> f64 {
    let sd = (mcse * mcse * relative_efficiency).exp_m1().sqrt();
    let points = (1..=1000).map(|i| 1.0 + sd * normal_quantile((f64::from(i) - 0.375) / 1000.25));
    let logs: Vec<f64> = points.filter(|z| *z > 0.0).map(f64::ln).collect();
    gmm_sampler::diagnostics::sd(&logs) / relative_efficiency.sqrt()
}

/// Newton's method on the distribution function: slow, and independent of the one under test.
fn normal_quantile(probability: f64) -> f64 {
    let root_two_pi = (2.0 * std::f64::consts::PI).sqrt();
    (0..60).fold(0.0, |z: f64, _| {
        let excess = libm::erfc(-z / std::f64::consts::SQRT_2) / 2.0 - probability;
        z - (excess * root_two_pi * (z * z / 2.0).exp()).clamp(-0.5, 0.5)
    })
}

#[test]
fn smoothed_weights_and_tail_lengths_agree_with_loo() {
    let reference = reference();
    for (name, fixture) in finite_fixtures(&reference) {
        let columns = columns(name, fixture);
        let tails = numbers(&fixture["psis_reff1"]["tail_len"]);
        let tops = fixture["psis_reff1"]["top5_normalised_log_weights"].as_array().unwrap();
        for ((column, tail), top) in columns.iter().zip(tails).zip(tops) {
            assert_eq!(tail_length(column.len(), 1.0) as f64, tail, "{name}");
            let mut weights = psis(&column.iter().map(|l| -l).collect::<Vec<_>>(), 1.0).log_weights;
            let total = gmm_scoring::log_sum_exp(&weights);
            weights.sort_by(|a, b| b.total_cmp(a));
            agree(name, &weights[..5].iter().map(|w| w - total).collect::<Vec<_>>(), &numbers(top));
        }
    }
}

#[test]
fn waic_agrees_with_loo_in_every_term() {
    let reference = reference();
    for (name, fixture) in finite_fixtures(&reference) {
        let points: Vec<WaicPoint> = columns(name, fixture).iter().map(|c| WaicPoint::new(c)).collect();
        let theirs = &fixture["waic"];
        let p: Vec<f64> = points.iter().map(|point| point.p).collect();
        agree(&format!("{name} p_waic"), &p, &numbers(&theirs["pointwise"]["p_waic"]));
        agree_with_estimates(&format!("{name} waic"), &waic(&points), theirs, ["elpd_waic", "p_waic"]);
    }
}

#[test]
fn a_log_likelihood_of_minus_infinity_spoils_its_own_observation_alone() {
    let reference = reference();
    let fixture = &reference["fixtures"]["neginf_400x6"];
    let columns = columns("neginf_400x6", fixture);
    let points: Vec<LooPoint> = columns.iter().map(|c| LooPoint::with_relative_efficiency(c, 1.0)).collect();
    // `loo` refuses such a matrix. ArviZ has NaN for the third observation, where the limit of the sums is −∞.
    let mut expected = numbers(&fixture["arviz"]["loo_i"]);
    assert!(expected[2].is_nan());
    expected[2] = f64::NEG_INFINITY;
    agree("elpd", &points.iter().map(|p| p.elpd).collect::<Vec<_>>(), &expected);
    agree(
        "k",
        &points.iter().map(|p| p.pareto_k).collect::<Vec<_>>(),
        &numbers(&fixture["arviz"]["pareto_k"]),
    );
    let loo = loo(&points, columns[0].len());
    let waic = waic(&columns.iter().map(|c| WaicPoint::new(c)).collect::<Vec<_>>());
    for score in [loo, waic] {
        assert_eq!((score.estimate, score.n_bad, score.reliable), (f64::NEG_INFINITY, 1, false));
    }
}

/// ArviZ takes every draw above the cutoff for the tail, `loo` as many as there should be: they differ where draws are tied there.
#[test]
fn psis_loo_agrees_with_arviz_where_it_agrees_with_loo() {
    let reference = reference();
    let mut compared = 0;
    for (name, fixture) in finite_fixtures(&reference) {
        let columns = columns(name, fixture);
        for key in ["loo_reff1", "loo_reff_mean"] {
            let theirs = &fixture["arviz"][key];
            let points: Vec<LooPoint> = columns
                .iter()
                .map(|c| LooPoint::with_relative_efficiency(c, number(&theirs["reff"])))
                .collect();
            let what = format!("{name} {key}");
            agree(&what, &points.iter().map(|p| p.elpd).collect::<Vec<_>>(), &numbers(&theirs["loo_i"]));
            let k: Vec<f64> = points.iter().map(|p| p.pareto_k).collect();
            agree(&what, &k, &numbers(&theirs["pareto_k"]));
            let score = loo(&points, columns[0].len());
            let theirs = [number(&theirs["elpd_loo"]), number(&theirs["p_loo"])];
            agree(&what, &[score.estimate, score.p_eff], &theirs);
            compared += 1;
        }
    }
    assert_eq!(compared, 14);
}

#[test]
fn scores_taken_at_once_agree_with_loo_and_are_those_taken_one_by_one() {
    let reference = reference();
    for (name, fixture) in finite_fixtures(&reference) {
        let columns = columns(name, fixture);
        let points: Vec<PointScores> =
            columns.iter().map(|c| PointScores::new(c, size(fixture, "chains"))).collect();
        let waics: Vec<WaicPoint> = points.iter().map(|point| point.waic).collect();
        let loos: Vec<LooPoint> = points.iter().map(|point| point.loo).collect();
        agree_with_estimates(name, &waic(&waics), &fixture["waic"], ["elpd_waic", "p_waic"]);
        let score = loo(&loos, columns[0].len());
        agree_with_estimates(name, &score, &fixture["loo_relative_eff"], ["elpd_loo", "p_loo"]);
    }
}

#[test]
fn comparisons_agree_with_loo_compare() {
    let reference = reference();
    let models = ["faithful_k1_800x91", "faithful_k2_800x91", "faithful_k3_800x91"];
    let matrices = models.map(|name| columns(name, &reference["fixtures"][name]));
    let scores_by = |score: fn(&[Vec<f64>]) -> Score| matrices.each_ref().map(|matrix| score(matrix));
    let loos = scores_by(|m| {
        loo(&m.iter().map(|c| LooPoint::with_relative_efficiency(c, 1.0)).collect::<Vec<_>>(), 800)
    });
    let waics = scores_by(|m| waic(&m.iter().map(|c| WaicPoint::new(c)).collect::<Vec<_>>()));
    for (scores, key) in [(&loos, "loo_compare"), (&waics, "waic_compare")] {
        let comparison = Comparison::new(&[(1, &scores[0]), (2, &scores[1]), (3, &scores[2])]).unwrap();
        assert_eq!(comparison.rows.iter().map(|row| row.model).collect::<Vec<_>>(), [2, 3, 1]);
        for row in &comparison.rows {
            let theirs = &reference["compare"][key][models[row.model - 1]];
            agree(
                key,
                &[row.difference, row.difference_se],
                &[number(&theirs["elpd_diff"]), number(&theirs["se_diff"])],
            );
        }
    }
    let exact = &reference["compare"]["exact_stacking"];
    let weights = stacking(&loos.each_ref().map(|score| score.pointwise.as_slice()));
    let expected = numbers(&exact["weights"]);
    for (ours, theirs) in weights.iter().zip(&expected) {
        assert!((ours - theirs).abs() < ROUNDING, "{weights:?} for {expected:?}");
    }
    let observations = 0..loos[0].pointwise.len();
    let mixture =
        |i: usize| weights.iter().zip(&loos).map(|(w, score)| w * score.pointwise[i].exp()).sum::<f64>();
    let objective: f64 = observations.map(|i| mixture(i).ln()).sum();
    agree("objective", &[objective], &[number(&exact["objective_sum_log"])]);
}

#[test]
fn pseudo_bma_weights_agree_exactly_and_bootstrapped_ones_within_monte_carlo_error() {
    let reference = reference();
    let models = ["faithful_k1_800x91", "faithful_k2_800x91", "faithful_k3_800x91"];
    let elpd = models.map(|name| {
        let columns = columns(name, &reference["fixtures"][name]);
        columns.iter().map(|c| LooPoint::with_relative_efficiency(c, 1.0).elpd).collect::<Vec<f64>>()
    });
    let pointwise = elpd.each_ref().map(Vec::as_slice);
    agree("pseudo-BMA", &pseudo_bma(&pointwise), &numbers(&reference["compare"]["pseudobma"]));

    let n_resamples = 20_000;
    let weights = pseudo_bma_plus(&pointwise, n_resamples, &mut ChaCha8Rng::seed_from_u64(1));
    // Four standard errors of a difference of two averages; a weight's standard deviation is at most a half.
    let monte_carlo = 4.0 * (2.0 / n_resamples as f64).sqrt() * 0.5;
    for key in ["pseudobma_bb", "arviz_bb_pseudobma"] {
        for (ours, theirs) in weights.iter().zip(numbers(&reference["compare"][key])) {
            assert!((ours - theirs).abs() < monte_carlo, "{key}: {weights:?}");
        }
    }
}
