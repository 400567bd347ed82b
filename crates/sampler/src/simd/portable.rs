//! Eight doubles in an array: lanes for every machine.

use super::lanes::{
    EXPONENT_BIAS, EXPONENT_BITS, LANES, Lanes, MANTISSA_BITS, ROUND_TO_INTEGER, SQRT_HALF_BITS, Vector,
    front_above,
};

/// Eight doubles in an array.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f64; LANES]);

impl Portable {
    #[inline(always)]
    fn with(self, other: Self, operation: impl Fn(f64, f64) -> f64) -> Self {
        Self(std::array::from_fn(|l| operation(self.0[l], other.0[l])))
    }
}

impl Lanes for Portable {
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    fn splat(value: f64) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    fn load(from: &Vector) -> Self {
        Self(from.0)
    }

    #[inline(always)]
    fn store(self, to: &mut Vector) {
        to.0 = self.0;
    }

    #[inline(always)]
    fn load_array(from: &[f64; LANES]) -> Self {
        Self(*from)
    }

    #[inline(always)]
    fn store_array(self, to: &mut [f64; LANES]) {
        *to = self.0;
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.with(other, |a, b| a * b)
    }

    #[inline(always)]
    fn over(self, other: Self) -> Self {
        self.with(other, |a, b| a / b)
    }

    #[inline(always)]
    fn square_root(self) -> Self {
        Self(self.0.map(f64::sqrt))
    }

    #[inline(always)]
    fn multiply_add(self, b: Self, c: Self) -> Self {
        Self(std::array::from_fn(|l| self.0[l].mul_add(b.0[l], c.0[l])))
    }

    #[inline(always)]
    fn negative_multiply_add(self, b: Self, c: Self) -> Self {
        Self(std::array::from_fn(|l| (-self.0[l]).mul_add(b.0[l], c.0[l])))
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        self.with(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        self.with(other, f64::copysign)
    }

    #[inline(always)]
    fn any_above(self, other: Self) -> bool {
        self.0.iter().zip(other.0).any(|(a, b)| *a > b)
    }

    #[inline(always)]
    fn replaced_above(self, limit: Self, replacement: Self) -> Self {
        Self(std::array::from_fn(|l| if self.0[l] > limit.0[l] { replacement.0[l] } else { self.0[l] }))
    }

    #[inline(always)]
    fn keep_above(self, limit: Self, to: &mut [f64; LANES]) -> usize {
        front_above(self.0, limit.0, to)
    }

    #[inline(always)]
    fn times_power_of_two(self, shifted: Self) -> Self {
        self.with(shifted, |value, shifted| {
            f64::from_bits(value.to_bits().wrapping_add(shifted.to_bits() << 52))
        })
    }

    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        let above = self.0.map(|x| x.to_bits().wrapping_sub(SQRT_HALF_BITS));
        let exponent = above.map(|above| {
            let biased = (above >> 52).wrapping_add(EXPONENT_BIAS) & EXPONENT_BITS;
            f64::from_bits(ROUND_TO_INTEGER.to_bits() | biased) - (ROUND_TO_INTEGER + EXPONENT_BIAS as f64)
        });
        let mantissa =
            above.map(|above| f64::from_bits((above & MANTISSA_BITS).wrapping_add(SQRT_HALF_BITS)));
        (Self(exponent), Self(mantissa))
    }

    #[inline(always)]
    fn sum(self) -> f64 {
        let x = self.0;
        ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7]))
    }
}
