//! The terms that a predictive score sums.

/// What sums to an estimate, and what its standard error is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terms {
    /// One term for each observation.
    Observations,
    /// One term for each group of observations.
    Groups,
}

impl Terms {
    /// The plural noun.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Observations => "observations",
            Self::Groups => "groups",
        }
    }
}
