//! An order of the observations that keeps neighbours together.
//!
//! The pass over the data skips components that do not count for any observation of a block. The closer these lie to each
//! other, the more it skips.

use super::kernel::tile::STRIP_LEN;
use crate::data::Observations;
use crate::simd::lanes::LANES;

/// The rows of the data in blocks of [`LANES`]: the leaves of a k-d tree (Bentley 1975). Each cut is along the feature with the
/// largest range, at the median rounded to whole strips, or to blocks within a strip.
pub(super) fn compact_order(data: &impl Observations) -> Vec<u32> {
    let n = u32::try_from(data.n_observations()).expect("fewer than 2³² observations");
    let mut rows: Vec<u32> = (0..n).collect();
    let mut open: Vec<&mut [u32]> = vec![&mut rows];
    while let Some(part) = open.pop() {
        if part.len() <= LANES {
            continue;
        }
        let spread = |feature: usize| {
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for &row in part.iter() {
                let value = data.value(feature, row as usize);
                low = if value < low { value } else { low };
                high = if value > high { value } else { high };
            }
            high - low
        };
        let widest = (0..data.n_features())
            .map(|feature| (feature, spread(feature)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .expect("there is a feature")
            .0;
        let value = |row: u32| data.value(widest, row as usize);
        let whole = if part.len() > STRIP_LEN { STRIP_LEN } else { LANES };
        let cut = part.len().div_ceil(2).next_multiple_of(whole);
        // Ties are broken by the row number, so that the order depends on the data alone.
        part.select_nth_unstable_by(cut - 1, |&a, &b| value(a).total_cmp(&value(b)).then(a.cmp(&b)));
        let (left, right) = part.split_at_mut(cut);
        open.push(right);
        open.push(left);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;

    #[test]
    fn every_row_is_there_once_and_groups_are_compact() {
        let column: Vec<f64> = (0..100).map(|i| f64::from(i * 37 % 100)).collect();
        let data = Data::from_columns(std::slice::from_ref(&column)).unwrap();
        let order = compact_order(&data);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<u32>>());
        for group in order.chunks(8) {
            let values = group.iter().map(|&row| column[row as usize]);
            let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
            assert_eq!(high - low, (group.len() - 1) as f64);
        }
    }

    #[test]
    fn equal_rows_are_no_trouble() {
        let data = Data::from_columns(&[vec![1.0; 30]]).unwrap();
        assert_eq!(compact_order(&data).len(), 30);
    }
}
