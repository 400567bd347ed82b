//! The distribution of Σ_l a_l Z_l² + b_l Z_l for independent standard normal Z_l, by numerical inversion of its transform.
//!
//! Imhof (1961) and Davies (1980, AS 155) integrate the characteristic function along the imaginary axis, where it may decay as
//! slowly as |s|^(−1/2). Through a saddle point (Helstrom 1996), along rays that bend away from the axis, the integrand falls
//! off exponentially, and a double-exponential rule (Takahasi & Mori 1974) reaches ten digits with about a hundred values of
//! it.

use std::f64::consts::{FRAC_PI_2, PI};

/// The rule has converged if its two finest steps agree to this …
const AGREEMENT: f64 = 1e-9;
/// … otherwise the best agreement must be at least this; if not, the value is NaN.
const LEAST_AGREEMENT: f64 = 1e-7;

/// Halvings of the rule's first step, ½. Of 3000 random forms in up to ten dimensions none needed more than six.
const MOST_HALVINGS: u32 = 8;

/// Range of the rule's variable t: nodes lie at distances exp(½π sinh t), from 1e-19 to 1e30 times the saddle's width.
const T: (f64, f64) = (-4.0, 4.5);

/// Angles of the two rays to the real axis. Gaussian factors decay between 45° and 135°; the other factors decay along one of
/// the two.
const ANGLES: [f64; 2] = [0.375 * PI, 0.625 * PI];

/// Relative size of a term below which those farther out are negligible.
const NEGLIGIBLE: f64 = 1e-17;

/// Steps of the bisection for the saddle point. It need not be exact: any point near it gives the same integral.
const BISECTIONS: usize = 60;

/// Σ_l a_l Z_l² + b_l Z_l.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct QuadraticForm {
    /// a.
    pub(super) squares: Vec<f64>,
    /// b.
    pub(super) linear: Vec<f64>,
}

/// The tail that is integrated: the one without the mean, so that no digits are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    Lower,
    Upper,
}

impl Tail {
    /// The side of 0 on which its saddle point lies.
    fn sign(self) -> f64 {
        match self {
            Self::Lower => -1.0,
            Self::Upper => 1.0,
        }
    }
}

impl QuadraticForm {
    fn terms(&self) -> impl Iterator<Item = (f64, f64)> {
        self.squares.iter().copied().zip(self.linear.iter().copied())
    }

    /// P(Σ a Z² + b Z < x), accurate to 1e-8; NaN if the integral did not converge. A form that is constantly 0 is below 0 with
    /// probability ½.
    #[must_use]
    pub(super) fn probability_below(&self, x: f64) -> f64 {
        if self.terms().all(|(a, b)| a == 0.0 && b == 0.0) {
            return if x == 0.0 { 0.5 } else { f64::from(x > 0.0) };
        }
        // Completing the squares: bounded forms end at −Σ b² / 4a.
        let rest: f64 = self.terms().filter(|(a, _)| *a != 0.0).map(|(a, b)| b * b / (4.0 * a)).sum();
        let bounded = |sign: f64| self.terms().all(|(a, b)| sign * a > 0.0 || (a == 0.0 && b == 0.0));
        if bounded(1.0) && x + rest <= 0.0 {
            return 0.0;
        }
        if bounded(-1.0) && x + rest >= 0.0 {
            return 1.0;
        }
        let tail = if x < self.squares.iter().sum() { Tail::Lower } else { Tail::Upper };
        let probability = self.tail_probability(x, tail).clamp(0.0, 1.0);
        match tail {
            Tail::Lower => probability,
            Tail::Upper => 1.0 - probability,
        }
    }

    /// Derivative of log M(s) − s x − log |s|, M the moment generating function
    /// Π (1 − 2 a s)^(−1/2) exp(b² s² / (2 (1 − 2 a s))); convex between two poles.
    fn slope(&self, s: f64, x: f64) -> f64 {
        let sum: f64 = self
            .terms()
            .map(|(a, b)| {
                let w = 1.0 - 2.0 * a * s;
                a / w + b * b * s * (1.0 - a * s) / (w * w)
            })
            .sum();
        sum - x - 1.0 / s
    }

    /// The second derivative.
    fn curvature(&self, s: f64) -> f64 {
        let sum = self.terms().map(|(a, b)| {
            let w = 1.0 - 2.0 * a * s;
            2.0 * a * a / (w * w) + b * b / (w * w * w)
        });
        sum.sum::<f64>() + 1.0 / (s * s)
    }

