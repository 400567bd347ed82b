//! What is fitted: which model, to which rows, with which seed.

use std::fmt;

/// The covariance matrices of a mixture's components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Covariance {
    /// Every component has a covariance matrix of its own, without restrictions: mclust's VVV.
    Full,
}

/// A model among those that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelKey {
    /// K.
    pub components: usize,
    pub covariance: Covariance,
}

impl ModelKey {
    /// K components with full covariance matrices.
    #[must_use]
    pub fn full(components: usize) -> Self {
        Self { components, covariance: Covariance::Full }
    }

    /// Its directory below one of results.
    #[must_use]
    pub fn directory(self) -> String {
        match self.covariance {
            Covariance::Full => format!("components={}", self.components),
        }
    }

    /// What tables and names of figures call it.
    #[must_use]
    pub fn label(self) -> String {
        match self.covariance {
            Covariance::Full => self.components.to_string(),
        }
    }

    /// A number that no other model has: the key of its random streams.
    #[must_use]
    pub fn stream_key(self) -> u64 {
        match self.covariance {
            Covariance::Full => self.components as u64,
        }
    }
}

impl fmt::Display for ModelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.covariance {
            Covariance::Full => write!(f, "K = {}", self.components),
        }
    }
}

/// Which rows a fit sees, and to what power it raises their likelihood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Variant {
    /// All rows.
    AllRows,
    /// All rows, with the likelihood raised to the power that WBIC asks for.
    Tempered,
    /// All rows but one fold of a random partition.
    Fold { repeat: usize, fold: usize },
    /// All rows but those of one group, numbered in the alphabetical order of the groups' names.
    Group(usize),
    /// All rows but those at which importance sampling for LOO is unreliable, under the prior of all rows.
    LeaveOut(LeftOut),
}

/// What a refit for LOO leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LeftOut {
    /// One observation, counted from 0.
    Observation(usize),
    /// One fold of the unreliable observations, where these are too many to be left out one by one.
    Fold(usize),
}

/// What is stored of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Its draws.
    Draws,
    /// The log predictive densities of the rows that it did not see.
    HeldOut,
}

impl Variant {
    /// What is stored of such a fit.
    #[must_use]
    pub fn kept(self) -> Kept {
        match self {
            Self::AllRows | Self::Tempered => Kept::Draws,
            Self::Fold { .. } | Self::Group(_) | Self::LeaveOut(_) => Kept::HeldOut,
        }
    }

    /// Top-level directories of results, one for each kind of fit.
    pub const DIRECTORIES: [&str; 5] = ["draws", "tempered", "folds", "groups", "refits"];

    /// The top-level directory of such fits.
    #[must_use]
    pub fn directory(self) -> &'static str {
        let index = match self {
            Self::AllRows => 0,
            Self::Tempered => 1,
            Self::Fold { .. } => 2,
            Self::Group(_) => 3,
            Self::LeaveOut(_) => 4,
        };
        Self::DIRECTORIES[index]
    }

    /// What tables call such fits.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::AllRows => "all rows",
            Self::Tempered | Self::Fold { .. } | Self::Group(_) | Self::LeaveOut(_) => self.directory(),
        }
    }

    /// The fit's own directory below those of its model and seed; none where there is one fit for each.
    #[must_use]
    pub fn subdirectory(self) -> Option<String> {
        match self {
            Self::AllRows | Self::Tempered => None,
            Self::Fold { repeat, fold } => Some(format!("repeat={repeat}/fold={fold}")),
            Self::Group(group) => Some(format!("group={group}")),
            Self::LeaveOut(LeftOut::Observation(row)) => Some(format!("observation={row}")),
            Self::LeaveOut(LeftOut::Fold(fold)) => Some(format!("fold={fold}")),
        }
    }

    /// A number that no other variant has, 0 for all rows: the key of its random streams.
    #[must_use]
    pub fn stream_key(self) -> u64 {
        // Repeats, folds and groups are fewer than 2²⁰.
        match self {
            Self::AllRows => 0,
            Self::Tempered => 5 << 60,
            Self::Fold { repeat, fold } => 1 << 60 | (repeat as u64) << 30 | fold as u64,
            Self::Group(group) => 2 << 60 | group as u64,
            Self::LeaveOut(LeftOut::Observation(row)) => 3 << 60 | row as u64,
            Self::LeaveOut(LeftOut::Fold(fold)) => 4 << 60 | fold as u64,
        }
    }
}

/// Folds, repeats and groups count from 1, observations from 0 as in every file; nothing for all rows.
impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllRows => Ok(()),
            Self::Tempered => f.write_str("tempered"),
            Self::Fold { repeat: 0, fold } => write!(f, "fold {}", fold + 1),
            Self::Fold { repeat, fold } => write!(f, "fold {} of repeat {}", fold + 1, repeat + 1),
            Self::Group(group) => write!(f, "group {}", group + 1),
            Self::LeaveOut(LeftOut::Observation(row)) => write!(f, "without observation {row}"),
            Self::LeaveOut(LeftOut::Fold(fold)) => write!(f, "without unreliable fold {}", fold + 1),
        }
    }
}

/// One fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Job {
    pub model: ModelKey,
    pub variant: Variant,
    pub seed: u64,
}

impl Job {
    /// Its directory below that of all results.
    #[must_use]
    pub fn directory(self) -> String {
        let above = format!("{}/{}/seed={}", self.variant.directory(), self.model.directory(), self.seed);
        self.variant.subdirectory().map_or(above.clone(), |own| format!("{above}/{own}"))
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, seed {}", self.model, self.seed)?;
        if self.variant == Variant::AllRows { Ok(()) } else { write!(f, ", {}", self.variant) }
    }
}
