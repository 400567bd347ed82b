//! Arithmetic on the doubles of one register, and tiles of them.

/// Partial sums that every sum is kept in: the doubles of one AVX-512 register.
pub(super) const LANES: usize = 8;

/// Observations that are carried through all steps together: logits and residuals stay in the first-level cache.
pub(super) const TILE: usize = 64;

/// Vectors in a tile.
pub(super) const VECTORS: usize = TILE / LANES;

/// One register's worth of observations. All arithmetic on them is lane by lane, in loops of fixed length that the compiler
/// turns into single instructions.
pub(super) type Vector = [f64; LANES];

#[inline(always)]
pub(super) fn load(tile: &[f64; TILE], v: usize) -> Vector {
    tile.as_chunks::<LANES>().0[v]
}

#[inline(always)]
pub(super) fn store(tile: &mut [f64; TILE], v: usize, vector: Vector) {
    tile.as_chunks_mut::<LANES>().0[v] = vector;
}

#[inline(always)]
pub(super) fn less(a: Vector, b: f64) -> Vector {
    let mut result = a;
    for l in 0..LANES {
        result[l] = a[l] - b;
    }
    result
}

#[inline(always)]
pub(super) fn times(a: Vector, b: Vector) -> Vector {
    let mut result = a;
    for l in 0..LANES {
        result[l] = a[l] * b[l];
    }
    result
}

#[inline(always)]
pub(super) fn plus(a: Vector, b: Vector) -> Vector {
    let mut result = a;
    for l in 0..LANES {
        result[l] = a[l] + b[l];
    }
    result
}

/// a · b + c.
#[inline(always)]
pub(super) fn multiply_add(a: Vector, b: Vector, c: Vector) -> Vector {
    let mut result = c;
    for l in 0..LANES {
        result[l] = a[l].mul_add(b[l], c[l]);
    }
    result
}

/// The lanes' sum, in a fixed order.
pub(super) fn sum_lanes(lanes: &Vector) -> f64 {
    ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]))
}
