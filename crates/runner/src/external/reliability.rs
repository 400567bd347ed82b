//! Models that other programs fitted: their draws and log-likelihoods, described and scored as our own are.

use std::process::ExitCode;

use gmm_sampler::diagnostics::Summary;

use crate::cli::arguments::Verbosity;
use crate::cli::exit_status::UNRELIABLE;
use crate::cli::messages::say;
use crate::scores::health::ConvergenceThresholds;

/// Lines on unreliable quantities that are shown without -v.
const CAVEATS_SHOWN: usize = 10;

/// Why draws of a quantity are unreliable; none if nothing is seen to be wrong.
pub fn caveat(summary: &Summary, n_chains: usize) -> Option<String> {
    let ConvergenceThresholds { max_rhat, min_ess, .. } = ConvergenceThresholds::DRAWS;
    if summary.rhat > max_rhat {
        return Some(format!(
            "R-hat {:.3}: the chains disagree. More draws help slow mixing, but not chains in different modes",
            summary.rhat
        ));
    }
    // The smaller, or the one that is defined: of a quantity that takes few values nothing may lie beyond its outer quantiles, or its
    // R-hat have no spread to look at, and it is no less well known for that.
    let ess = summary.ess_bulk.min(summary.ess_tail);
    if ess.is_nan() {
        return Some(
            "R-hat and effective sample size are undefined: too few draws, or some that are not finite"
                .to_owned(),
        );
    }
    (ess < min_ess * n_chains as f64).then(|| {
        format!("effective sample size {ess:.0}, below {min_ess:.0} for each chain: take more draws")
    })
}

/// Says on standard error what is unreliable, and gives the exit status for it.
pub fn conclude(caveats: &[String], verbosity: &Verbosity) -> ExitCode {
    if !verbosity.quiet {
        let shown = if verbosity.verbose { caveats.len() } else { caveats.len().min(CAVEATS_SHOWN) };
        caveats[..shown].iter().for_each(|caveat| say!("unreliable: {caveat}."));
        if shown < caveats.len() {
            say!("{} more; use -v", caveats.len() - shown);
        }
    }
    if caveats.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(UNRELIABLE) }
}

/// A number with four significant digits, whatever its size; a dash where it is undefined.
pub fn four_digits(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "–".to_owned() } else { value.to_string() };
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    match value.abs().log10().floor() as i32 {
        exponent @ -4..=5 => format!("{value:.*}", (3 - exponent).max(0) as usize),
        _ => format!("{value:.3e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_keep_four_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (1.0, "1.000"),
            (-12.345_67, "-12.35"),
            (123_456.7, "123457"),
            (0.000_123_45, "0.0001234"),
            (1.5e-9, "1.500e-9"),
            (2.5e8, "2.500e8"),
            (f64::NAN, "–"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(four_digits(value), expected);
        }
    }
}
