//! What is wrong with a fit, as data: computed by `scores`, stored beside what a fit says of held-out rows.

use serde::{Deserialize, Serialize};

/// A reason why a fit is unreliable. Chains are counted from 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diagnostic {
    /// Chains fell into the spike of tied observations and are left out: the exact posterior is improper.
    ChainsLeftOut { chains: Vec<usize> },
    /// Chains sit in a mode that describes tied observations: rounding made it.
    ChainsOnSpike { chains: Vec<usize> },
    /// R-hat is undefined.
    UndefinedRhat,
    /// R-hat is too large; `span` is that of the chains' mean log densities, in nats.
    LargeRhat { rhat: f64, span: f64 },
    /// Effective draws are too few, or their number is undefined; `key` of the spec gives more draws.
    SmallEss { ess: Option<f64>, key: DrawsKey },
    /// Trajectories diverged.
    Divergences { divergences: usize, n_draws: usize },
    /// The smallest energy Bayesian fraction of missing information over chains is too small.
    SmallBfmi { bfmi: f64, key: DrawsKey },
    /// The words of a file that an earlier version wrote.
    Recorded(String),
}

/// The key of the spec that says how many draws a fit keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrawsKey {
    Draws,
    FoldDraws,
}

impl DrawsKey {
    /// As the spec spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Draws => "draws",
            Self::FoldDraws => "fold_draws",
        }
    }
}

/// Diagnostics as a footer holds them: JSON; empty if there are none.
#[must_use]
pub fn to_text(diagnostics: &[Diagnostic]) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    serde_json::to_string(diagnostics).expect("JSON can hold every diagnostic")
}

/// What [`to_text`] wrote; any other text is the words of an earlier version.
#[must_use]
pub fn from_text(text: &str) -> Vec<Diagnostic> {
    if text.is_empty() {
        return Vec::new();
    }
    serde_json::from_str(text).unwrap_or_else(|_| vec![Diagnostic::Recorded(text.to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagnostics_read_back_and_words_of_earlier_versions_are_kept() {
        let found = [
            Diagnostic::ChainsLeftOut { chains: vec![1, 3] },
            Diagnostic::LargeRhat { rhat: 1.25, span: 40.5 },
            Diagnostic::SmallEss { ess: None, key: DrawsKey::FoldDraws },
        ];
        assert_eq!(from_text(&to_text(&found)), found);
        assert_eq!(to_text(&[]), "");
        assert_eq!(from_text(""), []);
        let words = "12 of 1000 draws diverged: part of the posterior may be missing";
        assert_eq!(from_text(words), [Diagnostic::Recorded(words.to_owned())]);
    }
}
