//! Eight doubles at a time, in whatever registers the machine has: the arithmetic that all hot loops are written in.
//!
//! Every operation is that of IEEE 754 on each lane, and sums over lanes have a fixed order, so that AVX-512, AVX2 and plain
//! code give the same bits.
#![allow(unsafe_code)] // Intrinsics; only `instructions` lets code with them run, behind the check of its features.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// Doubles in one [`Vector`], and partial sums that every long sum is kept in.
pub const LANES: usize = 8;

/// Eight doubles in memory, on a cache line of their own.
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vector(pub [f64; LANES]);

impl Vector {
    pub const ZERO: Self = Self([0.0; LANES]);
}

/// Adding it to `|n| < 2⁵¹` leaves n, rounded to the nearest integer, in the low bits of the sum.
pub(crate) const ROUND_TO_INTEGER: f64 = 1.5 * (1u64 << 52) as f64;

/// Bits of √½, cut: what is left of a number's bits after subtracting them counts its exponent from there.
const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_0000_0000;
const MANTISSA_BITS: u64 = (1 << 52) - 1;
/// Makes exponents positive, so that they can be moved to the low bits of [`ROUND_TO_INTEGER`].
const EXPONENT_BIAS: u64 = 2048;
const EXPONENT_BITS: u64 = 4095;

/// Eight doubles in registers.
pub trait Lanes: Copy {
    /// Whether sixteen sums can be kept in registers beside what they are made of.
    const MANY_REGISTERS: bool;

    fn splat(value: f64) -> Self;
    fn load(from: &Vector) -> Self;
    fn store(self, to: &mut Vector);
    /// From memory that need not be aligned.
    fn load_array(from: &[f64; LANES]) -> Self;
    fn store_array(self, to: &mut [f64; LANES]);
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn over(self, other: Self) -> Self;
    /// self · b + c, rounded once.
    fn multiply_add(self, b: Self, c: Self) -> Self;
    /// c − self · b, rounded once.
    fn negative_multiply_add(self, b: Self, c: Self) -> Self;
    /// The larger of the two; `other` where either is not a number.
    fn larger(self, other: Self) -> Self;
    /// self, which is not negative, with the sign of `other`.
    fn with_sign_of(self, other: Self) -> Self;
    /// Whether any lane exceeds that of `other`.
    fn any_above(self, other: Self) -> bool;
    /// self, but `replacement` in lanes that exceed `limit`.
    fn replaced_above(self, limit: Self, replacement: Self) -> Self;
    /// Writes the lanes that exceed `limit`, in their order, to the front of `to`; returns how many they are. What follows them
    /// there is unspecified.
    fn keep_above(self, limit: Self, to: &mut [f64; LANES]) -> usize;
    /// self · 2ⁿ, n being the integer in the low bits of `shifted` = n + [`ROUND_TO_INTEGER`]; neither self nor the result may
    /// be zero or subnormal.
    fn times_power_of_two(self, shifted: Self) -> Self;
    /// (k, m) with self = 2ᵏ m and √½ ≤ m < √2, of positive normal finite numbers.
    fn split_exponent(self) -> (Self, Self);
    /// The lanes' sum: ((0 + 4) + (1 + 5)) + ((2 + 6) + (3 + 7)).
    fn sum(self) -> f64;

    /// The smaller of the two; `other` where either is not a number.
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

/// Eight doubles that the compiler may put where it likes.
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

/// [`Lanes::keep_above`] without a branch.
#[inline(always)]
fn front_above(values: [f64; LANES], limit: [f64; LANES], to: &mut [f64; LANES]) -> usize {
    let mut count = 0;
    for lane in 0..LANES {
        // At most as many were kept as lanes came before.
        to[count] = values[lane];
        count += usize::from(values[lane] > limit[lane]);
    }
    count
}

/// Implements the operations that are one intrinsic on each of the registers that hold the eight lanes.
#[cfg(target_arch = "x86_64")]
macro_rules! by_intrinsics {
    ($($part:tt),*; $splat:ident $add:ident $sub:ident $mul:ident $div:ident $fma:ident $fnma:ident $max:ident) => {
        #[inline(always)]
        fn splat(value: f64) -> Self {
            // SAFETY: `instructions` lets this run on machines alone that have the feature; so below.
            let all = unsafe { $splat(value) };
            Self($({ let _: usize = $part; all }),*)
        }

        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            // SAFETY: as in `splat`.
            Self($(unsafe { $add(self.$part, other.$part) }),*)
        }

        #[inline(always)]
        fn minus(self, other: Self) -> Self {
            // SAFETY: as in `splat`.
            Self($(unsafe { $sub(self.$part, other.$part) }),*)
        }

        #[inline(always)]
        fn times(self, other: Self) -> Self {
            // SAFETY: as in `splat`.
            Self($(unsafe { $mul(self.$part, other.$part) }),*)
        }

        #[inline(always)]
        fn over(self, other: Self) -> Self {
            // SAFETY: as in `splat`.
            Self($(unsafe { $div(self.$part, other.$part) }),*)
        }

        #[inline(always)]
        fn multiply_add(self, b: Self, c: Self) -> Self {
            // SAFETY: as in `splat`.
            Self($(unsafe { $fma(self.$part, b.$part, c.$part) }),*)
        }

        #[inline(always)]
        fn negative_multiply_add(self, b: Self, c: Self) -> Self {
            // SAFETY: as in `splat`.
            Self($(unsafe { $fnma(self.$part, b.$part, c.$part) }),*)
        }

        #[inline(always)]
        fn larger(self, other: Self) -> Self {
            // SAFETY: as in `splat`.
            Self($(unsafe { $max(self.$part, other.$part) }),*)
        }
    };
}

