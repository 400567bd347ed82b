//! Axes: the position of a value in the figure, and the ticks with their labels.

/// How an axis maps values to positions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AxisScale {
    Linear,
    /// asinh(value / unit): linear within a few units of zero, logarithmic far from it.
    Asinh {
        unit: f64,
    },
    /// Logarithmic, of positive values, with numbers at powers of the base.
    Log {
        base: f64,
    },
}

impl AxisScale {
    fn transform(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Asinh { unit } => libm::asinh(value / unit),
            Self::Log { .. } => libm::log(value),
        }
    }

    fn inverse(self, transformed: f64) -> f64 {
        match self {
            Self::Linear => transformed,
            Self::Asinh { unit } => libm::sinh(transformed) * unit,
            Self::Log { .. } => libm::exp(transformed),
        }
    }
}

/// Half of the largest number: the difference of an axis' two ends stays finite.
const LIMIT: f64 = f64::MAX / 2.0;

/// One axis: values from `low` to `high` have positions from `start` to `end` in the figure.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    low: f64,
    high: f64,
    pub start: f64,
    pub end: f64,
    scale: AxisScale,
}

impl Axis {
    /// An axis that holds `low` and `high`. A range too narrow for numbers to tell apart is widened, and one
    /// that is not finite becomes 0 to 1, so that every axis can be drawn.
    pub fn new(low: f64, high: f64, start: f64, end: f64, scale: AxisScale) -> Self {
        let (low, high) =
            if low <= high { (low.clamp(-LIMIT, LIMIT), high.clamp(-LIMIT, LIMIT)) } else { (0.0, 1.0) };
        let size = low.abs().max(high.abs());
        let (low, high) = match size {
            0.0 => (-1.0, 1.0),
            _ if high - low > size * 1e-9 && high - low > f64::MIN_POSITIVE * 1e6 => (low, high),
            _ if size < f64::MIN_POSITIVE * 1e6 => (-1.0, 1.0),
            _ => (low - size * 0.05, high + size * 0.05),
        };
        Self { low, high, start, end, scale }
    }

    /// A linear axis with a margin of `share` of the range on both sides.
    pub fn padded(low: f64, high: f64, share: f64, start: f64, end: f64) -> Self {
        let margin = (high - low) * share;
        Self::new(low - margin, high + margin, start, end, AxisScale::Linear)
    }

    pub fn position(&self, value: f64) -> f64 {
        let (low, high) = (self.scale.transform(self.low), self.scale.transform(self.high));
        self.start + (self.scale.transform(value) - low) / (high - low) * (self.end - self.start)
    }

    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The axis extended by `margin` units of the figure at both ends; values keep their positions.
    pub fn extended(self, margin: f64) -> Self {
        let margin = if self.end < self.start { -margin } else { margin };
        let (start, end) = (self.start - margin, self.end + margin);
        let (low, high) = (self.value(start).clamp(-LIMIT, LIMIT), self.value(end).clamp(-LIMIT, LIMIT));
        Self { low, high, start, end, scale: self.scale }
    }

    /// The value at `position`.
    fn value(&self, position: f64) -> f64 {
        let (low, high) = (self.scale.transform(self.low), self.scale.transform(self.high));
        self.scale.inverse(low + (position - self.start) / (self.end - self.start) * (high - low))
    }

    pub fn length(&self) -> f64 {
        (self.end - self.start).abs()
    }

    /// Round values in ascending order, each with its label, at least `gap` apart in the figure; closer only where there would
    /// otherwise be fewer than two.
    pub fn ticks(&self, gap: f64) -> Vec<(f64, String)> {
        let at = |gap: f64| match self.scale {
            AxisScale::Asinh { unit } if self.low.abs().max(self.high.abs()) > 4.0 * unit => {
                self.signed_ticks(unit, gap)
            }
            AxisScale::Log { base } => self.powers(base, gap),
            _ => linear_ticks(self.low, self.high, (self.length() / gap).floor().max(2.0)),
        };
        let closer = [1.0, 0.75, 0.5].map(|share| at(share * gap));
        let enough = closer.iter().position(|ticks| ticks.len() > 1).unwrap_or(0);
        closer.into_iter().nth(enough).unwrap_or_default()
    }

    /// Every power of the base, or every second, or third, as far as there is room.
    fn powers(&self, base: f64, gap: f64) -> Vec<(f64, String)> {
        let exponent = |value: f64| libm::log(value) / libm::log(base);
        let (first, last) =
            ((exponent(self.low) - 1e-9).ceil() as i32, (exponent(self.high) + 1e-9).floor() as i32);
        let apart = (self.position(base) - self.position(1.0)).abs();
        let every = (gap / apart).ceil().clamp(1.0, 1e6) as i32;
        // Plain where all are short: 10000 beside 10⁵ would look like two kinds of number.
        let plain = (1e-3..1e5).contains(&self.low) && self.high < 1e5;
        (first..=last)
            .filter(|power| power.rem_euclid(every) == 0)
            .map(|power| base.powi(power))
            .map(|value| (value, format_scaled(value, if plain { 0 } else { decade(value) }, value)))
            .collect()
    }

