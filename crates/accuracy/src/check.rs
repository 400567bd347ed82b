//! What a case found, as data, and the verdict over all of it.

use std::fmt;

/// Family-wise error rate: the probability that a sampler without fault fails any of the suite's tests.
///
/// Seeds are fixed, so that the suite passes or fails the same way every time; a change that gives the same distribution by
/// other draws is a new trial. One in a thousand such changes is blamed wrongly, and every fault of `tests/mutants.rs` is told
/// from chance all the same.
pub const FAMILY_WISE: f64 = 0.001;

/// The parts of the suite, by where the truth comes from.
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
    /// Log evidence, estimated twice, where it is known.
    LogEvidence,
    /// The sampler on the same problem in other coordinates.
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

/// What a check has to go by.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// A statistic that is random also where all is well; small p-values speak against the sampler.
    Test { statistic: &'static str, value: f64, p_value: f64 },
    /// A number that has to stay below a bound, whatever the draws.
    Bound { measure: &'static str, value: f64, bound: f64 },
    /// The work ended before there was a number.
    Broken { reason: String },
}

impl Evidence {
    /// What was measured, in a word or two.
    #[must_use]
    pub fn statistic(&self) -> &str {
        match self {
            Self::Test { statistic, .. } => statistic,
            Self::Bound { measure, .. } => measure,
            Self::Broken { reason } => reason,
        }
    }

    #[must_use]
    pub fn value(&self) -> Option<f64> {
        match *self {
            Self::Test { value, .. } | Self::Bound { value, .. } => Some(value),
            Self::Broken { .. } => None,
        }
    }

    #[must_use]
    pub fn p_value(&self) -> Option<f64> {
        match *self {
            Self::Test { p_value, .. } => Some(p_value),
            Self::Bound { .. } | Self::Broken { .. } => None,
        }
    }

    #[must_use]
    pub fn bound(&self) -> Option<f64> {
        match *self {
            Self::Bound { bound, .. } => Some(bound),
            Self::Test { .. } | Self::Broken { .. } => None,
        }
    }
}

/// One row of the suite's table.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    pub part: Part,
    pub case: String,
    /// What was compared.
    pub quantity: String,
    pub evidence: Evidence,
}

/// A check's evidence, judged among all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail,
}

impl Verdict {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
        }
    }
}

/// One verdict per check: bounds by themselves, p-values by the step-down procedure of Holm (1979, "A simple sequentially
/// rejective multiple test procedure"), which keeps the family-wise error rate however the tests depend on each other.
/// An undefined number fails.
#[must_use]
pub fn judge(checks: &[Check], family_wise: f64) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = checks
        .iter()
        .map(|check| match &check.evidence {
            Evidence::Bound { value, bound, .. } if value <= bound => Verdict::Pass,
            Evidence::Test { p_value, .. } if !p_value.is_nan() => Verdict::Pass,
            _ => Verdict::Fail,
        })
        .collect();
    let mut tests: Vec<(usize, f64)> = checks
        .iter()
        .enumerate()
        .filter_map(|(index, check)| Some((index, check.evidence.p_value()?)))
        .filter(|(_, p_value)| !p_value.is_nan())
        .collect();
    tests.sort_by(|a, b| a.1.total_cmp(&b.1));
    let n = tests.len();
    for (rank, (index, p_value)) in tests.into_iter().enumerate() {
        if p_value > family_wise / (n - rank) as f64 {
            break;
        }
        verdicts[index] = Verdict::Fail;
    }
    verdicts
}

/// Part, case, quantity, statistic with its value, p-value or bound: the columns of the table, without the verdict.
impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<12} {:<29} {:<26} ", self.part.name(), self.case, self.quantity)?;
        match &self.evidence {
            Evidence::Test { statistic, value, p_value } => {
                write!(f, "{statistic:<14} {value:>9.3}   p = {:<8}", significant(*p_value))
            }
            Evidence::Bound { measure, value, bound } => {
                write!(f, "{measure:<14} {:>9}   ≤ {:<10}", significant(*value), significant(*bound))
            }
            Evidence::Broken { reason } => write!(f, "broken: {reason}"),
        }
    }
}

/// Two or three digits, small numbers by their power of ten.
fn significant(value: f64) -> String {
    if value == 0.0 || value.abs() >= 0.001 { format!("{value:.3}") } else { format!("{value:.1e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(p_value: f64) -> Check {
        let evidence = Evidence::Test { statistic: "max |z|", value: 0.0, p_value };
        Check { part: Part::Posteriors, case: String::new(), quantity: String::new(), evidence }
    }

    #[test]
    fn holm_steps_down_until_the_first_p_value_that_is_large_enough() {
        // α/4 = 0.0125, α/3 = 0.0167, α/2 = 0.025: the third smallest stays, and so does all above it.
        let checks = [0.04, 0.011, 0.016, 0.03].map(test);
        let verdicts = judge(&checks, 0.05);
        assert_eq!(verdicts, [Verdict::Pass, Verdict::Fail, Verdict::Fail, Verdict::Pass]);
    }

    #[test]
    fn what_is_undefined_or_broken_fails_and_costs_the_others_nothing() {
        let broken = Evidence::Broken { reason: "no start".to_owned() };
        let bound = |value| Evidence::Bound { measure: "deviation", value, bound: 1.0 };
        let with = |evidence| Check { evidence, ..test(0.5) };
        let checks = [test(f64::NAN), with(broken), with(bound(f64::NAN)), with(bound(0.5)), test(0.04)];
        let verdicts = judge(&checks, 0.05);
        assert_eq!(verdicts[..3], [Verdict::Fail; 3]);
        assert_eq!(verdicts[3..], [Verdict::Pass, Verdict::Fail]);
    }
}
