//! A fingerprint of the observations that a score is of.

use gmm_sampler::data::Data;

/// Identifies a data set: equal for equal observations in the same order, different, but for one chance in 2⁶⁴, for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of a data set.
    #[must_use]
    pub fn new(data: &Data) -> Self {
        Self::from_columns((0..data.n_features()).map(|feature| data.feature(feature)))
    }

    /// The fingerprint of columns of equal length: FNV-1a (Fowler, Noll & Vo) over their bits. 0 and −0 differ.
    #[must_use]
    pub fn from_columns<'a>(columns: impl IntoIterator<Item = &'a [f64]>) -> Self {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let mut hash = OFFSET;
        let mut take = |bytes: [u8; 8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
            }
        };
        for column in columns {
            // The length tells two columns from one of their joined values.
            take((column.len() as u64).to_le_bytes());
            column.iter().for_each(|value| take(value.to_le_bytes()));
        }
        Self(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_order_and_shape_all_count() {
        let of = |columns: &[&[f64]]| Fingerprint::from_columns(columns.iter().copied());
        let data = of(&[&[1.0, 2.0], &[3.0, 4.0]]);
        assert_eq!(data, of(&[&[1.0, 2.0], &[3.0, 4.0]]));
        let others: [&[&[f64]]; 4] = [
            &[&[1.0, 2.0], &[3.0, 4.5]],
            &[&[2.0, 1.0], &[4.0, 3.0]],
            &[&[3.0, 4.0], &[1.0, 2.0]],
            &[&[1.0, 2.0, 3.0, 4.0]],
        ];
        others.into_iter().for_each(|other| assert_ne!(data, of(other)));
    }
}
