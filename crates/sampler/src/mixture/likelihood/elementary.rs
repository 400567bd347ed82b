//! `exp` and `ln` that vectorise: straight-line code, the same bits on every instruction set, at most 2 ulp from exact.
//!
//! The C library's versions are calls that no loop can vectorise, and their last bits change from one release to
//! the next, which would change stored draws. Every multiplication that feeds an addition is an explicit `mul_add`.

/// Adding it to `|n| < 2⁵¹` leaves n, rounded to the nearest integer, in the low bits of the sum.
const ROUND_TO_INTEGER: f64 = 1.5 * (1u64 << 52) as f64;

/// ln 2 in two parts; the high one has 21 trailing zero bits, so that n · `LN2_HIGH` is exact for |n| ≤ 1075.
const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// e^x overflows above the first, and is less than the smallest normal number below the second.
const EXP_OVERFLOW: f64 = 709.7;
const EXP_UNDERFLOW: f64 = -708.39;

/// Coefficients of (e^r − 1 − r) / r² on |r| ≤ ½ ln 2: a Chebyshev fit in 50-digit arithmetic, absolute error 1.1e-16.
const EXP: [f64; 10] = [
    0.500_000_000_000_000_1,
    0.166_666_666_666_666_69,
    0.041_666_666_666_624_13,
    0.008_333_333_333_330_062,
    0.001_388_888_891_721_371_7,
    0.000_198_412_698_630_536_18,
    2.480_152_129_595_437_6e-5,
    2.755_726_845_999_706_4e-6,
    2.762_008_844_540_974_6e-7,
    2.510_038_549_551_032e-8,
];

/// Coefficients of (2 atanh(s) − 2s) / s³ in z = s², on 1/√2 ≤ (1 + s) / (1 − s) ≤ √2; absolute error 3.1e-16.
const LN: [f64; 7] = [
    0.666_666_666_666_667,
    0.399_999_999_998_993_8,
    0.285_714_286_260_310_65,
    0.222_222_111_257_228_1,
    0.181_828_897_861_910_42,
    0.153_316_996_335_438_58,
    0.146_167_211_798_616_2,
];

/// e^x. Below −708.39 it is 0 (no subnormal results), above 709.7 infinite; NaN stays NaN.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    let shifted = x.mul_add(std::f64::consts::LOG2_E, ROUND_TO_INTEGER);
    let n = shifted - ROUND_TO_INTEGER;
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x));
    let mut polynomial = EXP[9];
    for coefficient in EXP[..9].iter().rev() {
        polynomial = polynomial.mul_add(r, *coefficient);
    }
    let fraction = (r * r).mul_add(polynomial, r) + 1.0;
    // n stands in the low bits of `shifted`; moved to the exponent field, the addition multiplies by 2ⁿ.
    let value = f64::from_bits(fraction.to_bits().wrapping_add(shifted.to_bits() << 52));
    let value = if x < EXP_UNDERFLOW { 0.0 } else { value };
    let value = if x > EXP_OVERFLOW { f64::INFINITY } else { value };
    if x.is_nan() { x } else { value }
}

/// ln x of a positive, normal, finite x; anything else gives an unspecified value.
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    // x = 2ᵏ (1 + f) with √½ ≤ 1 + f < √2: √½'s bits are subtracted so that the exponent field counts from there.
    const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_0000_0000;
    const ONE_BITS: u64 = 0x3ff0_0000_0000_0000;
    let above = x.to_bits().wrapping_sub(SQRT_HALF_BITS);
    // The exponent as a double without a 64-bit conversion, which AVX2 lacks: into the low bits of 1.5 · 2⁵².
    let biased = (above >> 52).wrapping_add(2048) & 4095;
    let k = f64::from_bits(ROUND_TO_INTEGER.to_bits() | biased) - (ROUND_TO_INTEGER + 2048.0);
    let mantissa = (above & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF_BITS);
    debug_assert!(mantissa < 2 * ONE_BITS);
    let f = f64::from_bits(mantissa) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let mut polynomial = LN[6];
    for coefficient in LN[..6].iter().rev() {
        polynomial = polynomial.mul_add(z, *coefficient);
    }
    // ln(1 + f) = f − (f²/2 − s (f²/2 + R)), which keeps f, the leading term, exact.
    let half_square = 0.5 * f * f;
    let correction = s.mul_add(z.mul_add(polynomial, half_square), k * LN2_LOW);
    k.mul_add(LN2_HIGH, f - (half_square - correction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Distance in units of the last place of `exact`.
    fn ulps(value: f64, exact: f64) -> f64 {
        let ulp = f64::from_bits(exact.abs().to_bits() + 1) - exact.abs();
        ((value - exact) / ulp).abs()
    }

    // The library functions that these are held against are themselves within one ulp of exact.
    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn exp_is_within_two_ulps(x in -708.0..709.0f64) {
            prop_assert!(ulps(exp(x), libm::exp(x)) <= 2.0);
        }

        #[test]
        fn exp_near_zero_is_within_two_ulps(x in -1.0..1.0f64) {
            prop_assert!(ulps(exp(x), libm::exp(x)) <= 2.0);
        }

        #[test]
        fn ln_is_within_two_ulps(x in 1.0..100.0f64) {
            prop_assert!(ulps(ln(x), libm::log(x)) <= 2.0);
        }

        #[test]
        fn ln_of_any_magnitude_is_within_two_ulps(exponent in -1020.0..1020.0f64) {
            let x = libm::exp2(exponent);
            prop_assert!(ulps(ln(x), libm::log(x)) <= 2.0);
        }
    }

    #[test]
    fn special_values() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp(-709.0), 0.0);
        assert_eq!(exp(f64::INFINITY), f64::INFINITY);
        assert!(exp(f64::NAN).is_nan());
        assert_eq!(ln(1.0), 0.0);
    }
}
