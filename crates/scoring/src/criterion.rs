//! The criteria, their names, and the only place that knows which way is better.

use std::fmt;
use std::str::FromStr;

/// A way to score a fitted mixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Criterion {
    /// Akaike (1973).
    Aic,
    /// Schwarz (1978).
    Bic,
    /// Singular BIC, Drton & Plummer (2017).
    Sbic,
    /// Widely applicable Bayesian information criterion, Watanabe (2013).
    Wbic,
    /// Integrated completed likelihood, Biernacki, Celeux & Govaert (2000).
    Icl,
    /// Widely applicable information criterion, Watanabe (2010).
    Waic,
    /// Leave-one-out by Pareto-smoothed importance sampling, Vehtari, Gelman & Gabry (2017).
    Loo,
    /// K-fold cross-validation with fits that never saw the held-out rows.
    Kfold,
    /// Leave-one-group-out: cross-validation that holds out rows that belong together, together.
    Logo,
    /// Log evidence by bridge sampling, Meng & Wong (1996).
    Evidence,
    /// Log evidence by Laplace's method, Tierney & Kadane (1986).
    Laplace,
}

/// What the numbers of a criterion are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// −2 log likelihood plus a penalty: lower is better.
    Deviance,
    /// Expected log predictive density of N new observations, in nats: higher is better, and a sum over observations or groups
    /// of them, so that differences have standard errors over these.
    Prediction,
    /// Log probability of the data, in nats: higher is better.
    Evidence,
}

/// What a criterion has to be computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The maximised likelihood: no prior and no draws enter.
    Maximum,
    /// The posterior's mode: no draws enter.
    Mode,
    /// Draws of a fit of all rows.
    Posterior,
    /// Draws of a fit of all rows whose likelihood is raised to a power.
    Tempered,
    /// Draws of fits that did not see the rows they are scored on.
    HeldOut,
}

impl Criterion {
    /// All criteria, in the order in which they are reported.
    pub const ALL: [Self; 11] = [
        Self::Aic,
        Self::Bic,
        Self::Sbic,
        Self::Wbic,
        Self::Icl,
        Self::Waic,
        Self::Loo,
        Self::Kfold,
        Self::Logo,
        Self::Evidence,
        Self::Laplace,
    ];

    /// The name in specs and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aic => "aic",
            Self::Bic => "bic",
            Self::Sbic => "sbic",
            Self::Wbic => "wbic",
            Self::Icl => "icl",
            Self::Waic => "waic",
            Self::Loo => "loo",
            Self::Kfold => "kfold",
            Self::Logo => "logo",
            Self::Evidence => "evidence",
            Self::Laplace => "laplace",
        }
    }

    /// The name in print.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Aic => "AIC",
            Self::Bic => "BIC",
            Self::Sbic => "sBIC",
            Self::Wbic => "WBIC",
            Self::Icl => "ICL",
            Self::Waic => "WAIC",
            Self::Loo => "PSIS-LOO",
            Self::Kfold => "K-fold",
            Self::Logo => "Group-out",
            Self::Evidence => "Log evidence",
            Self::Laplace => "Laplace",
        }
    }

    /// What the criterion's numbers are.
    #[must_use]
    pub fn scale(self) -> Scale {
        match self {
            Self::Aic | Self::Bic | Self::Sbic | Self::Wbic | Self::Icl => Scale::Deviance,
            Self::Waic | Self::Loo | Self::Kfold | Self::Logo => Scale::Prediction,
            Self::Evidence | Self::Laplace => Scale::Evidence,
        }
    }

    /// What the criterion is computed from.
    #[must_use]
    pub fn basis(self) -> Basis {
        match self {
            Self::Aic | Self::Bic | Self::Sbic | Self::Icl => Basis::Maximum,
            Self::Laplace => Basis::Mode,
            Self::Waic | Self::Loo | Self::Evidence => Basis::Posterior,
            Self::Wbic => Basis::Tempered,
            Self::Kfold | Self::Logo => Basis::HeldOut,
        }
    }

    #[must_use]
    pub fn higher_is_better(self) -> bool {
        self.scale() != Scale::Deviance
    }

    /// What the terms are that sum to the estimate, and that its standard error is over.
    #[must_use]
    pub fn terms(self) -> &'static str {
        if self == Self::Logo { "groups" } else { "observations" }
    }

    /// How much worse a value is than another, on the criterion's own scale: positive if worse, whichever way is better.
    #[must_use]
    pub fn loss(self, value: f64, than: f64) -> f64 {
        if self.higher_is_better() { than - value } else { value - than }
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// A name that is no criterion's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown criterion `{name}`; there are {}", Criterion::ALL.map(Criterion::name).join(", "))]
pub struct UnknownCriterion {
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

    #[test]
    fn every_name_reads_back_and_others_are_refused_with_the_list() {
        for criterion in Criterion::ALL {
            assert_eq!(criterion.name().parse(), Ok(criterion));
        }
        let refused = "BIC".parse::<Criterion>().unwrap_err();
        assert_eq!(
            refused.to_string(),
            "unknown criterion `BIC`; there are aic, bic, sbic, wbic, icl, waic, loo, kfold, logo, evidence, laplace"
        );
    }

    #[test]
    fn a_loss_is_positive_for_the_worse_value() {
        assert_eq!(Criterion::Bic.loss(110.0, 100.0), 10.0);
        assert_eq!(Criterion::Loo.loss(-110.0, -100.0), 10.0);
    }
}