    /// The saddle point on the tail's side of 0, by bisection.
    fn saddle(&self, x: f64, tail: Tail) -> f64 {
        let sign = tail.sign();
        let rises = |distance: f64| sign * self.slope(sign * distance, x) >= 0.0;
        // The nearest pole on this side, if there is one.
        let poles = self.squares.iter().filter(|a| sign * **a > 0.0).map(|a| 0.5 / a.abs());
        let (mut low, mut high) = (0.0, poles.fold(f64::INFINITY, f64::min));
        if high.is_infinite() {
            high = 1.0;
            while !rises(high) && high < 1e150 {
                low = high;
                high *= 4.0;
            }
        }
        for _ in 0..BISECTIONS {
            let middle = 0.5 * (low + high);
            if rises(middle) { high = middle } else { low = middle }
        }
        // `low` is on the saddle's near side, away from the pole; 0 itself is a pole too.
        sign * if low > 0.0 { low } else { high }
    }

    fn tail_probability(&self, x: f64, tail: Tail) -> f64 {
        let saddle = self.saddle(x, tail);
        let width = 1.0 / self.curvature(saddle).sqrt();
        let mut rays = ANGLES.map(|angle| Ray::new(self, x, saddle, width, angle));
        let mut best = (f64::INFINITY, f64::NAN);
        for _ in 0..=MOST_HALVINGS {
            for ray in &mut rays {
                let before = ray.value();
                ray.refine();
                let change = (ray.value() - before).abs();
                if change < best.0 {
                    best = (change, ray.value());
                }
            }
            if best.0 < AGREEMENT {
                break;
            }
        }
        // P(Q > x) = (2πi)⁻¹ ∫ M(s) e^(−sx) / s ds to the right of the pole at 0; to its left it is −P(Q < x).
        if best.0 < LEAST_AGREEMENT { tail.sign() * best.1 } else { f64::NAN }
    }
}

/// The integral along one ray from the saddle point; that of the conjugate ray is its conjugate.
struct Ray<'a> {
    form: &'a QuadraticForm,
    x: f64,
    saddle: f64,
    width: f64,
    /// cos and sin of its angle.
    direction: (f64, f64),
    step: f64,
    /// Sum of the imaginary parts at all nodes so far, without the step.
    sum: f64,
    /// Nodes below this are negligible.
    negligible: f64,
}

impl<'a> Ray<'a> {
    fn new(form: &'a QuadraticForm, x: f64, saddle: f64, width: f64, angle: f64) -> Self {
        let (sin, cos) = libm::sincos(angle);
        let mut ray =
            Self { form, x, saddle, width, direction: (cos, sin), step: 0.5, sum: 0.0, negligible: 0.0 };
        ray.negligible = NEGLIGIBLE * ray.modulus_and_phase(0.0).0 * width;
        ray.add(T.0);
        ray
    }

    fn value(&self) -> f64 {
        self.sum * self.step / PI
    }

    /// Halves the step: adds the nodes between the present ones.
    fn refine(&mut self) {
        self.add(T.0 + 0.5 * self.step);
        self.step *= 0.5;
    }

    /// Adds nodes from t = `first` on, a step apart, until they are negligible.
    fn add(&mut self, first: f64) {
        let mut t = first;
        while t < T.1 {
            let distance = self.width * libm::exp(FRAC_PI_2 * libm::sinh(t));
            let weight = distance * FRAC_PI_2 * libm::cosh(t);
            let (modulus, phase) = self.modulus_and_phase(distance);
            self.sum += modulus * weight * libm::sin(phase);
            // Nodes within the width are small because they are dense.
            if distance > self.width && modulus * weight < self.negligible {
                break;
            }
            t += self.step;
        }
    }

