//! Sample quantiles, interpolated as R and NumPy do by default.

/// Quantile of unordered values for a probability in [0, 1] (Hyndman & Fan 1996, definition 7). NaN if there are no values, one
/// is NaN, or the probability is out of range.
#[must_use]
pub fn quantile(values: &[f64], probability: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted_quantile(&sorted, probability)
}

/// As [`quantile`], for values in ascending order.
#[must_use]
pub fn sorted_quantile(sorted: &[f64], probability: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    // Total order puts NaN at either end.
    if sorted[0].is_nan() || sorted[last].is_nan() || !(0.0..=1.0).contains(&probability) {
        return f64::NAN;
    }
    let place = last as f64 * probability;
    let below = place.floor();
    let (low, high) = (sorted[below as usize], sorted[(place.ceil() as usize).min(last)]);
    // Equal neighbours need no interpolation, which would turn infinite ones into NaN.
    if low == high { low } else { (1.0 - (place - below)) * low + (place - below) * high }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_between_order_statistics() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&values, 0.0), 1.0);
        assert_eq!(quantile(&values, 0.5), 2.5);
        assert_eq!(quantile(&values, 0.25), 1.75);
        assert_eq!(quantile(&values, 1.0), 4.0);
    }

    #[test]
    fn infinite_values_are_ordered_and_undefined_ones_spread() {
        assert_eq!(quantile(&[f64::INFINITY, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile(&[f64::INFINITY; 3], 0.5), f64::INFINITY);
        assert!(quantile(&[f64::NAN, 1.0, 2.0], 0.5).is_nan());
        assert!(quantile(&[], 0.5).is_nan());
    }
}
