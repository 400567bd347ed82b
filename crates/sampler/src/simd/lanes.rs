//! Eight doubles at a time: the arithmetic of all hot loops.
//!
//! Every operation is that of IEEE 754 on each lane, and sums over lanes have a fixed order. AVX-512, AVX2 and portable code
//! therefore give the same bits.

/// Number of doubles in a [`Vector`], and of partial sums in every long sum.
pub const LANES: usize = 8;

/// Eight doubles in memory, on a cache line of their own.
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vector(pub [f64; LANES]);

impl Vector {
    /// Eight zeros.
    pub const ZERO: Self = Self([0.0; LANES]);
}

/// Added to `|n| < 2⁵¹`, it leaves n, rounded to the nearest integer, in the low bits of the sum.
pub(crate) const ROUND_TO_INTEGER: f64 = 1.5 * (1u64 << 52) as f64;

/// Truncated bits of √½. After subtracting them from a number's bits, its exponent counts from there.
pub(super) const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_0000_0000;
pub(super) const MANTISSA_BITS: u64 = (1 << 52) - 1;
/// Makes exponents positive, so that they fit the low bits of [`ROUND_TO_INTEGER`].
pub(super) const EXPONENT_BIAS: u64 = 2048;
pub(super) const EXPONENT_BITS: u64 = 4095;

/// Eight doubles in registers.
pub trait Lanes: Copy {
    /// Whether sixteen sums fit in registers together with their operands.
    const MANY_REGISTERS: bool;

    /// The value in all lanes.
    fn splat(value: f64) -> Self;
    /// Loads from aligned memory.
    fn load(from: &Vector) -> Self;
    /// Stores to aligned memory.
    fn store(self, to: &mut Vector);
    /// Loads from memory of any alignment.
    fn load_array(from: &[f64; LANES]) -> Self;
    /// Stores to memory of any alignment.
    fn store_array(self, to: &mut [f64; LANES]);
    /// self + other.
    fn plus(self, other: Self) -> Self;
    /// self − other.
    fn minus(self, other: Self) -> Self;
    /// self · other.
    fn times(self, other: Self) -> Self;
    /// self / other.
    fn over(self, other: Self) -> Self;
    /// √self.
    fn square_root(self) -> Self;
    /// self · b + c, rounded once.
    fn multiply_add(self, b: Self, c: Self) -> Self;
    /// c − self · b, rounded once.
    fn negative_multiply_add(self, b: Self, c: Self) -> Self;
    /// The larger of the two; `other` if either is NaN.
    fn larger(self, other: Self) -> Self;
    /// self, which must not be negative, with the sign of `other`.
    fn with_sign_of(self, other: Self) -> Self;
    /// Whether any lane exceeds that of `other`.
    fn any_above(self, other: Self) -> bool;
    /// `replacement` in lanes where self exceeds `limit`, self in the others.
    fn replaced_above(self, limit: Self, replacement: Self) -> Self;
    /// Writes the lanes that exceed `limit`, in order, to the front of `to` and returns their number. The rest of `to` is
    /// unspecified.
    fn keep_above(self, limit: Self, to: &mut [f64; LANES]) -> usize;
    /// self · 2ⁿ, where `shifted` = n + 1.5 · 2⁵² holds the integer n in its low bits. Neither self nor the result may be zero or
    /// subnormal.
    fn times_power_of_two(self, shifted: Self) -> Self;
    /// (k, m) with self = 2ᵏ m and √½ ≤ m < √2, for positive normal finite numbers.
    fn split_exponent(self) -> (Self, Self);
    /// The lanes' sum: ((0 + 4) + (1 + 5)) + ((2 + 6) + (3 + 7)).
    fn sum(self) -> f64;

    /// The smaller of the two; `other` if either is NaN.
    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        let zero = Self::splat(0.0);
        zero.minus(zero.minus(self).larger(zero.minus(other)))
    }

    /// −|self|.
    #[inline(always)]
    fn negative_absolute(self) -> Self {
        let zero = Self::splat(0.0);
        zero.minus(self.larger(zero.minus(self)))
    }
}

/// [`Lanes::keep_above`] without a branch.
#[inline(always)]
pub(super) fn front_above(values: [f64; LANES], limit: [f64; LANES], to: &mut [f64; LANES]) -> usize {
    let mut count = 0;
    for lane in 0..LANES {
        // At most `lane` values were kept so far.
        to[count] = values[lane];
        count += usize::from(values[lane] > limit[lane]);
    }
    count
}