/// One register of AVX-512.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512d);

#[cfg(target_arch = "x86_64")]
impl Lanes for Avx512 {
    const MANY_REGISTERS: bool = true;

    by_intrinsics!(0; _mm512_set1_pd _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd
        _mm512_fmadd_pd _mm512_fnmadd_pd _mm512_max_pd);

    #[inline(always)]
    fn load(from: &Vector) -> Self {
        // SAFETY: a `Vector` is 64 bytes, aligned to as many; the feature as in `splat`.
        Self(unsafe { _mm512_load_pd(from.0.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, to: &mut Vector) {
        // SAFETY: as in `load`.
        unsafe { _mm512_store_pd(to.0.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn load_array(from: &[f64; LANES]) -> Self {
        // SAFETY: eight doubles, of any alignment; the feature as in `splat`.
        Self(unsafe { _mm512_loadu_pd(from.as_ptr()) })
    }

    #[inline(always)]
    fn store_array(self, to: &mut [f64; LANES]) {
        // SAFETY: as in `load_array`.
        unsafe { _mm512_storeu_pd(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        // SAFETY: as in `splat`.
        unsafe {
            let sign = _mm512_and_si512(_mm512_castpd_si512(other.0), _mm512_set1_epi64(i64::MIN));
            Self(_mm512_castsi512_pd(_mm512_or_si512(_mm512_castpd_si512(self.0), sign)))
        }
    }

    #[inline(always)]
    fn any_above(self, other: Self) -> bool {
        // SAFETY: as in `splat`.
        unsafe { _mm512_cmp_pd_mask::<_CMP_GT_OQ>(self.0, other.0) != 0 }
    }

    #[inline(always)]
    fn replaced_above(self, limit: Self, replacement: Self) -> Self {
        // SAFETY: as in `splat`.
        unsafe {
            let above = _mm512_cmp_pd_mask::<_CMP_GT_OQ>(self.0, limit.0);
            Self(_mm512_mask_blend_pd(above, self.0, replacement.0))
        }
    }

    #[inline(always)]
    fn keep_above(self, limit: Self, to: &mut [f64; LANES]) -> usize {
        // SAFETY: as in `load_array`.
        unsafe {
            let above = _mm512_cmp_pd_mask::<_CMP_GT_OQ>(self.0, limit.0);
            _mm512_storeu_pd(to.as_mut_ptr(), _mm512_maskz_compress_pd(above, self.0));
            above.count_ones() as usize
        }
    }

    #[inline(always)]
    fn times_power_of_two(self, shifted: Self) -> Self {
        // SAFETY: as in `splat`.
        unsafe {
            let power = _mm512_slli_epi64::<52>(_mm512_castpd_si512(shifted.0));
            Self(_mm512_castsi512_pd(_mm512_add_epi64(_mm512_castpd_si512(self.0), power)))
        }
    }

    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        // SAFETY: as in `splat`.
        unsafe {
            let bits = |bits: u64| _mm512_set1_epi64(bits.cast_signed());
            let above = _mm512_sub_epi64(_mm512_castpd_si512(self.0), bits(SQRT_HALF_BITS));
            let biased = _mm512_add_epi64(_mm512_srli_epi64::<52>(above), bits(EXPONENT_BIAS));
            let biased = _mm512_and_si512(biased, bits(EXPONENT_BITS));
            let shifted = _mm512_castsi512_pd(_mm512_or_si512(biased, bits(ROUND_TO_INTEGER.to_bits())));
            let exponent = _mm512_sub_pd(shifted, _mm512_set1_pd(ROUND_TO_INTEGER + EXPONENT_BIAS as f64));
            let mantissa =
                _mm512_add_epi64(_mm512_and_si512(above, bits(MANTISSA_BITS)), bits(SQRT_HALF_BITS));
            (Self(exponent), Self(_mm512_castsi512_pd(mantissa)))
        }
    }

    #[inline(always)]
    fn sum(self) -> f64 {
        // SAFETY: as in `splat`.
        unsafe {
            let high = _mm512_extractf64x4_pd::<1>(self.0);
            sum_of_four(_mm256_add_pd(_mm512_castpd512_pd256(self.0), high))
        }
    }
}

/// (0 + 1) + (2 + 3).
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn sum_of_four(x: __m256d) -> f64 {
    let pairs = _mm256_hadd_pd(x, x);
    _mm_cvtsd_f64(_mm_add_sd(_mm256_castpd256_pd128(pairs), _mm256_extractf128_pd::<1>(pairs)))
}

/// Two registers of AVX2.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256d, __m256d);

#[cfg(target_arch = "x86_64")]
impl Lanes for Avx2 {
    const MANY_REGISTERS: bool = false;

    by_intrinsics!(0, 1; _mm256_set1_pd _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd
        _mm256_fmadd_pd _mm256_fnmadd_pd _mm256_max_pd);

    #[inline(always)]
    fn load(from: &Vector) -> Self {
        // SAFETY: a `Vector` is 64 bytes, aligned to as many; the feature as in `splat`.
        unsafe { Self(_mm256_load_pd(from.0.as_ptr()), _mm256_load_pd(from.0[4..].as_ptr())) }
    }

    #[inline(always)]
    fn store(self, to: &mut Vector) {
        // SAFETY: as in `load`.
        unsafe {
            _mm256_store_pd(to.0.as_mut_ptr(), self.0);
            _mm256_store_pd(to.0[4..].as_mut_ptr(), self.1);
        }
    }

    #[inline(always)]
    fn load_array(from: &[f64; LANES]) -> Self {
        // SAFETY: twice four doubles, of any alignment; the feature as in `splat`.
        unsafe { Self(_mm256_loadu_pd(from.as_ptr()), _mm256_loadu_pd(from[4..].as_ptr())) }
    }

    #[inline(always)]
    fn store_array(self, to: &mut [f64; LANES]) {
        // SAFETY: as in `load_array`.
        unsafe {
            _mm256_storeu_pd(to.as_mut_ptr(), self.0);
            _mm256_storeu_pd(to[4..].as_mut_ptr(), self.1);
        }
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        // SAFETY: as in `splat`.
        unsafe {
            let sign = _mm256_set1_pd(-0.0);
            let first = _mm256_or_pd(self.0, _mm256_and_pd(other.0, sign));
            Self(first, _mm256_or_pd(self.1, _mm256_and_pd(other.1, sign)))
        }
    }

    #[inline(always)]
    fn any_above(self, other: Self) -> bool {
        // SAFETY: as in `splat`.
        unsafe {
            let first = _mm256_cmp_pd::<_CMP_GT_OQ>(self.0, other.0);
            let second = _mm256_cmp_pd::<_CMP_GT_OQ>(self.1, other.1);
            _mm256_movemask_pd(_mm256_or_pd(first, second)) != 0
        }
    }

    #[inline(always)]
    fn replaced_above(self, limit: Self, replacement: Self) -> Self {
        // SAFETY: as in `splat`.
        unsafe {
            let first = _mm256_cmp_pd::<_CMP_GT_OQ>(self.0, limit.0);
            let second = _mm256_cmp_pd::<_CMP_GT_OQ>(self.1, limit.1);
            Self(
                _mm256_blendv_pd(self.0, replacement.0, first),
                _mm256_blendv_pd(self.1, replacement.1, second),
            )
        }
    }

    #[inline(always)]
    fn keep_above(self, limit: Self, to: &mut [f64; LANES]) -> usize {
        let (mut values, mut limits) = ([0.0; LANES], [0.0; LANES]);
        self.store_array(&mut values);
        limit.store_array(&mut limits);
        front_above(values, limits, to)
    }

    #[inline(always)]
    fn times_power_of_two(self, shifted: Self) -> Self {
        // SAFETY: as in `splat`.
        unsafe { Self(scaled_by_power(self.0, shifted.0), scaled_by_power(self.1, shifted.1)) }
    }

    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        // SAFETY: as in `splat`.
        let ((k, m), (l, n)) = unsafe { (split_four(self.0), split_four(self.1)) };
        (Self(k, l), Self(m, n))
    }

    #[inline(always)]
    fn sum(self) -> f64 {
        // SAFETY: as in `splat`.
        unsafe { sum_of_four(_mm256_add_pd(self.0, self.1)) }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn scaled_by_power(value: __m256d, shifted: __m256d) -> __m256d {
    let power = _mm256_slli_epi64::<52>(_mm256_castpd_si256(shifted));
    _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(value), power))
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn split_four(x: __m256d) -> (__m256d, __m256d) {
    let bits = |bits: u64| _mm256_set1_epi64x(bits.cast_signed());
    let above = _mm256_sub_epi64(_mm256_castpd_si256(x), bits(SQRT_HALF_BITS));
    let biased = _mm256_add_epi64(_mm256_srli_epi64::<52>(above), bits(EXPONENT_BIAS));
    let biased = _mm256_and_si256(biased, bits(EXPONENT_BITS));
    let shifted = _mm256_castsi256_pd(_mm256_or_si256(biased, bits(ROUND_TO_INTEGER.to_bits())));
    let exponent = _mm256_sub_pd(shifted, _mm256_set1_pd(ROUND_TO_INTEGER + EXPONENT_BIAS as f64));
    let mantissa = _mm256_add_epi64(_mm256_and_si256(above, bits(MANTISSA_BITS)), bits(SQRT_HALF_BITS));
    (exponent, _mm256_castsi256_pd(mantissa))
}
