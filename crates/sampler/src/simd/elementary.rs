//! `exp2`, `exp` and `ln` on eight numbers at a time: straight-line code, the same bits on every instruction set, at most
//! 2 ulp from exact.
//!
//! Calls of the C library's versions do not vectorise, and their last bits change between releases, which would change stored
//! draws.

use super::lanes::{Lanes, ROUND_TO_INTEGER};

/// ln 2 in two parts; the high one has 21 trailing zero bits, so that n · `LN2_HIGH` is exact for |n| ≤ 1075.
const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// Coefficients of (2^r − 1) / r on |r| ≤ ½: a minimax fit of the relative error of 2^r in 60-digit arithmetic; 2.8e-17 once
/// rounded.
const EXP2: [f64; 11] = [
    std::f64::consts::LN_2,
    0.240_226_506_959_101_28,
    0.055_504_108_664_820_265,
    0.009_618_129_107_595_267,
    0.001_333_355_814_674_231_3,
    0.000_154_035_304_558_472_53,
    1.525_273_351_800_131_2e-5,
    1.321_543_584_770_860_2e-6,
    1.017_819_092_219_112_6e-7,
    7.073_694_673_115_467_5e-9,
    4.435_889_707_404_22e-10,
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

/// Σ c_i x^i by Horner's rule.
#[inline(always)]
fn polynomial<V: Lanes>(coefficients: &[f64], x: V) -> V {
    let (highest, rest) = coefficients.split_last().expect("a polynomial has coefficients");
    let mut value = V::splat(*highest);
    for coefficient in rest.iter().rev() {
        value = value.multiply_add(x, V::splat(*coefficient));
    }
    value
}

/// 2^x of −1022 ≤ x ≤ 1023; anything else gives an unspecified value.
#[inline(always)]
pub fn exp2<V: Lanes>(x: V) -> V {
    let shifted = x.plus(V::splat(ROUND_TO_INTEGER));
    let r = x.minus(shifted.minus(V::splat(ROUND_TO_INTEGER)));
    let fraction = polynomial(&EXP2, r).multiply_add(r, V::splat(1.0));
    fraction.times_power_of_two(shifted)
}

/// e^x of −708 ≤ x ≤ 709; anything else gives an unspecified value.
#[inline(always)]
pub fn exp<V: Lanes>(x: V) -> V {
    let shifted = x.multiply_add(V::splat(std::f64::consts::LOG2_E), V::splat(ROUND_TO_INTEGER));
    let n = shifted.minus(V::splat(ROUND_TO_INTEGER));
    // r = x − n ln 2, then 2^(r log₂ e): r is nearly exact, and so is its small multiple.
    let r = n.negative_multiply_add(V::splat(LN2_HIGH), x);
    let r = n.negative_multiply_add(V::splat(LN2_LOW), r);
    let r = r.times(V::splat(std::f64::consts::LOG2_E));
    let fraction = polynomial(&EXP2, r).multiply_add(r, V::splat(1.0));
    fraction.times_power_of_two(shifted)
}

/// e^x − 1 of −708 ≤ x ≤ 709, to a relative 4 ulp also near 0; anything else gives an unspecified value.
#[inline(always)]
pub fn exp_minus_one<V: Lanes>(x: V) -> V {
    let shifted = x.multiply_add(V::splat(std::f64::consts::LOG2_E), V::splat(ROUND_TO_INTEGER));
    let n = shifted.minus(V::splat(ROUND_TO_INTEGER));
    let r = n.negative_multiply_add(V::splat(LN2_HIGH), x);
    let r = n.negative_multiply_add(V::splat(LN2_LOW), r).times(V::splat(std::f64::consts::LOG2_E));
    // 2ⁿ 2^r − 1 = 2ⁿ (2^r − 1) + (2ⁿ − 1), and the polynomial gives 2^r − 1 before any 1 has taken its digits.
    let power = V::splat(1.0).times_power_of_two(shifted);
    let fraction = polynomial(&EXP2, r).times(r);
    power.multiply_add(fraction, power.minus(V::splat(1.0)))
}

/// ln x of a positive, normal, finite x; anything else gives an unspecified value.
#[inline(always)]
pub fn ln<V: Lanes>(x: V) -> V {
    let (k, mantissa) = x.split_exponent();
    let f = mantissa.minus(V::splat(1.0));
    let s = f.over(V::splat(2.0).plus(f));
    let z = s.times(s);
    // ln(1 + f) = f − (f²/2 − s (f²/2 + R)), which keeps f, the leading term, exact.
    let half_square = V::splat(0.5).times(f).times(f);
    let rest = z.multiply_add(polynomial(&LN, z), half_square);
    let correction = s.multiply_add(rest, k.times(V::splat(LN2_LOW)));
    k.multiply_add(V::splat(LN2_HIGH), f.minus(half_square.minus(correction)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::instructions::{InstructionSet, dispatched};
    use crate::simd::lanes::{LANES, Vector};
    use crate::simd::portable::Portable;
    use proptest::prelude::*;

    fn evaluate(function: impl Fn(Portable) -> Portable, x: f64) -> f64 {
        let mut result = Vector::ZERO;
        function(Portable::load(&Vector([x; LANES]))).store(&mut result);
        result.0[0]
    }

    /// Distance in units of the last place of `exact`.
    fn ulps(value: f64, exact: f64) -> f64 {
        let ulp = f64::from_bits(exact.abs().to_bits() + 1) - exact.abs();
        ((value - exact) / ulp).abs()
    }

    // The reference functions are themselves within one ulp of exact.
    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn exp_is_within_two_ulps(x in -708.0..709.0f64) {
            prop_assert!(ulps(evaluate(exp, x), libm::exp(x)) <= 2.0);
        }

        #[test]
        fn exp_near_zero_is_within_two_ulps(x in -1.0..1.0f64) {
            prop_assert!(ulps(evaluate(exp, x), libm::exp(x)) <= 2.0);
        }

        #[test]
        fn exp_minus_one_is_within_four_ulps_also_near_zero(x in -708.0..709.0f64, exponent in -60.0..2.0f64) {
            for x in [x, libm::exp2(exponent), -libm::exp2(exponent)] {
                prop_assert!(ulps(evaluate(exp_minus_one, x), libm::expm1(x)) <= 4.0, "{x}");
            }
        }

        #[test]
        fn exp2_is_within_two_ulps(x in -1021.0..1023.0f64) {
            prop_assert!(ulps(evaluate(exp2, x), libm::exp2(x)) <= 2.0);
        }

        #[test]
        fn ln_is_within_two_ulps(x in 1.0..100.0f64) {
            prop_assert!(ulps(evaluate(ln, x), libm::log(x)) <= 2.0);
        }

        #[test]
        fn ln_of_any_magnitude_is_within_two_ulps(exponent in -1020.0..1020.0f64) {
            let x = libm::exp2(exponent);
            prop_assert!(ulps(evaluate(ln, x), libm::log(x)) <= 2.0);
        }
    }

    dispatched! {
        all_functions => all_functions_body(x: &Vector, results: &mut [Vector; 7])
    }

    #[inline(always)]
    fn all_functions_body<V: Lanes>(x: &Vector, results: &mut [Vector; 7]) {
        let x = V::load(x);
        exp_minus_one(x).store(&mut results[4]);
        V::load_array(&results[0].0)
            .replaced_above(x, x.smaller(V::splat(0.0)))
            .store_array(&mut results[5].0);
        let mut front = [0.0; LANES];
        let count = x.keep_above(V::splat(0.0), &mut front);
        front[count..].fill(count as f64);
        results[6] = Vector(front);
        exp(x).store(&mut results[0]);
        exp2(x).store(&mut results[1]);
        let positive = exp2(x);
        ln(positive).with_sign_of(x).store(&mut results[2]);
        let sum = V::splat(positive.plus(x.negative_absolute()).sum());
        sum.over(x.larger(positive)).store(&mut results[3]);
    }

    proptest! {
        #[test]
        fn every_instruction_set_gives_the_same_bits(x in proptest::array::uniform8(-700.0..700.0f64)) {
            let sets = InstructionSet::available();
            let bits = |set: &InstructionSet| {
                let mut results = [Vector::ZERO; 7];
                all_functions(*set, &Vector(x), &mut results);
                results.map(|vector| vector.0.map(f64::to_bits))
            };
            for set in &sets[1..] {
                prop_assert_eq!(bits(set), bits(&sets[0]));
            }
        }
    }

    #[test]
    fn powers_of_two_and_one_are_exact() {
        for n in -1022..1023 {
            assert_eq!(evaluate(exp2, f64::from(n)), libm::exp2(f64::from(n)));
        }
        assert_eq!(evaluate(exp, 0.0), 1.0);
        assert_eq!(evaluate(ln, 1.0), 0.0);
    }
}
