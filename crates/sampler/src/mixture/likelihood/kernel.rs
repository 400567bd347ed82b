//! The hot loop: logits of a tile of observations, their soft-max, and the weighted sums, vectorised by the compiler.
//!
//! One plain body is compiled three times, for AVX-512, for AVX2 with FMA and for the target's baseline, and the machine's
//! best is taken at run time. Sums are kept in [`LANES`] partial sums whatever the width of the registers, so that all three
//! round alike and give the same bits.
#![allow(unsafe_code)] // The calls of `#[target_feature]` functions, each behind the check of its features.

use super::instructions::{InstructionSet, Instructions, dispatched};
use super::vector::{LANES, TILE, VECTORS, Vector, less, load, multiply_add, plus, store, times};
use super::{WhitenedComponents, Workspace, elementary};
use crate::mixture::triangular::{at, packed_len};

/// Numbers kept of each component: Σr, Σr z and the lower triangle of Σr z zᵀ.
pub(super) const fn moments_len(n_features: usize) -> usize {
    1 + n_features + packed_len(n_features)
}

dispatched! {
    /// Adds every tile's log densities to `log_likelihood`'s lanes and its moments to the workspace's sums.
    accumulate => accumulate_body [<'a>] (
        tiles: impl Iterator<Item = (usize, &'a [[f64; TILE]])>,
        components: &WhitenedComponents,
        workspace: &mut Workspace,
        log_likelihood: &mut [f64; LANES]
    )
}

dispatched! {
    /// Log densities of one tile; leaves exp(logit − max) in the workspace's logits.
    log_densities => log_densities_body [] (
        tile: &[[f64; TILE]],
        components: &WhitenedComponents,
        workspace: &mut Workspace
    ) -> [f64; TILE]
}

#[inline(always)]
fn accumulate_body<'a>(
    tiles: impl Iterator<Item = (usize, &'a [[f64; TILE]])>,
    components: &WhitenedComponents,
    workspace: &mut Workspace,
    log_likelihood: &mut [f64; LANES],
) {
    match components.n_features {
        1 => accumulate_fixed::<1>(tiles, components, workspace, log_likelihood),
        2 => accumulate_fixed::<2>(tiles, components, workspace, log_likelihood),
        3 => accumulate_fixed::<3>(tiles, components, workspace, log_likelihood),
        4 => accumulate_fixed::<4>(tiles, components, workspace, log_likelihood),
        _ => {
            for (valid, tile) in tiles {
                residuals_and_logits(tile, components, workspace);
                let (log_density, weight) = soft_max(workspace, valid);
                add_lanes(&log_density, log_likelihood);
                add_moments(components.n_features, workspace, &weight);
            }
        }
    }
}

/// The same for a number of features known to the compiler: loops over features unroll, sums stay in registers.
#[inline(always)]
fn accumulate_fixed<'a, const D: usize>(
    tiles: impl Iterator<Item = (usize, &'a [[f64; TILE]])>,
    components: &WhitenedComponents,
    workspace: &mut Workspace,
    log_likelihood: &mut [f64; LANES],
) {
    for (valid, tile) in tiles {
        let tile: &[[f64; TILE]; D] = tile.try_into().expect("a tile has D rows");
        residuals_and_logits_fixed::<D>(tile, components, workspace);
        let (log_density, weight) = soft_max(workspace, valid);
        add_lanes(&log_density, log_likelihood);
        add_moments_fixed::<D>(workspace, &weight);
    }
}

#[inline(always)]
fn log_densities_body(
    tile: &[[f64; TILE]],
    components: &WhitenedComponents,
    workspace: &mut Workspace,
) -> [f64; TILE] {
    residuals_and_logits(tile, components, workspace);
    soft_max(workspace, TILE).0
}

#[inline(always)]
fn residuals_and_logits_fixed<const D: usize>(
    tile: &[[f64; TILE]; D],
    components: &WhitenedComponents,
    workspace: &mut Workspace,
) {
    for k in 0..components.n_components() {
        let mean: &[f64; D] = components.means[k * D..][..D].try_into().expect("K × D means");
        let factor = &components.inverse_factors[k * packed_len(D)..][..packed_len(D)];
        let z: &mut [[f64; TILE]; D] =
            (&mut workspace.whitened[k * D..][..D]).try_into().expect("K × D tiles");
        let logits = &mut workspace.logits[k];
        let constant = [components.constants[k]; LANES];
        for v in 0..VECTORS {
            let mut residual = [[0.0; LANES]; D];
            for j in 0..D {
                residual[j] = less(load(&tile[j], v), mean[j]);
            }
            let mut square = [0.0; LANES];
            for i in 0..D {
                let mut sum = [0.0; LANES];
                for j in 0..=i {
                    sum = multiply_add([factor[at(i, j)]; LANES], residual[j], sum);
                }
                square = multiply_add(sum, sum, square);
                store(&mut z[i], v, sum);
            }
            store(logits, v, multiply_add(square, [-0.5; LANES], constant));
        }
    }
}

/// Vectors that are carried through a row together, enough sums under way at once to hide an addition's latency.
const STRIP: usize = 4;

#[inline(always)]
fn residuals_and_logits(tile: &[[f64; TILE]], components: &WhitenedComponents, workspace: &mut Workspace) {
    let d = components.n_features;
    for k in 0..components.n_components() {
        let mean = &components.means[k * d..][..d];
        let factor = &components.inverse_factors[k * packed_len(d)..][..packed_len(d)];
        let z = &mut workspace.whitened[k * d..][..d];
        let constant = [components.constants[k]; LANES];
        for strip in 0..VECTORS / STRIP {
            let vectors = strip * STRIP..(strip + 1) * STRIP;
            let mut square = [[0.0; LANES]; STRIP];
            // From the last row up, so that row i can be written over y_i − μ_i, which no row above it needs.
            for i in 0..d {
                for v in vectors.clone() {
                    store(&mut z[i], v, less(load(&tile[i], v), mean[i]));
                }
            }
            for i in (0..d).rev() {
                let mut sum = [[0.0; LANES]; STRIP];
                for (j, residual) in z[..=i].iter().enumerate() {
                    let entry = [factor[at(i, j)]; LANES];
                    for s in 0..STRIP {
                        sum[s] = multiply_add(entry, load(residual, strip * STRIP + s), sum[s]);
                    }
                }
                for s in 0..STRIP {
                    store(&mut z[i], strip * STRIP + s, sum[s]);
                }
            }
            for row in z.iter() {
                for s in 0..STRIP {
                    let value = load(row, strip * STRIP + s);
                    square[s] = multiply_add(value, value, square[s]);
                }
            }
            for s in 0..STRIP {
                let logit = multiply_add(square[s], [-0.5; LANES], constant);
                store(&mut workspace.logits[k], strip * STRIP + s, logit);
            }
        }
    }
}

/// Turns logits into exp(logit − max) and returns log densities and what turns those exponentials into
/// responsibilities, both 0 from `valid` on.
#[inline(always)]
fn soft_max(workspace: &mut Workspace, valid: usize) -> ([f64; TILE], [f64; TILE]) {
    let mut largest = workspace.logits[0];
    for logits in &workspace.logits[1..] {
        for t in 0..TILE {
            largest[t] = if logits[t] > largest[t] { logits[t] } else { largest[t] };
        }
    }
    let mut total = [0.0; TILE];
    for logits in &mut workspace.logits {
        for t in 0..TILE {
            let exponential = elementary::exp(logits[t] - largest[t]);
            logits[t] = exponential;
            total[t] += exponential;
        }
    }
    let mut log_density = [0.0; TILE];
    let mut weight = [0.0; TILE];
    for t in 0..TILE {
        // A sound sum holds the largest term, e⁰. NaN fails the test, and `elementary::ln` may not be asked about it.
        let log_total = elementary::ln(total[t]);
        log_density[t] = if total[t] >= 1.0 { largest[t] + log_total } else { f64::NAN };
        weight[t] = 1.0 / total[t];
    }
    log_density[valid..].fill(0.0);
    weight[valid..].fill(0.0);
    (log_density, weight)
}

#[inline(always)]
fn add_lanes(values: &[f64; TILE], lanes: &mut Vector) {
    for v in 0..VECTORS {
        *lanes = plus(*lanes, load(values, v));
    }
}

#[inline(always)]
fn add_moments_fixed<const D: usize>(workspace: &mut Workspace, weight: &[f64; TILE]) {
    let width = moments_len(D);
    for (k, exponentials) in workspace.logits.iter().enumerate() {
        let z: &[[f64; TILE]; D] = workspace.whitened[k * D..][..D].try_into().expect("K × D tiles");
        let mut count = [0.0; LANES];
        let mut first = [[0.0; LANES]; D];
        let mut second = [[[0.0; LANES]; D]; D];
        for v in 0..VECTORS {
            let r = times(load(exponentials, v), load(weight, v));
            count = plus(count, r);
            let mut residual = [[0.0; LANES]; D];
            for i in 0..D {
                residual[i] = load(&z[i], v);
            }
            for i in 0..D {
                let weighted = times(r, residual[i]);
                first[i] = plus(first[i], weighted);
                for j in 0..=i {
                    second[i][j] = multiply_add(weighted, residual[j], second[i][j]);
                }
            }
        }
        let sums = &mut workspace.sums[k * width..][..width];
        sums[0] = plus(sums[0], count);
        for i in 0..D {
            sums[1 + i] = plus(sums[1 + i], first[i]);
            for j in 0..=i {
                sums[1 + D + at(i, j)] = plus(sums[1 + D + at(i, j)], second[i][j]);
            }
        }
    }
}

#[inline(always)]
fn add_moments(d: usize, workspace: &mut Workspace, weight: &[f64; TILE]) {
    let width = moments_len(d);
    for (k, exponentials) in workspace.logits.iter().enumerate() {
        let z = &workspace.whitened[k * d..][..d];
        let sums = &mut workspace.sums[k * width..][..width];
        let mut r = [0.0; TILE];
        for v in 0..VECTORS {
            store(&mut r, v, times(load(exponentials, v), load(weight, v)));
        }
        add_lanes(&r, &mut sums[0]);
        for i in 0..d {
            let mut weighted = [[0.0; LANES]; VECTORS];
            for v in 0..VECTORS {
                weighted[v] = times(load(&r, v), load(&z[i], v));
                sums[1 + i] = plus(sums[1 + i], weighted[v]);
            }
            let row = &mut sums[1 + d + at(i, 0)..=1 + d + at(i, i)];
            let (blocks, rest) = row.as_chunks_mut::<STRIP>();
            for (block, columns) in blocks.iter_mut().zip(z.as_chunks::<STRIP>().0) {
                let mut lanes = *block;
                for v in 0..VECTORS {
                    for s in 0..STRIP {
                        lanes[s] = multiply_add(weighted[v], load(&columns[s], v), lanes[s]);
                    }
                }
                *block = lanes;
            }
            let done = (i + 1) / STRIP * STRIP;
            for (lanes, column) in rest.iter_mut().zip(&z[done..]) {
                let mut sum = *lanes;
                for v in 0..VECTORS {
                    sum = multiply_add(weighted[v], load(column, v), sum);
                }
                *lanes = sum;
            }
        }
    }
}
