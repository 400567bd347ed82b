//! The hot loop: logits of a tile of observations, their soft-max, and the weighted sums.
//!
//! Logits are to base 2, `log₂ w_k − ½ log₂|2πΣ_k| − |z'|²` with `z' = z √(½ log₂ e)`: the exponential's range reduction is
//! then exact and the square needs no factor. A component whose weighted density is below 2⁻⁶⁰ of the largest for all
//! observations of a block does not change their sums in double precision, and is skipped.

mod stored;
pub(super) mod tile;
mod unrolled;

use crate::simd::elementary::{exp2, ln};
use crate::simd::instructions::dispatched;
use crate::simd::lanes::{LANES, Lanes, Vector};
use tile::{Bits, Buffers, Pass, STRIP, Strip, TILE, block, moments_len};

/// A component is skipped if log₂ of its share of the largest term is below this.
const OUT_OF_REACH: f64 = -60.0;

/// Lower bound of the exponential's argument, for lanes that do not need a component that other lanes of the block need.
const LEAST_EXPONENT: f64 = -1000.0;

dispatched! {
    /// Adds the moments of z' to `sums` (K × moments); returns the log-likelihood in nats.
    pub(super) accumulate => accumulate_body(pass: Pass<'_>, buffers: &mut Buffers, sums: &mut [Vector]) -> f64
}

dispatched! {
    /// Log densities in nats, strip by strip.
    pub(super) log_densities => log_densities_body(pass: Pass<'_>, buffers: &mut Buffers, log_densities: &mut [Strip])
}

dispatched! {
    /// Responsibilities (strips × K); `responsibilities` begins with zeros.
    pub(super) responsibilities => responsibilities_body(
        pass: Pass<'_>,
        buffers: &mut Buffers,
        responsibilities: &mut [Strip],
    )
}

dispatched! {
    /// Sums the moments (K × moments) over lanes and converts them from z' = z / scale to z.
    pub(super) collapse => collapse_body(n_features: usize, scale: f64, sums: &[Vector], moments: &mut [f64])
}

#[inline(always)]
fn collapse_body<V: Lanes>(n_features: usize, scale: f64, sums: &[Vector], moments: &mut [f64]) {
    let width = moments_len(n_features);
    for (sums, moments) in sums.chunks_exact(width).zip(moments.chunks_exact_mut(width)) {
        moments.iter_mut().zip(sums).for_each(|(moment, lanes)| *moment = V::load(lanes).sum());
        let (first, second) = moments[1..].split_at_mut(n_features);
        first.iter_mut().for_each(|moment| *moment *= scale);
        second.iter_mut().for_each(|moment| *moment *= scale * scale);
    }
}

#[inline(always)]
fn accumulate_body<V: Lanes>(pass: Pass<'_>, buffers: &mut Buffers, sums: &mut [Vector]) -> f64 {
    match pass.n_features {
        1 => accumulate_unrolled::<V, 1>(pass, buffers, sums),
        2 => accumulate_unrolled::<V, 2>(pass, buffers, sums),
        3 => accumulate_unrolled::<V, 3>(pass, buffers, sums),
        4 => accumulate_unrolled::<V, 4>(pass, buffers, sums),
        _ => {
            let mut log_likelihood = LogLikelihood::<V>::new();
            for tile in pass.tiles() {
                stored::logits::<V>(tile, buffers);
                soft_max::<V>(tile, buffers, &mut log_likelihood);
                stored::add_moments::<V>(tile.n_features, buffers, sums);
            }
            log_likelihood.value()
        }
    }
}

#[inline(always)]
fn accumulate_unrolled<V: Lanes, const D: usize>(
    pass: Pass<'_>,
    buffers: &mut Buffers,
    sums: &mut [Vector],
) -> f64 {
    let mut log_likelihood = LogLikelihood::<V>::new();
    for tile in pass.tiles() {
        unrolled::logits::<V, D>(tile, buffers);
        soft_max::<V>(tile, buffers, &mut log_likelihood);
        unrolled::add_moments::<V, D>(tile, buffers, sums);
    }
    log_likelihood.value()
}

/// Running sum of the log densities.
struct LogLikelihood<V> {
    /// Σ of the largest logits, base 2.
    largest: V,
    /// Σ ln of the soft-max's denominators.
    log_totals: V,
}

impl<V: Lanes> LogLikelihood<V> {
    #[inline(always)]
    fn new() -> Self {
        Self { largest: V::splat(0.0), log_totals: V::splat(0.0) }
    }

    #[inline(always)]
    fn value(self) -> f64 {
        let largest = self.largest.sum();
        // If all components underflow for an observation, the denominators are meaningless.
        if largest.is_finite() {
            largest.mul_add(std::f64::consts::LN_2, self.log_totals.sum())
        } else {
            largest
        }
    }
}

/// Replaces logits by 2^(logit − largest) where a component counts, and totals by their inverses, 0 for padding: their products
/// are the responsibilities.
#[inline(always)]
fn soft_max<V: Lanes>(tile: Pass<'_>, buffers: &mut Buffers, log_likelihood: &mut LogLikelihood<V>) {
    let n_blocks = tile.n_blocks();
    exponentials::<V>(n_blocks, buffers);
    let totals = &mut buffers.totals.as_flattened_mut()[..n_blocks];
    let largest = &mut buffers.largest.as_flattened_mut()[..n_blocks];
    let last = n_blocks - 1;
    for l in tile.n_observations - last * LANES..LANES {
        (totals[last].0[l], largest[last].0[l]) = (1.0, 0.0);
    }
    // Σ ln total = ln Π total: K components in a tile of 16 blocks make a product of at most K¹⁶.
    let mut product = V::splat(1.0);
    for (total, largest) in totals.iter_mut().zip(largest) {
        let value = V::load(total);
        product = product.times(value);
        log_likelihood.largest = log_likelihood.largest.plus(V::load(largest));
        V::splat(1.0).over(value).store(total);
    }
    log_likelihood.log_totals = log_likelihood.log_totals.plus(ln(product));
    for l in tile.n_observations - last * LANES..LANES {
        totals[last].0[l] = 0.0;
    }
}

/// Replaces logits by 2^(logit − largest) where a component counts, and writes their sums to the totals.
#[inline(always)]
fn exponentials<V: Lanes>(n_blocks: usize, buffers: &mut Buffers) {
    let total = &mut buffers.totals.as_flattened_mut()[..n_blocks];
    let largest = &buffers.largest.as_flattened()[..n_blocks];
    total.fill(Vector::ZERO);
    for (logits, active) in buffers.logits.iter_mut().zip(&mut buffers.active) {
        let logits = logits.as_flattened_mut();
        *active = 0;
        for (v, (largest, logit)) in largest.iter().zip(logits.iter()).enumerate() {
            let least = V::load(largest).plus(V::splat(OUT_OF_REACH));
            *active |= u32::from(V::load(logit).any_above(least)) << v;
        }
        for v in Bits(*active) {
            let exponent = V::load(&logits[v]).minus(V::load(&largest[v]));
            let exponential = exp2(exponent.larger(V::splat(LEAST_EXPONENT)));
            exponential.store(&mut logits[v]);
            V::load(&total[v]).plus(exponential).store(&mut total[v]);
        }
    }
}

/// Logits for any number of features, unrolled for few.
#[inline(always)]
fn any_logits<V: Lanes>(tile: Pass<'_>, buffers: &mut Buffers) {
    match tile.n_features {
        1 => unrolled::logits::<V, 1>(tile, buffers),
        2 => unrolled::logits::<V, 2>(tile, buffers),
        3 => unrolled::logits::<V, 3>(tile, buffers),
        4 => unrolled::logits::<V, 4>(tile, buffers),
        _ => stored::logits::<V>(tile, buffers),
    }
}

#[inline(always)]
fn log_densities_body<V: Lanes>(pass: Pass<'_>, buffers: &mut Buffers, log_densities: &mut [Strip]) {
    for (tile, log_densities) in pass.tiles().zip(log_densities.chunks_mut(TILE)) {
        any_logits::<V>(tile, buffers);
        exponentials::<V>(tile.n_blocks(), buffers);
        let blocks = buffers.totals.as_flattened().iter().zip(buffers.largest.as_flattened());
        for ((total, largest), log_density) in
            blocks.zip(log_densities.as_flattened_mut()).take(tile.n_blocks())
        {
            let (total, largest) = (V::load(total), V::load(largest));
            // If all components underflow for an observation its total is 0, for which `ln` is unspecified.
            let log_total = ln(total.larger(V::splat(1.0)));
            largest.multiply_add(V::splat(std::f64::consts::LN_2), log_total).store(log_density);
        }
    }
}

#[inline(always)]
fn responsibilities_body<V: Lanes>(pass: Pass<'_>, buffers: &mut Buffers, responsibilities: &mut [Strip]) {
    let n_components = buffers.active.len();
    for (tile, responsibilities) in pass.tiles().zip(responsibilities.chunks_mut(TILE * n_components)) {
        any_logits::<V>(tile, buffers);
        exponentials::<V>(tile.n_blocks(), buffers);
        for (k, exponentials) in buffers.logits.iter().enumerate() {
            for v in Bits(buffers.active[k]) {
                let r = V::load(block(exponentials, v)).over(V::load(block(&buffers.totals, v)));
                r.store(&mut responsibilities[v / STRIP * n_components + k][v % STRIP]);
            }
        }
    }
}
