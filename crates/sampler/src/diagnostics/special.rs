//! Quantiles of the normal and the beta distribution.

/// Standard normal quantile of a probability strictly between 0 and 1, to about sixteen digits.
pub(super) fn normal_quantile(probability: f64) -> f64 {
    // Wichura (1988), algorithm AS 241, PPND16: rational approximations on three ranges.
    const CENTRE: ([f64; 8], [f64; 8]) = (
        [
            3.387_132_872_796_366_5,
            1.331_416_678_917_843_8e2,
            1.971_590_950_306_551_3e3,
            1.373_169_376_550_946e4,
            4.592_195_393_154_987e4,
            6.726_577_092_700_87e4,
            3.343_057_558_358_813e4,
            2.509_080_928_730_122_7e3,
        ],
        [
            1.0,
            4.231_333_070_160_091e1,
            6.871_870_074_920_579e2,
            5.394_196_021_424_751e3,
            2.121_379_430_158_659_7e4,
            3.930_789_580_009_271e4,
            2.872_908_573_572_194_3e4,
            5.226_495_278_852_545e3,
        ],
    );
    const MIDDLE: ([f64; 8], [f64; 8]) = (
        [
            1.423_437_110_749_683_5,
            4.630_337_846_156_546,
            5.769_497_221_460_691,
            3.647_848_324_763_204_5,
            1.270_458_252_452_368_4,
            2.417_807_251_774_506e-1,
            2.272_384_498_926_918_4e-2,
            7.745_450_142_783_414e-4,
        ],
        [
            1.0,
            2.053_191_626_637_759,
            1.676_384_830_183_803_8,
            6.897_673_349_851e-1,
            1.481_039_764_274_800_8e-1,
            1.519_866_656_361_645_7e-2,
            5.475_938_084_995_345e-4,
            1.050_750_071_644_416_9e-9,
        ],
    );
    const FAR: ([f64; 8], [f64; 8]) = (
        [
            6.657_904_643_501_103,
            5.463_784_911_164_114,
            1.784_826_539_917_291_3,
            2.965_605_718_285_048_7e-1,
            2.653_218_952_657_612_4e-2,
            1.242_660_947_388_078_4e-3,
            2.711_555_568_743_487_6e-5,
            2.010_334_399_292_288_1e-7,
        ],
        [
            1.0,
            5.998_322_065_558_88e-1,
            1.369_298_809_227_358e-1,
            1.487_536_129_085_061_5e-2,
            7.868_691_311_456_133e-4,
            1.846_318_317_510_054_8e-5,
            1.421_511_758_316_446e-7,
            2.044_263_103_389_939_8e-15,
        ],
    );
    let ratio = |(above, below): (&[f64; 8], &[f64; 8]), x: f64| polynomial(above, x) / polynomial(below, x);
    let offset = probability - 0.5;
    if offset.abs() <= 0.425 {
        return offset * ratio((&CENTRE.0, &CENTRE.1), 0.180_625 - offset * offset);
    }
    let tail = (-libm::log(probability.min(1.0 - probability))).sqrt();
    let size = if tail <= 5.0 {
        ratio((&MIDDLE.0, &MIDDLE.1), tail - 1.6)
    } else {
        ratio((&FAR.0, &FAR.1), tail - 5.0)
    };
    size.copysign(offset)
}

/// Horner's rule, coefficients in ascending powers.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// Quantile of Beta(a, b): Newton's method, with bisection wherever a step would leave the bracket.
pub(super) fn beta_quantile(probability: f64, a: f64, b: f64) -> f64 {
    // The sums behind the distribution function carry no more digits than this.
    const TOLERANCE: f64 = 1e-15;
    // Bisection alone halves [0, 1] down to one spacing in this many steps.
    const MOST_STEPS: usize = 64;
    let log_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let (mut low, mut high, mut x) = (0.0, 1.0, a / (a + b));
    for _ in 0..MOST_STEPS {
        let excess = beta_cdf(x, a, b, log_beta) - probability;
        let log_density = (a - 1.0) * libm::log(x) + (b - 1.0) * libm::log1p(-x) - log_beta;
        let step = excess / libm::exp(log_density);
        // Checked before the bracket: a step too small to move x would seem to leave it.
        if step.abs() <= TOLERANCE * x {
            break;
        }
        if excess > 0.0 {
            high = x;
        } else {
            low = x;
        }
        x = if x - step > low && x - step < high { x - step } else { (low + high) / 2.0 };
    }
    x
}

/// Regularised incomplete beta function.
fn beta_cdf(x: f64, a: f64, b: f64, log_beta: f64) -> f64 {
    // DLMF 8.17.4: the fraction converges fast on the side of the mean that it is used on.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_cdf(1.0 - x, b, a, log_beta);
    }
    let front = libm::exp(a * libm::log(x) + b * libm::log1p(-x) - log_beta) / a;
    // DLMF 8.17.22, evaluated by the method of Lentz (1976). √max(a, b) terms suffice, so a thousand serve 10⁶ draws.
    const TERMS: usize = 1000;
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut below = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let (mut above, mut fraction) = (1.0, below);
    for term in 1..TERMS {
        let m = term as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for coefficient in [even, odd] {
            below = 1.0 / guard(1.0 + coefficient * below);
            above = guard(1.0 + coefficient / above);
            change = below * above;
            fraction *= change;
        }
        if (change - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    front * fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Agreement of two programs in double precision, where each rounds in its own order.
    const ROUNDING: f64 = 1e-14;

    #[test]
    fn normal_quantiles_agree_with_scipy_on_all_three_ranges() {
        let reference = [
            (1e-300, -37.047_096_299_361_2),
            (1e-20, -9.262_340_089_798_409),
            (1e-6, -4.753_424_308_822_899),
            (0.001, -3.090_232_306_167_813),
            (0.0749, -1.440_238_267_527_963_5),
            (0.0751, -1.438_825_392_752_540_3),
            (0.3, -0.524_400_512_708_040_9),
            (0.5, 0.0),
            (0.7, 0.524_400_512_708_040_7),
            (0.93, 1.475_791_028_179_171),
        ];
        for (p, expected) in reference {
            let error = (normal_quantile(p) - expected).abs();
            assert!(error <= ROUNDING * expected.abs(), "{p}: {} for {expected}", normal_quantile(p));
        }
    }

    #[test]
    fn beta_quantiles_agree_with_scipy() {
        // Through lgamma, whose absolute error grows with a + b.
        let cancellation = 1e-11;
        let reference = [
            ((0.158_655_3, 21.0, 3.5), 0.788_242_081_274_135_1),
            ((0.841_344_7, 21.0, 3.5), 0.925_476_396_763_432_9),
            ((0.841_344_7, 5.054_336_608_780_93, 5.054_336_608_780_93), 0.657_060_634_864_517_9),
            ((0.158_655_3, 1.5, 1.2), 0.256_207_110_410_219_6),
            ((0.158_655_3, 101.0, 1901.0), 0.045_564_847_396_907_81),
            ((0.841_344_7, 7000.5, 7000.5), 0.504_225_619_554_147_4),
            ((0.841_344_7, 20001.0, 380_001.0), 0.050_346_855_178_894_03),
        ];
        for ((p, a, b), expected) in reference {
            let error = (beta_quantile(p, a, b) - expected).abs();
            assert!(
                error <= cancellation * expected,
                "{p} {a} {b}: {} for {expected}",
                beta_quantile(p, a, b)
            );
        }
    }
}
