//! The few special functions that truths and p-values need.

use libm::{erfc, lgamma, log};

/// Φ(x).
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// φ(x).
pub(crate) fn normal_density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x) / (2.0 * std::f64::consts::PI).sqrt()
}

/// Φ⁻¹(p), by bisection: p-values and figures need no speed.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    invert_increasing(normal_cdf, p, -40.0, 40.0)
}

/// The x in [low, high] at which an increasing function takes a value.
pub(crate) fn invert_increasing(f: impl Fn(f64) -> f64, value: f64, mut low: f64, mut high: f64) -> f64 {
    // 2⁻²⁰⁰ of any bracket is below the spacing of doubles.
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if f(middle) < value { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The distribution function of Student's t with an even number of degrees of freedom (Abramowitz & Stegun 1964, 26.7.4).
pub(crate) fn student_t_cdf(t: f64, degrees: usize) -> f64 {
    assert!(degrees.is_multiple_of(2), "the finite series is for even degrees of freedom");
    let nu = degrees as f64;
    let sine = t / (nu + t * t).sqrt();
    let cosine_square = nu / (nu + t * t);
    let (mut term, mut sum) = (1.0, 0.0);
    for j in 0..degrees / 2 {
        sum += term;
        term *= cosine_square * (2 * j + 1) as f64 / (2 * j + 2) as f64;
    }
    0.5 + 0.5 * sine * sum
}

/// ψ(x) for x > 0: the recurrence, then the asymptotic series (Abramowitz & Stegun 1964, 6.3.5 and 6.3.18).
pub(crate) fn digamma(x: f64) -> f64 {
    let (mut x, mut sum) = (x, 0.0);
    while x < 10.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series = r * (1.0 / 12.0 - r * (1.0 / 120.0 - r * (1.0 / 252.0 - r * (1.0 / 240.0 - r / 132.0))));
    sum + log(x) - 0.5 / x - series
}

/// P(B = count) for B ~ Binomial(n, p), 0 < p < 1.
pub(crate) fn binomial_probability(n: usize, p: f64, count: usize) -> f64 {
    let (n, count) = (n as f64, count as f64);
    let choose = lgamma(n + 1.0) - lgamma(count + 1.0) - lgamma(n - count + 1.0);
    libm::exp(choose + count * log(p) + (n - count) * libm::log1p(-p))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn the_normal_distributions_known_values() {
        assert_relative_eq!(normal_cdf(1.959963984540054), 0.975, max_relative = 1e-14);
        assert_relative_eq!(normal_quantile(0.975), 1.959963984540054, max_relative = 1e-14);
        assert_relative_eq!(normal_density(0.0), 0.398_942_280_401_432_7, max_relative = 1e-15);
    }

    #[test]
    fn students_t_has_its_known_values() {
        // Of two degrees of freedom F(t) = ½ + t / (2 √(2 + t²)); the 97.5 % points of 4 and 16 are in every table.
        assert_relative_eq!(student_t_cdf(1.0, 2), 0.5 + 0.5 / 3.0f64.sqrt(), max_relative = 1e-14);
        assert_relative_eq!(student_t_cdf(2.776_445_105, 4), 0.975, max_relative = 1e-9);
        assert_relative_eq!(student_t_cdf(-2.119_905_299, 16), 0.025, max_relative = 1e-8);
    }

    #[test]
    fn the_digamma_functions_known_values() {
        // −γ, and −γ − 2 ln 2 (Abramowitz & Stegun 1964, 6.3.2 and 6.3.3).
        assert_relative_eq!(digamma(1.0), -0.577_215_664_901_532_9, max_relative = 1e-13);
        assert_relative_eq!(digamma(0.5), -1.963_510_026_021_423_5, max_relative = 1e-13);
        assert_relative_eq!(digamma(20.0) - digamma(19.0), 1.0 / 19.0, max_relative = 1e-12);
    }

    #[test]
    fn binomial_probabilities_add_up() {
        let total: f64 = (0..=40).map(|count| binomial_probability(40, 0.3, count)).sum();
        assert_relative_eq!(total, 1.0, max_relative = 1e-13);
        assert_relative_eq!(binomial_probability(4, 0.5, 2), 0.375, max_relative = 1e-13);
    }
}
