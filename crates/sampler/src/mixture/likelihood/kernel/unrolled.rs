//! The steps for few features: loops over features are unrolled, sums stay in registers, and residuals are recomputed instead
//! of stored.

use super::tile::{Bits, Buffers, Pass, STRIP, add_to, moments_len};
use crate::mixture::triangular::at;
use crate::simd::lanes::{Lanes, Vector};

/// Logits of a tile, and the largest of each observation.
#[inline(always)]
pub(super) fn logits<V: Lanes, const D: usize>(tile: Pass<'_>, buffers: &mut Buffers) {
    for (index, strip) in tile.strips.as_chunks::<D>().0.iter().enumerate() {
        let mut y = [[V::splat(0.0); D]; STRIP];
        for s in 0..STRIP {
            for j in 0..D {
                y[s][j] = V::load(&strip[j][s]);
            }
        }
        let mut highest = [V::splat(f64::NEG_INFINITY); STRIP];
        for (component, logits) in tile.components().zip(&mut buffers.logits) {
            for s in 0..STRIP {
                let z = whiten::<V, D>(component, &y[s]);
                let mut logit = V::splat(component[0]);
                for i in 0..D {
                    logit = z[i].negative_multiply_add(z[i], logit);
                }
                logit.store(&mut logits[index][s]);
                highest[s] = logit.larger(highest[s]);
            }
        }
        for s in 0..STRIP {
            highest[s].store(&mut buffers.largest[index][s]);
        }
    }
}

/// z' of a block.
#[inline(always)]
fn whiten<V: Lanes, const D: usize>(component: &[f64], y: &[V; D]) -> [V; D] {
    let component = &component[..moments_len(D)];
    let mut z = [V::splat(0.0); D];
    for i in 0..D {
        z[i] = V::splat(component[1 + i]);
        for j in 0..=i {
            z[i] = V::splat(component[1 + D + at(i, j)]).multiply_add(y[j], z[i]);
        }
    }
    z
}

/// Adds the moments of a tile to `sums`.
#[inline(always)]
pub(super) fn add_moments<V: Lanes, const D: usize>(tile: Pass<'_>, buffers: &Buffers, sums: &mut [Vector]) {
    let strips = tile.strips.as_chunks::<D>().0;
    let inverse = buffers.totals.as_flattened();
    let components = tile.components().zip(sums.chunks_exact_mut(moments_len(D)));
    let exponentials = buffers.logits.iter().zip(&buffers.active);
    for ((component, sums), (exponentials, &active)) in components.zip(exponentials) {
        if active == 0 {
            continue;
        }
        let exponentials = exponentials.as_flattened();
        let mut count = V::splat(0.0);
        let mut first = [V::splat(0.0); D];
        let mut second = [[V::splat(0.0); D]; D];
        for v in Bits(active) {
            let mut y = [V::splat(0.0); D];
            for j in 0..D {
                y[j] = V::load(&strips[v / STRIP][j][v % STRIP]);
            }
            let z = whiten::<V, D>(component, &y);
            let r = V::load(&exponentials[v]).times(V::load(&inverse[v]));
            count = count.plus(r);
            for i in 0..D {
                let weighted = r.times(z[i]);
                first[i] = first[i].plus(weighted);
                for j in 0..=i {
                    second[i][j] = weighted.multiply_add(z[j], second[i][j]);
                }
            }
        }
        add_to(&mut sums[0], count);
        for i in 0..D {
            add_to(&mut sums[1 + i], first[i]);
            for j in 0..=i {
                add_to(&mut sums[1 + D + at(i, j)], second[i][j]);
            }
        }
    }
}
