//! Strips and tiles: how observations and what belongs to them are laid out in memory during a pass.

use crate::mixture::triangular::packed_len;
use crate::simd::lanes::{LANES, Lanes, Vector};

/// Numbers kept of each component: Σr, Σr z and the lower triangle of Σr z zᵀ.
pub(crate) const fn moments_len(n_features: usize) -> usize {
    1 + n_features + packed_len(n_features)
}

/// Blocks of [`LANES`] observations that are whitened together: enough sums under way at once to hide an addition's latency.
pub(crate) const STRIP: usize = 4;

/// Observations in a strip.
pub(crate) const STRIP_LEN: usize = STRIP * LANES;

/// A number of every observation of a strip.
pub(crate) type Strip = [Vector; STRIP];

/// Up to this many features the loops over features are unrolled, and residuals are had again rather than stored.
pub(super) const UNROLLED: usize = 4;

/// Strips that are carried through all steps together, so that what is stored between the steps stays in the caches. Their
/// blocks are the bits of a mask.
pub(super) const TILE: usize = 4;

/// A number of every observation of a tile.
pub(super) type Row = [Strip; TILE];

pub(super) const EMPTY: Row = [[Vector::ZERO; STRIP]; TILE];

/// Rows and columns of products that are summed in registers together, where there are registers for it.
pub(super) const SQUARE: usize = 4;

/// What is stored between the steps of a tile.
#[derive(Debug, Clone)]
pub(crate) struct Buffers {
    /// K: logits, then 2^(logit − largest) where active.
    pub(super) logits: Vec<Row>,
    /// K masks: which blocks are within a component's reach.
    pub(super) active: Vec<u32>,
    /// The largest logit of each observation, then 0 for those that do not count.
    pub(super) largest: Row,
    /// The soft-max's denominators, then their inverses, 0 for observations that do not count.
    pub(super) totals: Row,
    /// K × D, if they are stored: residuals z'.
    pub(super) residuals: Vec<Row>,
    /// One component's responsibilities, and a few rows of their products with residuals.
    pub(super) weights: Row,
    pub(super) weighted: [Row; SQUARE],
}

impl Buffers {
    pub(crate) fn new(n_components: usize, n_features: usize) -> Self {
        let n_residuals = if n_features <= UNROLLED { 0 } else { n_components * n_features };
        Self {
            logits: vec![EMPTY; n_components],
            active: vec![0; n_components],
            largest: EMPTY,
            totals: EMPTY,
            residuals: vec![EMPTY; n_residuals],
            weights: EMPTY,
            weighted: [EMPTY; SQUARE],
        }
    }
}

/// Observations, and the components in the form that the pass wants.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    pub(crate) n_features: usize,
    /// How many observations count, from the first on; the last strip is filled up with others.
    pub(crate) n_observations: usize,
    /// Strips × D: the observations less the origin.
    pub(crate) strips: &'a [Strip],
    /// K × (1 + D + D(D+1)/2): constant, −W'(μ − origin), W' packed.
    pub(crate) components: &'a [f64],
}

impl<'a> Pass<'a> {
    #[inline(always)]
    pub(super) fn components(&self) -> impl Iterator<Item = &'a [f64]> {
        self.components.chunks_exact(moments_len(self.n_features))
    }

    /// Blocks in which an observation counts.
    #[inline(always)]
    pub(super) fn n_blocks(&self) -> usize {
        self.n_observations.div_ceil(LANES)
    }

    /// The pass tile by tile.
    #[inline(always)]
    pub(super) fn tiles(self) -> Parts<'a> {
        Parts { rest: self, n_strips: TILE }
    }

    /// The pass in parts of so many observations, a multiple of a strip's.
    pub(crate) fn parts(self, n_observations: usize) -> Parts<'a> {
        Parts { rest: self, n_strips: n_observations / STRIP_LEN }
    }
}

pub(crate) struct Parts<'a> {
    rest: Pass<'a>,
    n_strips: usize,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Pass<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Pass<'a>> {
        if self.rest.strips.is_empty() {
            return None;
        }
        let end = (self.n_strips * self.rest.n_features).min(self.rest.strips.len());
        let (strips, rest) = self.rest.strips.split_at(end);
        let n_observations = (self.n_strips * STRIP_LEN).min(self.rest.n_observations);
        let part = Pass { strips, n_observations, ..self.rest };
        self.rest.strips = rest;
        self.rest.n_observations -= n_observations;
        Some(part)
    }
}

/// The numbers of the bits that are set, ascending.
pub(super) struct Bits(pub(super) u32);

impl Iterator for Bits {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(bit)
    }
}

#[inline(always)]
pub(super) fn add_to<V: Lanes>(sum: &mut Vector, value: V) {
    V::load(sum).plus(value).store(sum);
}

#[inline(always)]
pub(super) fn block(row: &Row, v: usize) -> &Vector {
    &row[v / STRIP][v % STRIP]
}