    /// Zero, then powers of ten from the outermost inwards, then threes between them where there is room.
    fn signed_ticks(&self, unit: f64, gap: f64) -> Vec<(f64, String)> {
        let first = libm::log10(unit).floor() as i32;
        let last = libm::log10(self.low.abs().max(self.high.abs())).floor() as i32;
        let mut wanted = vec![0.0];
        for lead in [1.0, 3.0] {
            for decade in (first..=last).rev() {
                wanted.extend([lead, -lead].map(|sign| sign * 10_f64.powi(decade)));
            }
        }
        let mut kept: Vec<f64> = Vec::new();
        for value in wanted {
            let clear = |other: &f64| (self.position(*other) - self.position(value)).abs() >= gap;
            if self.contains(value) && kept.iter().all(clear) {
                kept.push(value);
            }
        }
        kept.sort_by(f64::total_cmp);
        kept.into_iter().map(|value| (value, format_power(value))).collect()
    }
}

/// Multiples of 1, 2 or 5 times a power of ten within the range, at most `most` + 1 of them.
fn linear_ticks(low: f64, high: f64, most: f64) -> Vec<(f64, String)> {
    let least = (high - low) / most;
    let decade = libm::pow(10.0, libm::log10(least).floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|lead| lead * decade)
        .into_iter()
        .find(|step| *step >= least * (1.0 - 1e-9));
    let step = step.unwrap_or(10.0 * decade);
    let size = low.abs().max(high.abs());
    let (from, to) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    (from..=to)
        .map(|count| count as f64 * step)
        .map(|value| (value, format_number(value, size, step)))
        .collect()
}

/// `value` with the digits that tell multiples of `step` apart, on an axis of numbers up to `size`. Very
/// large and very small numbers are written with a power of ten.
fn format_number(value: f64, size: f64, step: f64) -> String {
    let exponent = if (1e-4..1e6).contains(&size) { 0 } else { decade(size) };
    format_scaled(value, exponent, step)
}

/// 1 or 3 times a power of ten, plain where that is short.
fn format_power(value: f64) -> String {
    let exponent = if (1e-3..1e5).contains(&value.abs()) { 0 } else { decade(value.abs()) };
    format_scaled(value, exponent, value.abs())
}

/// Exponent of the power of ten at or just below a positive number, with room for rounding.
fn decade(x: f64) -> i32 {
    libm::log10(x * (1.0 + 1e-9)).floor() as i32
}

/// `value` in units of 10^`exponent`, with the decimals of `step`.
fn format_scaled(value: f64, exponent: i32, step: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let decimals = (exponent - decade(step)).max(0) as usize;
    let lead = fixed(value / 10_f64.powi(exponent), decimals);
    match (exponent, lead.as_str()) {
        (0, _) => lead,
        (_, "1") => format!("10{}", superscript(exponent)),
        (_, "−1") => format!("−10{}", superscript(exponent)),
        _ => format!("{lead}×10{}", superscript(exponent)),
    }
}

/// `value` with a true minus, which a number that rounds to zero has not.
fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let negative = value < 0.0 && text.contains(|c: char| c.is_ascii_digit() && c != '0');
    if negative { format!("−{text}") } else { text }
}

fn superscript(exponent: i32) -> String {
    let digit = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        _ => char::from_u32('⁰' as u32 + u32::from(c) - u32::from('0'))
            .expect("superscripts 0 and 4 to 9 are in order"),
    };
    exponent.to_string().chars().map(digit).collect()
}

/// A signed number for a text, with a true minus and as many decimals as its size deserves.
pub fn format_value(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => "undefined".to_owned(),
        size if size >= 1e6 || (size > 0.0 && size < 1e-3) => {
            format_number(value, size, libm::pow(10.0, libm::log10(size).floor() - 2.0))
        }
        size if size >= 1e4 => fixed(value, 0),
        size if size >= 1.0 => fixed(value, 1),
        _ => fixed(value, 3),
    }
}

/// A p-value with two digits, those that are far below any level by their power of ten.
pub fn format_p_value(value: f64) -> String {
    match value {
        _ if value.is_nan() => "p undefined".to_owned(),
        _ if value < 1e-12 => "p < 10⁻¹²".to_owned(),
        _ if value < 1e-3 => {
            let exponent = decade(value);
            format!("p = {}", format_scaled(value, exponent, 10_f64.powi(exponent - 1)))
        }
        _ if value < 0.01 => format!("p = {value:.4}"),
        _ => format!("p = {value:.2}"),
    }
}

