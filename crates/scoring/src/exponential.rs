//! An exponential that a loop can run on several numbers at once: scoring is little else.

/// Near and below this, exp is a subnormal number; it is taken for zero.
const LEAST_ARGUMENT: f64 = -708.0;

/// Adding this rounds to a whole number, and leaves it in the low bits: 1.5 × 2⁵².
const ROUNDING_SHIFT: f64 = 6_755_399_441_055_744.0;

/// `ln 2` in two parts, the first with enough trailing zeros to be multiplied exactly: Cody & Waite (1980), chapter 6.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// 1/13!, 1/12!, …, 1/0!: Taylor's series is within 4 × 10⁻¹⁸ of exp on half a ln 2.
const INVERSE_FACTORIALS: [f64; 14] = {
    let mut coefficients = [1.0; 14];
    let mut degree = 1;
    let mut factorial = 1.0;
    while degree < 14 {
        factorial *= degree as f64;
        coefficients[13 - degree] = 1.0 / factorial;
        degree += 1;
    }
    coefficients
};

/// Replaces each x ≤ 0 by `exp(x)`, to two units in the last place; by 0 below −708. NaN is passed on.
pub(crate) fn exp_of_nonpositive(values: &mut [f64]) {
    let (blocks, rest) = values.as_chunks_mut::<LANES>();
    for block in blocks {
        *block = exp_block(*block);
    }
    let mut last = [0.0; LANES];
    last[..rest.len()].copy_from_slice(rest);
    rest.copy_from_slice(&exp_block(last)[..rest.len()]);
}

/// Numbers that go through the series side by side: enough to hide the latency of its additions.
const LANES: usize = 4;

/// Step by step over all lanes, free of branches and of fused multiplication: so it vectorises, and gives the same bits, everywhere.
#[inline(always)]
fn exp_block(x: [f64; LANES]) -> [f64; LANES] {
    let shifted = x.map(|x| x * std::f64::consts::LOG2_E + ROUNDING_SHIFT);
    let mut rest = [0.0; LANES];
    for lane in 0..LANES {
        let whole = shifted[lane] - ROUNDING_SHIFT;
        rest[lane] = x[lane] - whole * LN_2_HIGH - whole * LN_2_LOW;
    }
    let mut series = [0.0; LANES];
    for coefficient in INVERSE_FACTORIALS {
        for lane in 0..LANES {
            series[lane] = series[lane] * rest[lane] + coefficient;
        }
    }
    for lane in 0..LANES {
        // The low bits of `shifted` are the power of two; moved up, they add to the exponent of 1.
        let power = f64::from_bits((shifted[lane].to_bits() << 52).wrapping_add(1.0_f64.to_bits()));
        series[lane] = if x[lane] < LEAST_ARGUMENT { 0.0 } else { series[lane] * power };
    }
    series
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
