//! The rounding error of the observations: components are seen with covariance Σ + R.

use crate::mixture::triangular::{at, packed_len};
use crate::rounding::Rounding;
use crate::simd::elementary::ln;
use crate::simd::lanes::{LANES, Lanes, Vector};

/// The smallest number whose square is a normal number: a column is no shorter than this.
const SHORTEST: f64 = 1.5e-154;

/// The rounding error in the form that a group of components uses.
#[derive(Debug, Clone)]
pub(super) struct RoundingLanes {
    n_features: usize,
    /// Columns of G, G Gᵀ = R, that are not 0: the first row and the entries from there on.
    columns: Vec<(usize, Vec<f64>)>,
    /// C, the factor of Σ + R, packed.
    widened: Vec<Vector>,
    /// B = C⁻¹ T, packed; T = diag(σ) L.
    shrinkage: Vec<Vector>,
    /// What is left of a column of G.
    rest: Vec<Vector>,
}

impl RoundingLanes {
    pub(super) fn new(n_features: usize, rounding: &Rounding) -> Self {
        let zeros = |length| vec![Vector::ZERO; length];
        Self {
            n_features,
            columns: rounding.columns().collect(),
            widened: zeros(packed_len(n_features)),
            shrinkage: zeros(packed_len(n_features)),
            rest: zeros(n_features),
        }
    }

    /// From 1/σ and L: writes W = C⁻¹ and C⁻¹ diag(σ), and returns log |C|.
    #[inline(always)]
    pub(super) fn widen<V: Lanes>(
        &mut self,
        inverse_sigma: &[Vector],
        factor: &[Vector],
        whitening: &mut [Vector],
        inverse: &mut [Vector],
    ) -> V {
        let d = self.n_features;
        let Self { columns, widened, shrinkage, rest, .. } = self;
        for i in 0..d {
            let sigma = V::splat(1.0).over(V::load(&inverse_sigma[i]));
            for j in 0..=i {
                sigma.times(V::load(&factor[at(i, j)])).store(&mut shrinkage[at(i, j)]);
            }
        }
        widened.copy_from_slice(shrinkage);
        // As `Rounding::widen`.
        for (first, column) in columns.iter() {
            rest[*first..].iter_mut().zip(column).for_each(|(rest, &entry)| *rest = Vector([entry; LANES]));
            for k in *first..d {
                let (diagonal, across) = (V::load(&widened[at(k, k)]), V::load(&rest[k]));
                let square = across.multiply_add(across, diagonal.times(diagonal));
                let over_length = V::splat(1.0).over(square.square_root().larger(V::splat(SHORTEST)));
                let (cosine, sine) = (diagonal.times(over_length), across.times(over_length));
                for i in k..d {
                    let (entry, left) = (V::load(&widened[at(i, k)]), V::load(&rest[i]));
                    sine.multiply_add(left, cosine.times(entry)).store(&mut widened[at(i, k)]);
                    sine.negative_multiply_add(entry, cosine.times(left)).store(&mut rest[i]);
                }
            }
        }
        let mut log_determinant = V::splat(0.0);
        for i in 0..d {
            let pivot = V::load(&widened[at(i, i)]);
            log_determinant = log_determinant.plus(ln(pivot));
            let diagonal = V::splat(1.0).over(pivot);
            diagonal.store(&mut whitening[at(i, i)]);
            for j in 0..i {
                let mut sum = V::splat(0.0);
                for l in j..i {
                    let entry = V::load(&widened[at(i, l)]);
                    sum = entry.negative_multiply_add(V::load(&whitening[at(l, j)]), sum);
                }
                sum.times(diagonal).store(&mut whitening[at(i, j)]);
            }
        }
        // Both products in place: B's row i needs T's rows up to i, from the last row on.
        for i in (0..d).rev() {
            for j in 0..=i {
                let mut sum = V::splat(0.0);
                for l in j..=i {
                    let entry = V::load(&whitening[at(i, l)]);
                    sum = entry.multiply_add(V::load(&shrinkage[at(l, j)]), sum);
                }
                let sigma = V::splat(1.0).over(V::load(&inverse_sigma[j]));
                V::load(&whitening[at(i, j)]).times(sigma).store(&mut inverse[at(i, j)]);
                sum.store(&mut rest[j]);
            }
            shrinkage[at(i, 0)..=at(i, i)].copy_from_slice(&rest[..=i]);
        }
        log_determinant
    }

    /// Replaces the second moments M = Σr z zᵀ by the lower triangle of (M − n I) B, and the count n by 0: what the gradient in
    /// T, tril(Wᵀ (M − n I) B), needs of them. Without a rounding error B is the identity.
    #[inline(always)]
    pub(super) fn pull_back<V: Lanes>(&self, count: &mut Vector, second: &mut [Vector]) {
        let d = self.n_features;
        for i in 0..d {
            V::load(&second[at(i, i)]).minus(V::load(count)).store(&mut second[at(i, i)]);
        }
        *count = Vector::ZERO;
        // In place: entry (i, j) needs row i from column j on, and rows below i in column i, which come later.
        for i in 0..d {
            for j in 0..=i {
                let mut sum = V::splat(0.0);
                for m in j..d {
                    let moment = V::load(&second[at(i.max(m), i.min(m))]);
                    sum = moment.multiply_add(V::load(&self.shrinkage[at(m, j)]), sum);
                }
                sum.store(&mut second[at(i, j)]);
            }
        }
    }
}
