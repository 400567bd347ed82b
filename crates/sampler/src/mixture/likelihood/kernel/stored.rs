//! The steps for any number of features, with residuals stored between them.

use super::tile::{Bits, Buffers, Pass, Row, SQUARE, STRIP, add_to, block, moments_len};
use crate::mixture::triangular::at;
use crate::simd::lanes::{Lanes, Vector};

/// Logits and residuals of a tile for any number of features, and the largest logit of each observation.
#[inline(always)]
pub(super) fn logits<V: Lanes>(tile: Pass<'_>, buffers: &mut Buffers) {
    let d = tile.n_features;
    for (index, strip) in tile.strips.chunks_exact(d).enumerate() {
        let mut highest = [V::splat(f64::NEG_INFINITY); STRIP];
        let residuals = buffers.residuals.chunks_exact_mut(d);
        for ((component, logits), residuals) in tile.components().zip(&mut buffers.logits).zip(residuals) {
            let (offset, factor) = component[1..].split_at(d);
            let mut logit = [V::splat(component[0]); STRIP];
            let mut rows = residuals.chunks_exact_mut(2);
            let mut i = 0;
            for pair in &mut rows {
                let upper = &factor[at(i, 0)..=at(i, i)];
                let lower = &factor[at(i + 1, 0)..at(i + 1, i + 1)];
                let mut z = [V::splat(offset[i]); STRIP];
                let mut z_lower = [V::splat(offset[i + 1]); STRIP];
                for ((&upper, &lower), y) in upper.iter().zip(lower).zip(strip) {
                    for s in 0..STRIP {
                        let y = V::load(&y[s]);
                        z[s] = V::splat(upper).multiply_add(y, z[s]);
                        z_lower[s] = V::splat(lower).multiply_add(y, z_lower[s]);
                    }
                }
                let diagonal = V::splat(factor[at(i + 1, i + 1)]);
                for s in 0..STRIP {
                    z_lower[s] = diagonal.multiply_add(V::load(&strip[i + 1][s]), z_lower[s]);
                    logit[s] = z[s].negative_multiply_add(z[s], logit[s]);
                    logit[s] = z_lower[s].negative_multiply_add(z_lower[s], logit[s]);
                    z[s].store(&mut pair[0][index][s]);
                    z_lower[s].store(&mut pair[1][index][s]);
                }
                i += 2;
            }
            if let [last] = rows.into_remainder() {
                let mut z = [V::splat(offset[i]); STRIP];
                for (&entry, y) in factor[at(i, 0)..].iter().zip(strip) {
                    for s in 0..STRIP {
                        z[s] = V::splat(entry).multiply_add(V::load(&y[s]), z[s]);
                    }
                }
                for s in 0..STRIP {
                    logit[s] = z[s].negative_multiply_add(z[s], logit[s]);
                    z[s].store(&mut last[index][s]);
                }
            }
            for s in 0..STRIP {
                logit[s].store(&mut logits[index][s]);
                highest[s] = logit[s].larger(highest[s]);
            }
        }
        for s in 0..STRIP {
            highest[s].store(&mut buffers.largest[index][s]);
        }
    }
}

/// Adds the moments of a tile to `sums`.
#[inline(always)]
pub(super) fn add_moments<V: Lanes>(d: usize, buffers: &mut Buffers, sums: &mut [Vector]) {
    let Buffers { logits, active, totals, residuals, weights, weighted, .. } = buffers;
    let components = logits.iter().zip(active).zip(residuals.chunks_exact(d));
    for (sums, ((exponentials, &mut active), z)) in sums.chunks_exact_mut(moments_len(d)).zip(components) {
        if active == 0 {
            continue;
        }
        let mut count = V::splat(0.0);
        for v in Bits(active) {
            let r = V::load(block(exponentials, v)).times(V::load(block(totals, v)));
            r.store(&mut weights.as_flattened_mut()[v]);
            count = count.plus(r);
        }
        add_to(&mut sums[0], count);
        let (first, second) = sums[1..].split_at_mut(d);
        if V::MANY_REGISTERS {
            add_triangle::<V, SQUARE>(weights, z, active, weighted, first, second);
        } else {
            add_triangle::<V, 2>(weights, z, active, weighted, first, second);
        }
    }
}

/// Adds Σ r z and the triangle of Σ r z zᵀ, in squares of B × B sums that are kept in registers.
#[inline(always)]
fn add_triangle<V: Lanes, const B: usize>(
    r: &Row,
    z: &[Row],
    active: u32,
    weighted: &mut [Row; SQUARE],
    first: &mut [Vector],
    second: &mut [Vector],
) {
    for begins in (0..z.len()).step_by(B) {
        match (z.len() - begins).min(B) {
            1 => add_rows::<V, B, 1>(begins, r, z, active, weighted, first, second),
            2 => add_rows::<V, B, 2>(begins, r, z, active, weighted, first, second),
            3 => add_rows::<V, B, 3>(begins, r, z, active, weighted, first, second),
            _ => add_rows::<V, B, B>(begins, r, z, active, weighted, first, second),
        }
    }
}

/// Adds the products of the R ≤ B rows from `begins`, a multiple of B.
#[inline(always)]
fn add_rows<V: Lanes, const B: usize, const R: usize>(
    begins: usize,
    r: &Row,
    z: &[Row],
    active: u32,
    weighted: &mut [Row; SQUARE],
    first: &mut [Vector],
    second: &mut [Vector],
) {
    let rows: &[Row; R] = z[begins..].first_chunk().expect("R rows are left");
    let weighted: &mut [Row; R] = weighted.first_chunk_mut().expect("R is at most B");
    let mut sums = [V::splat(0.0); R];
    let mut squares = [[V::splat(0.0); R]; R];
    for v in Bits(active) {
        let r = V::load(block(r, v));
        let mut residuals = [V::splat(0.0); R];
        for i in 0..R {
            residuals[i] = V::load(block(&rows[i], v));
            let product = r.times(residuals[i]);
            product.store(&mut weighted[i].as_flattened_mut()[v]);
            sums[i] = sums[i].plus(product);
            for j in 0..=i {
                squares[i][j] = product.multiply_add(residuals[j], squares[i][j]);
            }
        }
    }
    for i in 0..R {
        add_to(&mut first[begins + i], sums[i]);
        for j in 0..=i {
            add_to(&mut second[at(begins + i, begins + j)], squares[i][j]);
        }
    }
    for (group, columns) in z[..begins].as_chunks::<B>().0.iter().enumerate() {
        let mut sums = [[V::splat(0.0); B]; R];
        for v in Bits(active) {
            for i in 0..R {
                let weighted = V::load(block(&weighted[i], v));
                for j in 0..B {
                    sums[i][j] = weighted.multiply_add(V::load(block(&columns[j], v)), sums[i][j]);
                }
            }
        }
        for i in 0..R {
            for j in 0..B {
                add_to(&mut second[at(begins + i, group * B + j)], sums[i][j]);
            }
        }
    }
}