/// A value and its standard error, which is positive, with as many decimals as two digits of the error need.
pub fn format_with_error(value: f64, se: f64) -> [String; 2] {
    let size = value.abs().max(se);
    [value, se].map(|x| format_number(x, size, 10_f64.powi(decade(se) - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(low: f64, high: f64, scale: AxisScale) -> Vec<String> {
        Axis::new(low, high, 0.0, 300.0, scale).ticks(60.0).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_numbers_with_the_digits_that_tell_them_apart() {
        assert_eq!(texts(0.0, 1.0, AxisScale::Linear), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(-3.2, 9.1, AxisScale::Linear), ["0", "5"]);
        assert_eq!(texts(43.0, 96.0, AxisScale::Linear), ["60", "80"]);
        assert_eq!(texts(2700.0, 6300.0, AxisScale::Linear), ["3000", "4000", "5000", "6000"]);
        assert_eq!(texts(-0.0021, 0.0021, AxisScale::Linear), ["−0.002", "−0.001", "0", "0.001", "0.002"]);
    }

    #[test]
    fn extreme_numbers_are_written_with_a_power_of_ten() {
        assert_eq!(texts(0.0, 1e300, AxisScale::Linear).last().unwrap(), "1.0×10³⁰⁰");
        assert_eq!(
            texts(0.0, 2e-300, AxisScale::Linear),
            ["0", "0.5×10⁻³⁰⁰", "1.0×10⁻³⁰⁰", "1.5×10⁻³⁰⁰", "2.0×10⁻³⁰⁰"]
        );
        assert_eq!(texts(-f64::MAX, f64::MAX, AxisScale::Linear), ["−5×10³⁰⁷", "0", "5×10³⁰⁷"]);
    }

    #[test]
    fn a_p_value_has_two_digits_whatever_its_size() {
        let texts = [0.83, 0.012, 0.0088, 3.2e-5, 1e-6, 1e-15, f64::NAN].map(format_p_value);
        let expected = [
            "p = 0.83",
            "p = 0.01",
            "p = 0.0088",
            "p = 3.2×10⁻⁵",
            "p = 1.0×10⁻⁶",
            "p < 10⁻¹²",
            "p undefined",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn a_signed_axis_counts_decades_away_from_zero_and_is_linear_when_all_is_near() {
        let signed = AxisScale::Asinh { unit: 4.0 };
        assert_eq!(texts(-2000.0, 0.0, signed), ["−1000", "−100", "−10", "0"]);
        assert_eq!(texts(-1e7, 0.0, signed), ["−10⁷", "−10⁵", "−1000", "0"]);
        assert_eq!(texts(-3.0, 0.0, signed), ["−3", "−2", "−1", "0"]);
    }

    #[test]
    fn a_logarithmic_axis_has_numbers_at_powers_as_far_as_there_is_room() {
        let tens = AxisScale::Log { base: 10.0 };
        assert_eq!(texts(0.5, 2e3, tens), ["1", "10", "100", "1000"]);
        assert_eq!(texts(1e-3, 1e6, tens), ["10⁻²", "1", "10²", "10⁴", "10⁶"]);
        assert_eq!(texts(2.0, 32.0, AxisScale::Log { base: 2.0 }), ["2", "4", "8", "16", "32"]);
        let axis = Axis::new(1.0, 100.0, 0.0, 300.0, tens);
        assert!((axis.position(10.0) - 150.0).abs() < 1e-9);
        assert!((axis.extended(150.0).position(1000.0) - 450.0).abs() < 1e-9);
    }

    #[test]
    fn a_degenerate_range_still_places_its_value_in_the_middle() {
        for value in [0.0, 5.0, -1e300, 1e-320] {
            let axis = Axis::new(value, value, 0.0, 100.0, AxisScale::Linear);
            assert!((axis.position(value) - 50.0).abs() < 1e-6, "{value}");
            assert!(!axis.ticks(20.0).is_empty());
        }
        let none = Axis::new(f64::NAN, f64::NAN, 0.0, 100.0, AxisScale::Linear);
        assert_eq!((none.low, none.high), (0.0, 1.0));
    }

    #[test]
    fn rounded_numbers_have_a_true_minus_and_sensible_digits() {
        assert_eq!(
            [-25134.2, -1134.21, 0.0312, 0.0].map(format_value),
            ["−25134", "−1134.2", "0.031", "0.000"]
        );
        assert_eq!(format_with_error(-158.31, 14.23), ["−158", "14"]);
        assert_eq!(format_with_error(-0.04, 2.1), ["0.0", "2.1"]);
        assert_eq!(format_with_error(-0.9, 1.234), ["−0.9", "1.2"]);
        assert_eq!(format_with_error(-0.0123, 0.0456), ["−0.012", "0.046"]);
        assert_eq!(format_value(f64::NAN), "undefined");
        assert_eq!(format_value(1.5e300), "1.50×10³⁰⁰");
    }
}
