//! Sums of probabilities that are known by their logarithms.

use gmm_sampler::diagnostics::sum_by;

use crate::exponential::exp_of_nonpositive;

/// `log Σ exp(x)`, without overflow; −∞ of nothing, NaN if a term is.
#[must_use]
pub fn log_sum_exp(terms: &[f64]) -> f64 {
    // Unlike `f64::max`, this keeps a NaN once met.
    let greatest =
        terms.iter().copied().fold(f64::NEG_INFINITY, |a, b| if b > a || b.is_nan() { b } else { a });
    if !greatest.is_finite() {
        return greatest;
    }
    let mut relative: Vec<f64> = terms.iter().map(|term| term - greatest).collect();
    exp_of_nonpositive(&mut relative);
    greatest + libm::log(sum_by(&relative, |value| value))
}

/// `log` of the mean of `exp(x)`; NaN of nothing.
#[must_use]
pub fn log_mean_exp(terms: &[f64]) -> f64 {
    if terms.is_empty() { f64::NAN } else { log_sum_exp(terms) - libm::log(terms.len() as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn infinite_and_undefined_terms_give_infinite_and_undefined_sums() {
        assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
        assert_eq!(log_sum_exp(&[f64::NEG_INFINITY; 3]), f64::NEG_INFINITY);
        assert_eq!(log_sum_exp(&[f64::NEG_INFINITY, 2.0]), 2.0);
        assert_eq!(log_sum_exp(&[f64::INFINITY, 2.0]), f64::INFINITY);
        assert!(log_sum_exp(&[1.0, f64::NAN, 2.0]).is_nan());
        assert!(log_mean_exp(&[]).is_nan());
    }

    proptest! {
        #[test]
        fn a_shift_of_all_terms_shifts_their_sum(
            terms in prop::collection::vec(-50.0..50.0_f64, 1..40), shift in -2000.0..2000.0_f64,
        ) {
            let moved: Vec<f64> = terms.iter().map(|t| t + shift).collect();
            prop_assert!((log_sum_exp(&moved) - log_sum_exp(&terms) - shift).abs() < 1e-11);
        }

        #[test]
        fn a_mean_lies_between_its_terms(terms in prop::collection::vec(-500.0..500.0_f64, 1..40)) {
            let mean = log_mean_exp(&terms);
            let (low, high) = terms.iter().fold((f64::MAX, f64::MIN), |(l, h), t| (l.min(*t), h.max(*t)));
            prop_assert!(low - 1e-9 <= mean && mean <= high + 1e-9);
        }
    }
}
