//! Stacking: the mixture of models that would have predicted the data best.

/// Duality gap, in nats per observation, at which the optimum is found: a weight is then right to about this over its slope.
const GAP: f64 = 1e-15;

/// Newton steps. A primal–dual method needs some twenty; the limit is for data that defeat its arithmetic.
const MOST_STEPS: usize = 200;

/// Share of the way to the boundary that a step may go, and how fast the barrier sinks. Customary values; any like them do.
const BOUNDARY_SHARE: f64 = 0.995;
const CENTRING: f64 = 0.1;

/// Weights on the simplex that maximise `Σ_i log Σ_k w_k exp(elpd_ik)`: Yao, Vehtari, Simpson & Gelman (2018).
///
/// `pointwise` holds the N log predictive densities of each model, in one order of observations. A weight is not a probability that
/// its model is true: models that predict alike share or starve one another. Models with an undefined term get NaN, the others
/// are stacked without them.
///
/// # Panics
/// If the models are scored on different numbers of observations.
#[must_use]
pub fn stacking(pointwise: &[&[f64]]) -> Vec<f64> {
    let n = pointwise.first().map_or(0, |terms| terms.len());
    assert!(pointwise.iter().all(|terms| terms.len() == n), "models must be scored on the same observations");
    let is_defined =
        |terms: &&[f64]| !terms.is_empty() && terms.iter().all(|t| !t.is_nan() && *t < f64::INFINITY);
    let defined: Vec<&[f64]> = pointwise.iter().copied().filter(|terms| is_defined(terms)).collect();
    let mut weights = optimum(&relative_densities(&defined), defined.len()).into_iter();
    pointwise
        .iter()
        .map(|terms| if is_defined(terms) { weights.next().unwrap_or(f64::NAN) } else { f64::NAN })
        .collect()
}

/// Densities of each observation relative to its best model, one row of models an observation; impossible observations are left out.
fn relative_densities(pointwise: &[&[f64]]) -> Vec<f64> {
    let n = pointwise.first().map_or(0, |terms| terms.len());
    let mut rows = Vec::with_capacity(n * pointwise.len());
    for i in 0..n {
        let best = pointwise.iter().map(|terms| terms[i]).fold(f64::NEG_INFINITY, f64::max);
        if best.is_finite() {
            rows.extend(pointwise.iter().map(|terms| libm::exp(terms[i] - best)));
        }
    }
    rows
}

/// Maximises `mean_i log (P w)_i − Σ w` over w ≥ 0, whose optimum sums to one without being told to: Kim, Carbonetto, Stephens &
/// Anitescu (2020). Solved by a primal–dual interior-point method (Nocedal & Wright 2006, chapter 19).
fn optimum(densities: &[f64], n_models: usize) -> Vec<f64> {
    let k = n_models;
    let mut weights = vec![1.0 / k as f64; k];
    if k < 2 || densities.is_empty() {
        return weights;
    }
    let mut slacks = vec![1.0; k];
    for _ in 0..MOST_STEPS {
        let gap = dot(&weights, &slacks) / k as f64;
        let (gradient, mut matrix) = derivatives(densities, &weights);
        let stationary = (0..k).all(|j| (1.0 - gradient[j] - slacks[j]).abs() < GAP.sqrt());
        if gap < GAP && stationary {
            break;
        }
        // Newton's step on 1 − g − s = 0, w s = μ, with s eliminated: (H + s / w) dw = g − 1 + μ / w.
        let barrier = CENTRING * gap;
        let right: Vec<f64> = (0..k).map(|j| gradient[j] - 1.0 + barrier / weights[j]).collect();
        for j in 0..k {
            matrix[j * k + j] += slacks[j] / weights[j];
        }
        let Some(step) = solve(matrix, right) else { break };
        let slack_step: Vec<f64> =
            (0..k).map(|j| barrier / weights[j] - slacks[j] - slacks[j] / weights[j] * step[j]).collect();
        let (w_length, s_length) = (longest(&weights, &step), longest(&slacks, &slack_step));
        for j in 0..k {
            weights[j] += w_length * step[j];
            slacks[j] += s_length * slack_step[j];
        }
    }
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| w / total).collect()
}

