//! Autocovariances averaged over chains, computed only for the lags asked for.

use super::fourier;
use super::moments::mean;
use crate::simd::{self, Kernel, LANES, Lanes};

/// Lags summed directly, a few at a time, before all are computed by one transform. A chain that mixes needs no more: on 4 ×
/// 1000 draws the transform costs as much as some hundred lags.
const DIRECT_LAGS: usize = 64;

/// Lags per pass over the draws: each draw is loaded once for all of them.
const LAGS_AT_ONCE: usize = 4;

/// Mean over chains of the biased autocovariance (denominator n at every lag, as Geyer 1992 recommends).
pub(super) struct Autocovariance {
    centred: Vec<f64>,
    length: usize,
    /// The lags computed so far, from 0; all, once one beyond [`DIRECT_LAGS`] was asked for.
    table: Vec<f64>,
}

impl Autocovariance {
    /// For chains of one length, each about its own mean.
    pub(super) fn new(values: &[f64], length: usize) -> Self {
        let mut centred = Vec::with_capacity(values.len());
        for chain in values.chunks_exact(length) {
            let mean = mean(chain);
            centred.extend(chain.iter().map(|v| v - mean));
        }
        Self { centred, length, table: Vec::new() }
    }

    /// The autocovariance at a lag below the chains' length.
    pub(super) fn at(&mut self, lag: usize) -> f64 {
        while self.table.len() <= lag {
            let (known, n) = (self.table.len(), self.centred.len() as f64);
            if known >= DIRECT_LAGS {
                let sums = fourier::summed_autocorrelation(&self.centred, self.length);
                self.table.extend(sums[known..].iter().map(|sum| sum / n));
            } else {
                let sums = simd::run(Products { values: &self.centred, length: self.length, first: known });
                self.table.extend(sums.map(|sum| sum / n));
            }
        }
        self.table[lag]
    }
}

/// Σ over chains and t of `x[t] x[t + lag]` for a few lags from `first` on; 0 beyond the chains' length.
#[derive(Clone)]
struct Products<'a> {
    values: &'a [f64],
    length: usize,
    first: usize,
}

impl Kernel for Products<'_> {
    type Output = [f64; LAGS_AT_ONCE];

    #[inline(always)]
    fn run<V: Lanes>(self) -> Self::Output {
        let Self { values, length, first } = self;
        let mut sums = [V::splat(0.0); LAGS_AT_ONCE];
        let mut rests = [0.0; LAGS_AT_ONCE];
        // Whole blocks of draws whose products for all lags lie within the chain.
        let blocks = (length + 1).saturating_sub(first + LAGS_AT_ONCE) / LANES;
        for chain in values.chunks_exact(length) {
            let later = chain.get(first..).unwrap_or_default();
            for block in 0..blocks {
                let from = block * LANES;
                let x = V::load_array(eight(&chain[from..]));
                for lag in 0..LAGS_AT_ONCE {
                    sums[lag] = x.multiply_add(V::load_array(eight(&later[from + lag..])), sums[lag]);
                }
            }
            for (lag, rest) in rests.iter_mut().enumerate() {
                let later = later.get(blocks * LANES + lag..).unwrap_or_default();
                *rest += chain[blocks * LANES..].iter().zip(later).map(|(x, y)| x * y).sum::<f64>();
            }
        }
        std::array::from_fn(|lag| sums[lag].sum() + rests[lag])
    }
}

#[inline(always)]
fn eight(values: &[f64]) -> &[f64; LANES] {
    values.first_chunk().expect("whole blocks of the chain are asked for")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::dot;

    fn slow(values: &[f64], length: usize, lag: usize) -> f64 {
        let chains = values.chunks_exact(length);
        chains.map(|chain| dot(&chain[..length - lag], &chain[lag..])).sum()
    }

    #[test]
    fn the_transform_and_sums_in_lanes_give_the_lags_that_plain_sums_give() {
        for (length, n_chains) in [(3, 2), (4, 1), (17, 1), (64, 2), (100, 3), (257, 4)] {
            let values: Vec<f64> = (0..length * n_chains).map(|i| ((i * i) as f64 * 0.37).sin()).collect();
            let all = fourier::summed_autocorrelation(&values, length);
            for (lag, fast) in all.iter().enumerate() {
                let slow = slow(&values, length, lag);
                assert!(
                    (fast - slow).abs() < 1e-12 * length as f64,
                    "{length} {n_chains} {lag}: {fast} {slow}"
                );
            }
            assert_eq!(all.len(), length);
            for first in 0..length {
                let kernel = Products { values: &values, length, first };
                let sums = simd::run_on_all(&kernel);
                assert!(sums.iter().all(|other| *other == sums[0]));
                for (lag, fast) in (first..).zip(sums[0]) {
                    let slow = if lag < length { slow(&values, length, lag) } else { 0.0 };
                    assert!(
                        (fast - slow).abs() < 1e-12 * length as f64,
                        "{length} {n_chains} {lag}: {fast} {slow}"
                    );
                }
            }
        }
    }

    #[test]
    fn lags_asked_for_in_any_order_are_those_of_the_transform() {
        let values: Vec<f64> = (0..400).map(|i| (f64::from(i * i) * 0.37).sin()).collect();
        let mut in_turn = Autocovariance::new(&values, 200);
        let mut at_once = Autocovariance::new(&values, 200);
        at_once.at(199);
        for lag in 0..200 {
            assert_eq!(in_turn.at(lag), at_once.at(lag));
        }
        assert!((in_turn.at(150) - slow(&in_turn.centred, 200, 150) / 400.0).abs() < 1e-14);
    }
}
