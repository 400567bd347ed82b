//! Singular BIC: where components are to spare, their parameters are not counted in full.
//!
//! Source: Drton & Plummer (2017), "A Bayesian information criterion for singular models", JRSS-B 79, "DP" below.

use crate::criterion::Criterion;
use crate::descriptor::{Descriptor, Scale, Source};
use crate::log_sum_exp::log_sum_exp;
use crate::maximum::Maxima;
use crate::score::Score;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    name: "sbic",
    title: "sBIC",
    scale: Scale::Deviance,
    source: Source::Likelihood(|maxima| sbic(maxima, sbic_phi(maxima.n_features))),
    terms: None,
    reference: "Drton, M. & Plummer, M. (2017). A Bayesian information criterion for singular models. Journal of the Royal \
                Statistical Society B 79, 323–380.",
    rationale: "minimises sBIC, which penalises surplus components less",
    rank: None,
    by_default: true,
};

/// Free parameters of one component with full covariance: r.
fn component_parameters(n_features: usize) -> f64 {
    let d = n_features as f64;
    d + d * (d + 1.0) / 2.0
}

/// The φ of [`sbic`] where nothing else is said, (r + 1)/2: half the price of a component that is needed. It is the default of
/// the authors' own program (R's sBIC 0.2).
#[must_use]
pub fn sbic_phi(n_features: usize) -> f64 {
    (component_parameters(n_features) + 1.0) / 2.0
}

