//! The result of each check, and the verdict over all checks at one family-wise error rate.

use std::fmt;

/// Family-wise error rate: the probability that a correct sampler fails at least one of the suite's tests.
///
/// Seeds are fixed, so the suite gives the same verdict every time. A change that leaves the distribution alone but draws
/// differently is a new trial: one in a thousand such changes fails although it is correct. Every fault of `tests/mutants.rs`
/// is still detected.
pub const FAMILY_WISE_ERROR_RATE: f64 = 0.001;

/// The parts of the suite, named by the source of the known answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Long runs of another program.
    Posteriors,
    /// The prior itself: simulation-based calibration.
    Calibration,
    /// Formulas, and quadrature in one dimension.
    ClosedForms,
    /// The sum over all labels of a few observations.
    Enumeration,
    /// Log evidence, estimated by two methods, against known values.
    LogEvidence,
    /// The sampler itself, on the same problem in other coordinates.
    Invariances,
}

impl Part {
    pub const ALL: [Self; 6] = [
        Self::Posteriors,
        Self::Calibration,
        Self::ClosedForms,
        Self::Enumeration,
        Self::LogEvidence,
        Self::Invariances,
    ];

    /// The name in tables and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Posteriors => "posteriors",
            Self::Calibration => "calibration",
            Self::ClosedForms => "closed-forms",
            Self::Enumeration => "enumeration",
            Self::LogEvidence => "log-evidence",
            Self::Invariances => "invariances",
        }
    }
}

/// What a check measured.
#[derive(Debug, Clone, PartialEq)]
pub enum CheckResult {
    /// A random statistic with its p-value under the hypothesis that the sampler is correct.
    Test { statistic: &'static str, value: f64, p_value: f64 },
    /// A number that must not exceed a bound, whatever the draws.
    Bound { measure: &'static str, value: f64, bound: f64 },
    /// The case ended before there was a number.
    Error { reason: String },
}

impl CheckResult {
    /// The name of the statistic or measure; for an error, the reason.
    #[must_use]
    pub fn statistic(&self) -> &str {
        match self {
            Self::Test { statistic, .. } => statistic,
            Self::Bound { measure, .. } => measure,
            Self::Error { reason } => reason,
        }
    }

    #[must_use]
    pub fn value(&self) -> Option<f64> {
        match *self {
            Self::Test { value, .. } | Self::Bound { value, .. } => Some(value),
            Self::Error { .. } => None,
        }
    }

    #[must_use]
    pub fn p_value(&self) -> Option<f64> {
        match *self {
            Self::Test { p_value, .. } => Some(p_value),
            Self::Bound { .. } | Self::Error { .. } => None,
        }
    }

    #[must_use]
    pub fn bound(&self) -> Option<f64> {
        match *self {
            Self::Bound { bound, .. } => Some(bound),
            Self::Test { .. } | Self::Error { .. } => None,
        }
    }
}

/// One row of the suite's table of results.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    pub part: Part,
    pub case: String,
    /// What was compared with the known answer.
    pub quantity: String,
    pub result: CheckResult,
}

/// Whether a check passes, given all other checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail,
}

impl Verdict {
    /// The name in tables and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
        }
    }
}

/// One verdict per check, in the same order.
///
/// A bound is judged alone. Tests are judged together by the step-down procedure of Holm (1979, "A simple sequentially rejective
/// multiple test procedure"), which controls the family-wise error rate under any dependence between tests. NaN fails.
#[must_use]
pub fn verdicts(checks: &[Check], family_wise_error_rate: f64) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = checks
        .iter()
        .map(|check| match &check.result {
            CheckResult::Bound { value, bound, .. } if value <= bound => Verdict::Pass,
            CheckResult::Test { p_value, .. } if !p_value.is_nan() => Verdict::Pass,
            _ => Verdict::Fail,
        })
        .collect();
    let mut tests: Vec<(usize, f64)> = checks
        .iter()
        .enumerate()
        .filter_map(|(index, check)| Some((index, check.result.p_value()?)))
        .filter(|(_, p_value)| !p_value.is_nan())
        .collect();
    tests.sort_by(|a, b| a.1.total_cmp(&b.1));
    let n = tests.len();
    for (rank, (index, p_value)) in tests.into_iter().enumerate() {
        if p_value > family_wise_error_rate / (n - rank) as f64 {
            break;
        }
        verdicts[index] = Verdict::Fail;
    }
    verdicts
}

/// Part, case, quantity, statistic, its value, and p-value or bound, in columns.
impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<12} {:<29} {:<26} ", self.part.name(), self.case, self.quantity)?;
        match &self.result {
            CheckResult::Test { statistic, value, p_value } => {
                write!(f, "{statistic:<14} {value:>9.3}   p = {:<8}", significant(*p_value))
            }
            CheckResult::Bound { measure, value, bound } => {
                write!(f, "{measure:<14} {:>9}   ≤ {:<10}", significant(*value), significant(*bound))
            }
            CheckResult::Error { reason } => write!(f, "error: {reason}"),
        }
    }
}

/// Three decimals; scientific notation below 0.001.
fn significant(value: f64) -> String {
    if value == 0.0 || value.abs() >= 0.001 { format!("{value:.3}") } else { format!("{value:.1e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(p_value: f64) -> Check {
        let result = CheckResult::Test { statistic: "max |z|", value: 0.0, p_value };
        Check { part: Part::Posteriors, case: String::new(), quantity: String::new(), result }
    }

    #[test]
    fn holm_rejects_up_to_the_first_p_value_above_its_limit() {
        // α/4 = 0.0125, α/3 = 0.0167, α/2 = 0.025: the third smallest is above its limit, so it and all larger ones pass.
        let checks = [0.04, 0.011, 0.016, 0.03].map(test);
        let verdicts = verdicts(&checks, 0.05);
        assert_eq!(verdicts, [Verdict::Pass, Verdict::Fail, Verdict::Fail, Verdict::Pass]);
    }

    #[test]
    fn undefined_numbers_and_errors_fail_and_do_not_tighten_the_other_limits() {
        let error = CheckResult::Error { reason: "no start".to_owned() };
        let bound = |value| CheckResult::Bound { measure: "deviation", value, bound: 1.0 };
        let with = |result| Check { result, ..test(0.5) };
        let checks = [test(f64::NAN), with(error), with(bound(f64::NAN)), with(bound(0.5)), test(0.04)];
        let verdicts = verdicts(&checks, 0.05);
        assert_eq!(verdicts[..3], [Verdict::Fail; 3]);
        assert_eq!(verdicts[3..], [Verdict::Pass, Verdict::Fail]);
    }
}
