//! Strips and tiles: how observations and what belongs to them are laid out in memory during a pass.

use crate::mixture::triangular::packed_len;
use crate::simd::lanes::{LANES, Lanes, Vector};

/// Number of moments of a component: Σr, Σr z and the lower triangle of Σr z zᵀ.
pub(crate) const fn moments_len(n_features: usize) -> usize {
    1 + n_features + packed_len(n_features)
}

/// Blocks of [`LANES`] observations whitened together: enough parallel sums to hide the latency of additions.
pub(crate) const STRIP: usize = 4;

/// Observations per strip.
pub(crate) const STRIP_LEN: usize = STRIP * LANES;

/// One number for each observation of a strip.
pub(crate) type Strip = [Vector; STRIP];

/// Up to this many features, loops over features are unrolled and residuals are recomputed instead of stored.
pub(super) const UNROLLED: usize = 4;

/// Strips per tile. All steps run on one tile before the next, so that intermediate values stay in the caches. The blocks of a
/// tile are the bits of a mask.
pub(super) const TILE: usize = 4;

/// One number for each observation of a tile.
pub(super) type Row = [Strip; TILE];

pub(super) const EMPTY: Row = [[Vector::ZERO; STRIP]; TILE];

/// Rows and columns of products summed together in registers, if there are enough registers.
pub(super) const SQUARE: usize = 4;

/// Values stored between the steps of a tile.
#[derive(Debug, Clone)]
pub(crate) struct Buffers {
    /// K: logits, then 2^(logit − largest) where active.
    pub(super) logits: Vec<Row>,
    /// K masks: the blocks in which a component counts.
    pub(super) active: Vec<u32>,
    /// The largest logit of each observation; then 0 for padding.
    pub(super) largest: Row,
    /// The soft-max's denominators, then their inverses, 0 for padding.
    pub(super) totals: Row,
    /// K × D residuals z', if they are stored.
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

/// The observations and components of a pass.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    pub(crate) n_features: usize,
    /// Number of observations; the rest of the last strip is padding.
    pub(crate) n_observations: usize,
    /// Strips × D: the observations minus the origin.
    pub(crate) strips: &'a [Strip],
    /// K × (1 + D + D(D+1)/2): constant, −W'(μ − origin), W' packed.
    pub(crate) components: &'a [f64],
}

impl<'a> Pass<'a> {
    #[inline(always)]
    pub(super) fn components(&self) -> impl Iterator<Item = &'a [f64]> {
        self.components.chunks_exact(moments_len(self.n_features))
    }

    /// Number of blocks that are not all padding.
    #[inline(always)]
    pub(super) fn n_blocks(&self) -> usize {
        self.n_observations.div_ceil(LANES)
    }

    /// The pass tile by tile.
    #[inline(always)]
    pub(super) fn tiles(self) -> Parts<'a> {
        Parts { rest: self, n_strips: TILE }
    }

    /// The pass in parts of `n_observations`, a multiple of a strip's length.
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

/// Iterates over the set bits, ascending.
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
