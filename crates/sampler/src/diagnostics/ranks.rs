//! Ranks of draws and their normal scores, which make R-hat and the bulk effective sample size robust to heavy tails.

use std::cell::RefCell;
use std::rc::Rc;

use super::quantile::sorted_quantile;
use super::special::normal_quantile;
use super::split::{Halves, HalvesLayout};

/// A column in ascending order, with the index of each value in the halves. One sort serves ranks, folded ranks and quantiles.
pub(super) struct Ordered {
    pub(super) sorted: Vec<f64>,
    places: Vec<u32>,
    layout: HalvesLayout,
    scores: Scores,
}

/// The index of a draw that belongs to no half.
const NOWHERE: u32 = u32::MAX;

impl Ordered {
    /// `None` if a draw is NaN, or if the chains are too short to be split.
    pub(super) fn new(column: &[f64], n_chains: usize) -> Option<Self> {
        let layout = HalvesLayout::new(column.len(), n_chains);
        if layout.half == 0 || column.iter().any(|v| v.is_nan()) {
            return None;
        }
        let place = |place: Option<usize>| {
            let fits =
                |p| u32::try_from(p).expect("a column of 2³² draws is longer than any chain that is run");
            place.map_or(NOWHERE, fits)
        };
        let mut pairs: Vec<(i64, u32)> =
            column.iter().zip(layout.places()).map(|(&value, at)| (sort_key(value), place(at))).collect();
        pairs.sort_unstable();
        let (sorted, places) = pairs.into_iter().map(|(key, place)| (value_of_key(key), place)).unzip();
        let scores = Scores::cached(layout.len());
        Some(Self { sorted, places, layout, scores })
    }

    /// The larger R-hat of the normal scores (location) and of the normal scores of the folded draws (scale).
    pub(super) fn rhat(&self) -> f64 {
        self.rhat_given(&self.normal_scores())
    }

    /// As [`Ordered::rhat`], with the normal scores already computed.
    pub(super) fn rhat_given(&self, normal_scores: &Halves) -> f64 {
        let (location, spread) = (normal_scores.rhat(), self.folded_normal_scores().rhat());
        if location.is_nan() || spread.is_nan() { f64::NAN } else { location.max(spread) }
    }

    /// Normal scores of the draws' ranks (VGSCB eq. 14), in halves.
    pub(super) fn normal_scores(&self) -> Halves {
        self.scored(self.sorted.iter().copied().zip(self.places.iter().copied()))
    }

    /// Normal scores of the ranks of the distances to the median.
    fn folded_normal_scores(&self) -> Halves {
        let median = sorted_quantile(&self.sorted, 0.5);
        // Distances grow outwards on both sides of the median, so that merging the two sides replaces a second sort.
        let middle = self.sorted.partition_point(|&v| v < median);
        let distance = |i: usize| ((self.sorted[i] - median).abs(), self.places[i]);
        let mut left = (0..middle).rev().map(distance).peekable();
        let mut right = (middle..self.sorted.len()).map(distance).peekable();
        let outwards = std::iter::from_fn(|| match (left.peek(), right.peek()) {
            (Some(l), Some(r)) if l.0 <= r.0 => left.next(),
            (Some(_), None) => left.next(),
            _ => right.next(),
        });
        self.scored(outwards)
    }

    /// Normal scores of values in ascending order with their indices. Equal values share their mean rank.
    fn scored(&self, ascending: impl Iterator<Item = (f64, u32)>) -> Halves {
        let mut halves = vec![0.0; self.layout.len()];
        let mut kept = ascending.filter(|(_, place)| *place != NOWHERE).peekable();
        let mut below = 0;
        let mut tied = Vec::new();
        while let Some((value, place)) = kept.next() {
            tied.push(place);
            // The distance of infinity to an infinite median is NaN; it makes the halves undefined.
            if kept.peek().is_some_and(|(next, _)| *next == value) {
                continue;
            }
            let score =
                if value.is_nan() { f64::NAN } else { self.scores.mean_rank_score(below, tied.len()) };
            below += tied.len();
            for place in tied.drain(..) {
                halves[place as usize] = score;
            }
        }
        Halves::from_values(halves, &self.layout)
    }
}

/// An integer that orders as the value does, with −0 equal to 0: comparing integers is faster than comparing floats.
fn sort_key(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits().cast_signed();
    // A negative float has its magnitude in the other bits, growing downwards.
    bits ^ (((bits >> 63).cast_unsigned() >> 1).cast_signed())
}

/// The value of a sort key: the exchange of bits is its own inverse.
fn value_of_key(key: i64) -> f64 {
    f64::from_bits((key ^ (((key >> 63).cast_unsigned() >> 1).cast_signed())).cast_unsigned())
}

/// Normal scores of the whole ranks 1…S.
#[derive(Clone)]
struct Scores {
    table: Rc<[f64]>,
}

thread_local! {
    /// The last table: all variables of a fit have the same number of draws.
    static LAST: RefCell<Option<Scores>> = const { RefCell::new(None) };
}

impl Scores {
    fn cached(count: usize) -> Self {
        LAST.with_borrow_mut(|last| match last {
            Some(scores) if scores.table.len() == count => scores.clone(),
            _ => last.insert(Self::new(count)).clone(),
        })
    }

    fn new(count: usize) -> Self {
        let mut table: Vec<f64> = (1..=count.div_ceil(2)).map(|rank| blom(rank as f64, count)).collect();
        // Scores are symmetric: only half of them is computed.
        table.extend((0..count / 2).rev().map(|i| -table[i]).collect::<Vec<_>>());
        Self { table: table.into() }
    }

    /// The score of the mean of the ranks `below + 1 … below + tied`.
    fn mean_rank_score(&self, below: usize, tied: usize) -> f64 {
        match tied {
            1 => self.table[below],
            _ => blom(below as f64 + (tied as f64 + 1.0) / 2.0, self.table.len()),
        }
    }
}

/// Blom (1958): the approximate expectation of a normal order statistic, as in VGSCB eq. 14.
fn blom(rank: f64, count: usize) -> f64 {
    const OFFSET: f64 = 3.0 / 8.0;
    normal_quantile((rank - OFFSET) / (count as f64 - 2.0 * OFFSET + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sort_keys_order_as_the_values_do() {
        let ascending = [f64::NEG_INFINITY, -2.0, -1.0, -1e-300, 0.0, 1e-300, 1.0, 2.0, f64::INFINITY];
        assert!(ascending.windows(2).all(|pair| sort_key(pair[0]) < sort_key(pair[1])));
        assert_eq!(sort_key(-0.0), sort_key(0.0));
        assert_eq!(ascending.map(sort_key).map(value_of_key), ascending);
    }
}
