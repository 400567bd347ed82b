//! What a criterion is: its name, its scale, what it is computed from and how an answer may use it.

use crate::maximum::Maxima;
use crate::score::Score;
use crate::terms::Terms;

/// All that is known of a criterion but its values. Each criterion declares one beside its formula.
#[derive(Debug, Clone, Copy)]
pub struct Descriptor {
    /// The name in specs and files.
    pub name: &'static str,
    /// The name in print.
    pub title: &'static str,
    /// What the numbers are, and which way is better.
    pub scale: Scale,
    /// What it is computed from.
    pub source: Source,
    /// What sums to the estimate; `None` for a criterion that is not a sum.
    pub terms: Option<Terms>,
    /// The paper it is from, as a bibliography has it.
    pub reference: &'static str,
    /// Why the criterion chooses a K, as the rest of a sentence that begins with "K = 3".
    pub rationale: &'static str,
    /// Order in which criteria are asked for the answer, the lowest first. `None`: it never gives the answer.
    pub rank: Option<u32>,
    /// Whether it is computed where a spec names no criteria.
    pub by_default: bool,
}

/// What the numbers of a criterion are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// −2 log likelihood plus a penalty: lower is better.
    Deviance,
    /// Expected log predictive density of N new observations, in nats: higher is better. It is a sum over observations or groups,
    /// so a difference has a standard error over these.
    Prediction,
    /// Log probability of the data, in nats: higher is better.
    Evidence,
}

/// What a criterion is computed from.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// The maximised likelihood of every K; no prior and no draws enter. The function scores each of the [`Maxima`], in their order.
    Likelihood(fn(&Maxima<'_>) -> Vec<Score>),
    /// The posterior's modes; no draws enter.
    Mode,
    /// Draws of these fits.
    Draws(Fits),
}

/// The fits whose draws a criterion needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fits {
    /// Of all rows.
    AllRows,
    /// Of all rows, and one without each observation at which reweighting those draws fails.
    AllRowsAndRefits,
    /// Of all rows, with the likelihood raised to a power.
    Tempered,
    /// One without each fold of a random partition of the rows.
    Folds,
    /// One without each group of rows that belong together.
    Groups,
}

/// The kinds of [`Source`].
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

impl Source {
    /// Which kind it is.
    #[must_use]
    pub fn basis(self) -> Basis {
        match self {
            Self::Likelihood(_) => Basis::Maximum,
            Self::Mode => Basis::Mode,
            Self::Draws(Fits::AllRows | Fits::AllRowsAndRefits) => Basis::Posterior,
            Self::Draws(Fits::Tempered) => Basis::Tempered,
            Self::Draws(Fits::Folds | Fits::Groups) => Basis::HeldOut,
        }
    }
}
