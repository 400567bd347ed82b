//! Exponentials of a whole column: scoring is little else.

use gmm_sampler::simd::elementary::exp;
use gmm_sampler::simd::{self, Kernel, LANES, Lanes};

/// Near and below this, exp is a subnormal number; it is taken for zero.
const LEAST_ARGUMENT: f64 = -708.0;

/// Replaces each x ≤ 0 by `exp(x)`, to two units in the last place; by 0 below −708. NaN is passed on.
pub(crate) fn exp_of_nonpositive(values: &mut [f64]) {
    simd::run(Exponentials { values });
}

struct Exponentials<'a> {
    values: &'a mut [f64],
}

impl Kernel for Exponentials<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes>(self) {
        let (blocks, rest) = self.values.as_chunks_mut::<LANES>();
        for block in blocks {
            one_block::<V>(block);
        }
        let mut last = [0.0; LANES];
        last[..rest.len()].copy_from_slice(rest);
        one_block::<V>(&mut last);
        rest.copy_from_slice(&last[..rest.len()]);
    }
}

#[inline(always)]
fn one_block<V: Lanes>(block: &mut [f64; LANES]) {
    let arguments = *block;
    // Of NaN, too, `larger` takes the limit.
    exp(V::load_array(block).larger(V::splat(LEAST_ARGUMENT))).store_array(block);
    for (value, x) in block.iter_mut().zip(arguments) {
        if x < LEAST_ARGUMENT {
            *value = 0.0;
        } else if x.is_nan() {
            *value = f64::NAN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_right_to_two_units_in_the_last_place() {
        let arguments: Vec<f64> = (0..200_001).map(|i| -f64::from(i) * 0.003_537).collect();
        let mut ours = arguments.clone();
        exp_of_nonpositive(&mut ours);
        for (x, ours) in arguments.iter().zip(ours) {
            let exact = libm::exp(*x);
            assert!((ours - exact).abs() <= 2.0 * f64::EPSILON * exact, "{x}: {ours} for {exact}");
        }
    }

    #[test]
    fn the_ends_of_the_range_are_exact() {
        let mut values = [0.0, -0.0, f64::NEG_INFINITY, -1e300, f64::NAN];
        exp_of_nonpositive(&mut values);
        assert_eq!(values[..4], [1.0, 1.0, 0.0, 0.0]);
        assert!(values[4].is_nan());
    }
}
