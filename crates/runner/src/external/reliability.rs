//! Models that other programs fitted: their draws and log-likelihoods, described and scored as our own are.

use std::process::ExitCode;

use gmm_sampler::diagnostics::Summary;

use crate::cli::arguments::Talk;
use crate::cli::command::DOUBTFUL;
use crate::cli::messages::say;
use crate::scores::health::Demands;

/// Doubts that are told of unless asked for more.
const DOUBTS_TOLD: usize = 10;

/// Why draws of a quantity should not be believed; none if nothing is seen to be wrong.
pub fn doubt(summary: &Summary, n_chains: usize) -> Option<String> {
    if summary.rhat > Demands::DRAWS.max_rhat {
        return Some(format!(
            "R-hat {:.3}: chains disagree; more draws help if they mix slowly, not if they sit in different modes",
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
    let enough = Demands::DRAWS.min_ess * n_chains as f64;
    (ess < enough).then(|| {
        let each = Demands::DRAWS.min_ess;
        format!("effective sample size {ess:.0}, less than {each:.0} for each chain: too few draws to go by")
    })
}

/// Tells doubts on standard error, and what exit status they earn.
pub fn conclude(doubts: &[String], talk: &Talk) -> ExitCode {
    if !talk.quiet {
        let told = if talk.verbose { doubts.len() } else { doubts.len().min(DOUBTS_TOLD) };
        doubts[..told].iter().for_each(|doubt| say!("not to be trusted: {doubt}"));
        if told < doubts.len() {
            say!("and {} more, which -v tells", doubts.len() - told);
        }
    }
    if doubts.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(DOUBTFUL) }
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

/// Cells of a first column, padded to one width so that they align left.
pub fn aligned_left(cells: &mut [Vec<String>]) {
    let width =
        cells.iter().filter_map(|row| row.first()).map(|cell| cell.chars().count()).max().unwrap_or(0);
    for cell in cells.iter_mut().filter_map(|row| row.first_mut()) {
        *cell = format!("{cell:<width$}");
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
