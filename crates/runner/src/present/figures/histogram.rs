//! Bins a column of data for drawing.

/// Bars of equal width; heights are densities, so that all areas add up to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    pub low: f64,
    pub width: f64,
    pub density: Vec<f64>,
}

/// A far outlier makes the rule's bins absurdly many; beyond this many a bar is thinner than a line.
const MAX_BINS: f64 = 120.0;

impl Histogram {
    /// Bins the finite values. `None` when they are fewer than two or all the same.
    ///
    /// Source of the width: Freedman & Diaconis (1981), 2 · IQR · n^(−1/3). Where half of the data is one
    /// value, the interquartile range says nothing and Sturges (1926), log₂ n + 1 bins, takes its place.
    pub fn new(values: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (*sorted.first()?, *sorted.last()?);
        let (n, range) = (sorted.len() as f64, high - low);
        if !(range > 0.0 && range.is_finite()) {
            return None;
        }
        let rule = 2.0 * (quantile(&sorted, 0.75) - quantile(&sorted, 0.25)) / libm::cbrt(n);
        let bins = if rule > 0.0 { range / rule } else { libm::log2(n) + 1.0 };
        let bins = bins.ceil().clamp(1.0, MAX_BINS);
        let width = range / bins;
        let mut density = vec![0.0; bins as usize];
        for value in sorted {
            let bin = ((value - low) / width) as usize;
            // The largest value belongs to the last bin.
            density[bin.min(bins as usize - 1)] += 1.0 / (n * width);
        }
        Some(Self { low, width, density })
    }

    /// Left edge, right edge and height of every bar.
    pub fn bars(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let edge = |bin: usize| self.low + bin as f64 * self.width;
        self.density.iter().enumerate().map(move |(bin, height)| (edge(bin), edge(bin + 1), *height))
    }
}

/// Linear interpolation between order statistics. Source: Hyndman & Fan (1996), type 7.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    below + (above - below) * at.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_areas_of_the_bars_add_up_to_one() {
        let values: Vec<f64> = (0..97).map(|i| f64::from(i * i)).collect();
        let total: f64 = Histogram::new(&values)
            .unwrap()
            .bars()
            .map(|(left, right, height)| (right - left) * height)
            .sum();
        assert!((total - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_uniform_column_has_the_bins_of_the_rule() {
        // 1000 even values on [0, 1]: IQR 0.5, so bins of width 0.1.
        let values: Vec<f64> = (0..1000).map(|i| f64::from(i) / 999.0).collect();
        assert_eq!(Histogram::new(&values).unwrap().density.len(), 10);
    }

    #[test]
    fn what_cannot_be_binned_has_no_histogram() {
        assert_eq!(Histogram::new(&[]), None);
        assert_eq!(Histogram::new(&[3.0, 3.0, f64::NAN]), None);
        assert_eq!(Histogram::new(&[-f64::MAX, f64::MAX]), None);
    }

    #[test]
    fn an_outlier_or_a_single_repeated_value_does_not_break_the_bins() {
        let mut values = vec![1.0; 50];
        values.push(1e9);
        assert_eq!(Histogram::new(&values).unwrap().density.len(), 7);
        values.extend((0..50).map(|i| f64::from(i) * 1e-3));
        assert_eq!(Histogram::new(&values).unwrap().density.len(), MAX_BINS as usize);
    }
}