/// sBIC of mixtures of K full-covariance normals in D dimensions, on the deviance scale (lower is better): minus twice an
/// approximation of the log evidence, up to a term that does not grow with N.
///
/// Each K is charged for every smaller K' that may be the truth, weighed by how probable that is (DP, eqs. 3.2 and 3.5). The
/// charge is a bound on the learning coefficient (DP, section 5, from Rousseau & Mengersen 2011): spare components are emptied,
/// at a price of φ parameters each, or double another:
/// 2 λ = min(K' r + K' − 1 + φ (K − K'), K r + K' − 1), r = D + D(D + 1)/2.
/// φ is the parameter of the weights' Dirichlet prior where that is what the evidence is wanted for; [`sbic_phi`] is the
/// usual choice. With K' = K alone it is BIC. A smaller K that is missing, or whose likelihood is not finite, is taken to be
/// impossible.
#[must_use]
pub fn sbic(maxima: &Maxima<'_>, phi: f64) -> Vec<Score> {
    let maximised = maxima.of_each;
    let r = component_parameters(maxima.n_features);
    let log_n = libm::log(maxima.n_observations as f64);
    let twice_lambda = |larger: usize, truth: usize| {
        let (k, truth) = (larger as f64, truth as f64);
        let emptied = truth * r + truth - 1.0 + phi * (k - truth);
        emptied.min(k * r + truth - 1.0)
    };
    // log L'_K of the K so far.
    let mut evidences: Vec<f64> = Vec::with_capacity(maximised.len());
    let mut scores = Vec::with_capacity(maximised.len());
    for (i, of_k) in maximised.iter().enumerate() {
        if !of_k.log_likelihood.is_finite() {
            evidences.push(f64::NEG_INFINITY);
            scores.push(Score::from_deviance(Criterion::Sbic, f64::NAN, f64::NAN));
            continue;
        }
        let log_term = |j: usize| {
            of_k.log_likelihood - 0.5 * twice_lambda(of_k.components, maximised[j].components) * log_n
        };
        // DP, eq. 3.5: L'² + b L' − c = 0 with b = Σ_{j<i} L'_j − L_ii and c = Σ_{j<i} L_ij L'_j, all on the scale of the
        // largest term.
        let own = log_term(i);
        let before = log_sum_exp(&evidences);
        let products: Vec<f64> =
            evidences.iter().enumerate().map(|(j, evidence)| log_term(j) + evidence).collect();
        let unit = own.max(before).max(0.5 * log_sum_exp(&products));
        let b = libm::exp(before - unit) - libm::exp(own - unit);
        let c = libm::exp(log_sum_exp(&products) - 2.0 * unit);
        let root = (b * b + 4.0 * c).sqrt();
        // Of the two forms of the positive root the one without cancellation.
        let solution = if b > 0.0 { 2.0 * c / (b + root) } else { 0.5 * (root - b) };
        let evidence = unit + libm::log(solution);
        evidences.push(evidence);
        // The penalty that was charged, in parameters of BIC's price.
        let p_eff = 2.0 * (of_k.log_likelihood - evidence) / log_n;
        scores.push(Score::from_deviance(Criterion::Sbic, -2.0 * evidence, p_eff));
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::bic::bic;
    use crate::maximum::Maximum;

    fn maximum(components: usize, log_likelihood: f64) -> Maximum {
        Maximum { components, log_likelihood, n_parameters: 0, entropy: f64::NAN }
    }

    fn collection(logs: &[f64]) -> Vec<Maximum> {
        (1..).zip(logs).map(|(components, &log_likelihood)| maximum(components, log_likelihood)).collect()
    }

    fn scores(of_each: &[Maximum], n_features: usize, n_observations: usize, phi: f64) -> Vec<Score> {
        sbic(&Maxima { of_each, n_features, n_observations }, phi)
    }

    #[test]
    fn one_model_alone_has_its_bic() {
        let alone = maximum(3, -812.5);
        let score = &scores(&[alone], 2, 272, 0.5)[0];
        assert!((score.estimate - bic(-812.5, 17, 272).estimate).abs() < 1e-9);
        assert!((score.p_eff - 17.0).abs() < 1e-12);
    }

    /// DP, eq. 3.2: Σ_j (L'_i − L_ij) L'_j = 0, with the terms written out.
    #[test]
    fn the_defining_equations_are_solved() {
        for (logs, alpha) in [([-240.4, -220.06, -212.7, -207.1], 0.5), ([-30.0, -29.9, -29.7, -25.0], 1.0)] {
            let n = 82.0_f64;
            let scores = self::scores(&collection(&logs), 1, 82, alpha);
            let evidence: Vec<f64> =
                scores.iter().map(|score| (-0.5 * score.estimate - logs[3]).exp()).collect();
            for i in 0..4 {
                let (mut sum, mut size) = (0.0, 0.0_f64);
                for j in 0..=i {
                    let (k, truth) = (i as f64 + 1.0, j as f64 + 1.0);
                    let price = (3.0 * truth - 1.0 + alpha * (k - truth)).min(2.0 * k + truth - 1.0);
                    let term = (logs[i] - logs[3] - 0.5 * price * n.ln()).exp();
                    sum += (evidence[i] - term) * evidence[j];
                    size = size.max(evidence[i] * evidence[j]);
                }
                assert!(sum.abs() < 1e-10 * size, "{i}: {sum} of {size}");
            }
        }
    }

    #[test]
    fn spare_components_are_charged_less_than_by_bic_and_needed_ones_as_much() {
        let (n, gain) = (500, 400.0);
        let scores = self::scores(&collection(&[-2000.0, -2000.0 + gain, -1999.0 + gain]), 2, n, 0.5);
        assert!((scores[1].p_eff - 11.0).abs() < 1e-6, "{}", scores[1].p_eff);
        assert!(scores[2].p_eff < 12.0, "{}", scores[2].p_eff);
        assert!(scores[2].p_eff > 11.0);
    }

    #[test]
    fn a_degenerate_model_has_no_score_and_leaves_the_others_theirs() {
        let with = scores(&collection(&[-100.0, f64::NAN, -90.0]), 1, 50, 0.5);
        assert!(with[0].reliable && !with[1].reliable && with[1].estimate.is_nan());
        let three = maximum(3, -90.0);
        let without = scores(&[collection(&[-100.0])[0], three], 1, 50, 0.5);
        assert_eq!(with[2].estimate, without[1].estimate);
    }
}
