//! The criteria, each in a file of its own, and what all of them answer.

mod aic;
mod bic;
mod cv;
mod evidence;
mod icl;
mod kfold;
mod laplace;
mod logo;
mod loo;
mod sbic;
mod waic;
mod wbic;

use std::fmt;
use std::str::FromStr;

pub use self::aic::aic;
pub use self::bic::bic;
pub use self::cv::cv;
pub use self::evidence::{Canonical, Evidence, EvidenceError, Importance, importance, log_evidence};
pub use self::icl::{entropy, icl};
pub use self::kfold::kfold;
pub use self::laplace::{Laplace, LaplaceError, laplace, log_evidence_by_blocks, log_evidence_of_labelled};
pub use self::logo::logo;
pub(crate) use self::loo::Efficiency;
pub use self::loo::{LooPoint, loo, relative_efficiency};
pub use self::sbic::{sbic, sbic_phi};
pub use self::waic::{WaicPoint, waic};
pub use self::wbic::{wbic, wbic_power};
use crate::criterion::{Criterion, for_each_criterion};
use crate::descriptor::{Basis, Descriptor, Fits, Scale, Source};

macro_rules! describe {
    ($($(#[$doc:meta])* $module:ident::$variant:ident),* $(,)?) => {
        impl Criterion {
            /// What the criterion is.
            #[must_use]
            pub fn descriptor(self) -> &'static Descriptor {
                match self {
                    $(Self::$variant => &$module::DESCRIPTOR,)*
                }
            }
        }
    };
}
for_each_criterion!(describe);

impl Criterion {
    /// The name in specs and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.descriptor().name
    }

    /// The name in print.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.descriptor().title
    }

    /// What the criterion's numbers are.
    #[must_use]
    pub fn scale(self) -> Scale {
        self.descriptor().scale
    }

    /// What the criterion is computed from.
    #[must_use]
    pub fn basis(self) -> Basis {
        self.descriptor().source.basis()
    }

    /// The fits whose draws the criterion needs; `None` if it needs none.
    #[must_use]
    pub fn fits(self) -> Option<Fits> {
        match self.descriptor().source {
            Source::Likelihood(_) | Source::Mode => None,
            Source::Draws(fits) => Some(fits),
        }
    }

    /// Whether a larger value is better: the only place that knows.
    #[must_use]
    pub fn higher_is_better(self) -> bool {
        match self.scale() {
            Scale::Deviance => false,
            Scale::Prediction | Scale::Evidence => true,
        }
    }

    /// How much worse a value is than another, on the criterion's own scale: positive if worse, whichever way is better.
    #[must_use]
    pub fn loss(self, value: f64, than: f64) -> f64 {
        if self.higher_is_better() { than - value } else { value - than }
    }

    /// The criteria that may give the answer, the one to ask first before the others.
    #[must_use]
    pub fn ranked() -> Vec<Self> {
        let mut ranked: Vec<Self> =
            Self::ALL.into_iter().filter(|criterion| criterion.descriptor().rank.is_some()).collect();
        ranked.sort_by_key(|criterion| criterion.descriptor().rank);
        ranked
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// A name that no criterion has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown criterion `{name}`; there are {}", Criterion::ALL.map(Criterion::name).join(", "))]
pub struct UnknownCriterion {
    /// As it was given.
    pub name: String,
}

impl FromStr for Criterion {
    type Err = UnknownCriterion;

    /// Reads what [`Criterion::name`] writes.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|criterion| criterion.name() == name);
        found.ok_or_else(|| UnknownCriterion { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GLOSSARY;

    #[test]
    fn every_name_reads_back_and_others_are_refused_with_the_list() {
        for criterion in Criterion::ALL {
            assert_eq!(criterion.name().parse(), Ok(criterion));
        }
        let refused = "BIC".parse::<Criterion>().unwrap_err().to_string();
        assert!(refused.starts_with("unknown criterion `BIC`; there are aic, bic, "), "{refused}");
    }

    #[test]
    fn a_loss_is_positive_for_the_worse_value() {
        assert_eq!(Criterion::Bic.loss(110.0, 100.0), 10.0);
        assert_eq!(Criterion::Loo.loss(-110.0, -100.0), 10.0);
    }

    #[test]
    fn no_two_criteria_share_a_place_in_the_answer() {
        let ranked = Criterion::ranked();
        let rank = |criterion: &Criterion| criterion.descriptor().rank;
        assert!(ranked.windows(2).all(|pair| rank(&pair[0]) < rank(&pair[1])), "{ranked:?}");
    }

    #[test]
    fn predictions_and_no_others_are_sums_over_terms() {
        for criterion in Criterion::ALL {
            let is_sum = criterion.descriptor().terms.is_some();
            assert_eq!(is_sum, criterion.scale() == Scale::Prediction, "{criterion}");
        }
    }

    #[test]
    fn the_glossary_explains_every_criterion() {
        for criterion in Criterion::ALL {
            assert!(GLOSSARY.contains(&format!("\n- `{}`: ", criterion.name())), "{criterion}");
        }
    }

    #[test]
    fn the_glossary_explains_every_column_of_scores_and_comparisons() {
        for column in [
            "estimate",
            "se",
            "mcse",
            "p_eff",
            "n_bad",
            "reliable",
            "note",
            "rank",
            "difference",
            "difference_se",
            "difference_mcse",
            "weight",
            "verdict",
        ] {
            assert!(GLOSSARY.contains(&format!("\n**{column}** — ")), "{column}");
        }
    }
}
