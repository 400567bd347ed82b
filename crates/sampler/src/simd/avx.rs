//! Eight doubles in one register of AVX-512, or in two of AVX2.
#![allow(unsafe_code)] // Intrinsics; only `instructions` lets code with them run, behind the check of its features.

use std::arch::x86_64::*;

use super::lanes::{
    EXPONENT_BIAS, EXPONENT_BITS, LANES, Lanes, MANTISSA_BITS, ROUND_TO_INTEGER, SQRT_HALF_BITS, Vector,
    front_above,
};

/// Implements the operations that are one intrinsic per register.
macro_rules! by_intrinsics {
    ($($part:tt),*; $splat:ident $add:ident $sub:ident $mul:ident $div:ident $sqrt:ident $fma:ident $fnma:ident $max:ident) => {
        #[inline(always)]
        fn splat(value: f64) -> Self {
            // SAFETY: `instructions` runs this only on machines that have the feature; so below.
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
        fn square_root(self) -> Self {
            // SAFETY: as in `splat`.
            Self($(unsafe { $sqrt(self.$part) }),*)
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
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512d);

impl Lanes for Avx512 {
    const MANY_REGISTERS: bool = true;

    by_intrinsics!(0; _mm512_set1_pd _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd
        _mm512_sqrt_pd _mm512_fmadd_pd _mm512_fnmadd_pd _mm512_max_pd);

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
#[inline]
#[target_feature(enable = "avx2")]
fn sum_of_four(x: __m256d) -> f64 {
    let pairs = _mm256_hadd_pd(x, x);
    _mm_cvtsd_f64(_mm_add_sd(_mm256_castpd256_pd128(pairs), _mm256_extractf128_pd::<1>(pairs)))
}

/// Two registers of AVX2.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256d, __m256d);

impl Lanes for Avx2 {
    const MANY_REGISTERS: bool = false;

    by_intrinsics!(0, 1; _mm256_set1_pd _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd
        _mm256_sqrt_pd _mm256_fmadd_pd _mm256_fnmadd_pd _mm256_max_pd);

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

#[inline]
#[target_feature(enable = "avx2")]
fn scaled_by_power(value: __m256d, shifted: __m256d) -> __m256d {
    let power = _mm256_slli_epi64::<52>(_mm256_castpd_si256(shifted));
    _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(value), power))
}

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