    /// Modulus and phase of M(s) e^(−sx) / s times the ray's direction, at a distance from the saddle point.
    fn modulus_and_phase(&self, distance: f64) -> (f64, f64) {
        let (cos, sin) = self.direction;
        let (re, im) = (self.saddle + distance * cos, distance * sin);
        // s², and (1 − 2 a s)⁻¹ by its conjugate.
        let (square_re, square_im) = (re * re - im * im, 2.0 * re * im);
        let mut log_modulus = -self.x * re - 0.5 * libm::log(re * re + im * im);
        let mut phase = -self.x * im - libm::atan2(im, re) + libm::atan2(sin, cos);
        for (a, b) in self.form.terms() {
            let (w_re, w_im) = (1.0 - 2.0 * a * re, -2.0 * a * im);
            let norm = w_re * w_re + w_im * w_im;
            let half = 0.5 * b * b / norm;
            log_modulus += half * (square_re * w_re + square_im * w_im) - 0.25 * libm::log(norm);
            // Off the real axis 1 − 2 a s never crosses the branch cut of the logarithm.
            phase += half * (square_im * w_re - square_re * w_im) - 0.5 * libm::atan2(w_im, w_re);
        }
        (libm::exp(log_modulus), phase)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal_cdf(x: f64) -> f64 {
        0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
    }

    /// P(a Z² + b Z < x) between, or outside, the roots of the parabola.
    fn one_dimensional(a: f64, b: f64, x: f64) -> f64 {
        let discriminant = b * b + 4.0 * a * x;
        if discriminant <= 0.0 {
            return f64::from(a < 0.0);
        }
        let q = -0.5 * (b + discriminant.sqrt().copysign(b));
        let (low, high) = (f64::min(q / a, -x / q), f64::max(q / a, -x / q));
        let between = normal_cdf(high) - normal_cdf(low);
        if a > 0.0 { between } else { 1.0 - between }
    }

    #[test]
    fn one_linear_term_is_a_normal_tail() {
        for (b, x) in [(1.0, 0.3), (-2.0, -5.0), (1e-3, 1e-3), (40.0, 100.0)] {
            let form = QuadraticForm { squares: vec![0.0], linear: vec![b] };
            let expected = normal_cdf(x / f64::abs(b));
            assert!((form.probability_below(x) - expected).abs() < 1e-8, "{b} {x}");
        }
    }

    #[test]
    fn equal_squares_are_chi_squared() {
        // With two degrees of freedom exp(−x / 2); with four (1 + x / 2) exp(−x / 2).
        for x in [1e-3, 0.5, 3.0, 30.0] {
            let form = |d: usize| QuadraticForm { squares: vec![1.0; d], linear: vec![0.0; d] };
            let two = 1.0 - libm::exp(-0.5 * x);
            let four = 1.0 - (1.0 + 0.5 * x) * libm::exp(-0.5 * x);
            assert!((form(2).probability_below(x) - two).abs() < 1e-8, "{x}");
            assert!((form(4).probability_below(x) - four).abs() < 1e-8, "{x}");
        }
    }

    #[test]
    fn published_values_are_met() {
        // Imhof (1961), table 1: Q1 = 0.6 χ²₁ + 0.3 χ²₁ + 0.1 χ²₁, P(Q1 > 0.1) = 0.9458, P(Q1 > 0.7) = 0.5064, P(Q1 > 2) =
        // 0.1240.
        let form = QuadraticForm { squares: vec![0.6, 0.3, 0.1], linear: vec![0.0; 3] };
        for (x, above) in [(0.1, 0.9458), (0.7, 0.5064), (2.0, 0.1240)] {
            assert!((1.0 - form.probability_below(x) - above).abs() < 5.1e-5, "{x}");
        }
    }

    #[test]
    fn bounded_and_constant_forms_end_where_they_do() {
        let bowl = QuadraticForm { squares: vec![2.0, 1.0], linear: vec![4.0, 2.0] };
        // (Z + 1)² terms: the form is never below −3.
        assert_eq!(bowl.probability_below(-3.0), 0.0);
        assert!(bowl.probability_below(-2.9) > 0.0);
        let dome = QuadraticForm { squares: vec![-2.0], linear: vec![4.0] };
        assert_eq!(dome.probability_below(2.0), 1.0);
        let nothing = QuadraticForm { squares: vec![0.0; 2], linear: vec![0.0; 2] };
        assert_eq!([-1.0, 0.0, 1.0].map(|x| nothing.probability_below(x)), [0.0, 0.5, 1.0]);
    }

    proptest! {
        #[test]
        fn one_dimension_agrees_with_the_roots_of_a_parabola(
            log_a in -12.0..3.0f64, positive: bool, b in -20.0..20.0f64, x in -60.0..60.0f64,
        ) {
            let a = libm::exp(log_a) * if positive { 1.0 } else { -1.0 };
            let form = QuadraticForm { squares: vec![a], linear: vec![b] };
            let (found, expected) = (form.probability_below(x), one_dimensional(a, b, x));
            prop_assert!((found - expected).abs() < 1e-8, "{found} {expected}");
        }

        /// a Z₁² + b Z₁ + c Z₂ integrated over Z₂ by the trapezoidal rule, which converges exponentially on the whole line.
        #[test]
        fn two_dimensions_agree_with_quadrature(
            a in -2.0..2.0f64, b in -4.0..4.0f64, c in 0.5..5.0f64, x in -10.0..10.0f64,
        ) {
            prop_assume!(a.abs() > 1e-3);
            let form = QuadraticForm { squares: vec![a, 0.0], linear: vec![b, c] };
            const STEP: f64 = 0.01;
            let expected: f64 = (-900..=900)
                .map(|i| {
                    let z = STEP * f64::from(i);
                    let density = libm::exp(-0.5 * z * z) / (2.0 * PI).sqrt();
                    let left = (x - a * z * z - b * z) / c;
                    STEP * density * normal_cdf(left)
                })
                .sum();
            let found = form.probability_below(x);
            prop_assert!((found - expected).abs() < 1e-8, "{found} {expected}");
        }
    }
}
