//! Chains split in half, with R-hat and the effective sample size of the halves.

use super::ess;
use super::moments::{is_undefined, mean_of_variances, variance_of_means};

/// The first and last ⌊n/2⌋ draws of each chain, one half after the other.
pub(super) struct Halves {
    values: Vec<f64>,
    length: usize,
}

impl Halves {
    pub(super) fn new(column: &[f64], n_chains: usize) -> Self {
        Self::map(column, n_chains, |&value| value)
    }

    /// The halves of a function of the column.
    pub(super) fn map(column: &[f64], n_chains: usize, image: impl Fn(&f64) -> f64) -> Self {
        let layout = HalvesLayout::new(column.len(), n_chains);
        let mut values = Vec::with_capacity(layout.len());
        for chain in column.chunks_exact(layout.n_draws.max(1)) {
            values.extend(chain[..layout.half].iter().map(&image));
            values.extend(chain[layout.n_draws - layout.half..].iter().map(&image));
        }
        Self { values, length: layout.half }
    }

    pub(super) fn from_values(values: Vec<f64>, layout: &HalvesLayout) -> Self {
        Self { values, length: layout.half }
    }

    /// Split R-hat (VGSCB eq. 4): the root of the ratio of the pooled variance to the mean variance of the halves.
    pub(super) fn rhat(&self) -> f64 {
        if self.length < 2 || is_undefined(&self.values) {
            return f64::NAN;
        }
        // VGSCB eqs. 1–3.
        let (between, within) =
            (variance_of_means(&self.values, self.length), mean_of_variances(&self.values, self.length));
        let n = self.length as f64;
        (between / within + (n - 1.0) / n).sqrt()
    }

    /// Effective sample size of the mean of the halves.
    pub(super) fn ess(&self) -> f64 {
        ess::ess(&self.values, self.length)
    }
}

/// Which half each draw of a column belongs to.
pub(super) struct HalvesLayout {
    pub(super) n_draws: usize,
    pub(super) half: usize,
    n_chains: usize,
}

impl HalvesLayout {
    pub(super) fn new(length: usize, n_chains: usize) -> Self {
        assert!(n_chains > 0 && length.is_multiple_of(n_chains), "chains must be of one length");
        let n_draws = length / n_chains;
        Self { n_draws, half: n_draws / 2, n_chains }
    }

    /// Number of draws in all halves together.
    pub(super) fn len(&self) -> usize {
        2 * self.half * self.n_chains
    }

    /// For each draw of the column, its index within the halves; `None` for the middle draw of a chain of odd length.
    pub(super) fn places(&self) -> impl Iterator<Item = Option<usize>> {
        let (half, middle) = (self.half, self.n_draws - 2 * self.half);
        (0..self.n_chains).flat_map(move |chain| {
            let first = 2 * chain * half;
            let halves = (first..first + half).map(Some);
            halves.chain((0..middle).map(|_| None)).chain((first + half..first + 2 * half).map(Some))
        })
    }
}