/// Gradient and negated Hessian (row-major) of the mean log density of the mixture.
fn derivatives(densities: &[f64], weights: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let k = weights.len();
    let n = (densities.len() / k) as f64;
    let (mut gradient, mut hessian) = (vec![0.0; k], vec![0.0; k * k]);
    for row in densities.chunks_exact(k) {
        let mixture = dot(row, weights);
        for a in 0..k {
            let slope = row[a] / mixture;
            gradient[a] += slope / n;
            for b in 0..=a {
                hessian[a * k + b] += slope * (row[b] / mixture) / n;
            }
        }
    }
    (gradient, hessian)
}

/// Solution of a symmetric positive-definite system, of which the lower triangle is read; none if rounding made it indefinite.
fn solve(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let k = right.len();
    for a in 0..k {
        for b in 0..=a {
            let inner: f64 = (0..b).map(|c| matrix[a * k + c] * matrix[b * k + c]).sum();
            let rest = matrix[a * k + b] - inner;
            matrix[a * k + b] = if a > b { rest / matrix[b * k + b] } else { rest.sqrt() };
        }
        if matrix[a * k + a].is_nan() || matrix[a * k + a] == 0.0 {
            return None;
        }
    }
    for a in 0..k {
        let inner: f64 = (0..a).map(|c| matrix[a * k + c] * right[c]).sum();
        right[a] = (right[a] - inner) / matrix[a * k + a];
    }
    for a in (0..k).rev() {
        let inner: f64 = (a + 1..k).map(|c| matrix[c * k + a] * right[c]).sum();
        right[a] = (right[a] - inner) / matrix[a * k + a];
    }
    Some(right)
}

/// The share of a step, at most all of it, that keeps every value positive.
fn longest(values: &[f64], step: &[f64]) -> f64 {
    let limits = values.iter().zip(step).filter(|(_, d)| **d < 0.0).map(|(v, d)| -v / d);
    limits.fold(1.0, |length, limit| length.min(BOUNDARY_SHARE * limit))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn twin_models_share_and_a_hopeless_one_gets_nothing() {
        let (good, bad) = (vec![-1.0; 50], vec![-9.0; 50]);
        let weights = stacking(&[&good, &bad, &good]);
        assert!(
            (weights[0] - 0.5).abs() < 1e-6 && (weights[2] - 0.5).abs() < 1e-6 && weights[1] < 1e-12,
            "{weights:?}"
        );
    }

    #[test]
    fn two_models_of_opposite_strengths_have_a_closed_form() {
        // m observations favour the first by a ratio r, the rest the second: the optimum solves a linear equation.
        let (m, n, r) = (30.0, 50.0, 20.0_f64);
        let first: Vec<f64> = (0..50).map(|i| if i < 30 { 0.0 } else { -r.ln() }).collect();
        let second: Vec<f64> = (0..50).map(|i| if i < 30 { -r.ln() } else { 0.0 }).collect();
        let share = m / n;
        let expected = (share * r - (1.0 - share)) / (r - 1.0);
        assert!((stacking(&[&first, &second])[0] - expected).abs() < 1e-12);
    }

    #[test]
    fn an_undefined_model_is_left_out_and_an_impossible_observation_is_not_a_veto() {
        let good = [-1.0, -1.2, -0.8];
        let weights = stacking(&[&good, &[f64::NAN, -1.0, -1.0], &[f64::NEG_INFINITY, -0.1, -0.1]]);
        assert!(weights[1].is_nan());
        assert!((weights[0] + weights[2] - 1.0).abs() < 1e-12 && weights[2] > 0.1);
        assert!(stacking(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn weights_are_on_the_simplex_and_no_vertex_beats_them(
            terms in prop::collection::vec(-30.0..0.0_f64, 80), n_models in 2_usize..5,
        ) {
            let models: Vec<&[f64]> = terms.chunks_exact(80 / n_models).take(n_models).collect();
            let weights = stacking(&models);
            prop_assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            prop_assert!(weights.iter().all(|w| *w >= 0.0));
            // Optimal if and only if no model's mean relative density exceeds one (the Kuhn–Tucker conditions).
            let (gradient, _) = derivatives(&relative_densities(&models), &weights);
            for (slope, weight) in gradient.iter().zip(&weights) {
                prop_assert!(*slope <= 1.0 + 1e-9 && (weight * (1.0 - slope)).abs() < 1e-9, "{:?} {:?}", weights, gradient);
            }
        }
    }
}
