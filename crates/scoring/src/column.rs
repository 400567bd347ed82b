//! Passes over the S log-likelihoods of one observation, eight draws at a time: what WAIC and PSIS-LOO have in common.
//!
//! Sums run in eight lanes, then the rest in order, so that their bits do not depend on the machine.

use gmm_sampler::simd::elementary::exp;
use gmm_sampler::simd::{self, Kernel, LANES, Lanes};

/// Least and greatest value, NaN passed by, and the sum of all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub(crate) least: f64,
    pub(crate) greatest: f64,
    pub(crate) sum: f64,
}

impl Span {
    pub(crate) fn from_column(values: &[f64]) -> Self {
        simd::run(SpanOf(values))
    }
}

#[derive(Clone)]
struct SpanOf<'a>(&'a [f64]);

impl Kernel for SpanOf<'_> {
    type Output = Span;

    #[inline(always)]
    fn run<V: Lanes>(self) -> Span {
        let (blocks, rest) = self.0.as_chunks::<LANES>();
        let mut least = V::splat(f64::INFINITY);
        let mut greatest = V::splat(f64::NEG_INFINITY);
        let mut sum = V::splat(0.0);
        for block in blocks {
            let x = V::load_array(block);
            // In this order a NaN gives way to what was met before.
            least = x.smaller(least);
            greatest = x.larger(greatest);
            sum = sum.plus(x);
        }
        let (mut low, mut high) = ([0.0; LANES], [0.0; LANES]);
        least.store_array(&mut low);
        greatest.store_array(&mut high);
        let all = |lanes: [f64; LANES]| lanes.into_iter().chain(rest.iter().copied());
        Span {
            least: all(low).fold(f64::INFINITY, |a, b| if b < a { b } else { a }),
            greatest: all(high).fold(f64::NEG_INFINITY, |a, b| if b > a { b } else { a }),
            sum: sum.sum() + rest.iter().sum::<f64>(),
        }
    }
}

/// Raw importance weights of draws, and the sums that need no order among them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weights {
    /// exp(least − log-likelihood): 1 for the draw that likes the observation least.
    pub(crate) raw: Vec<f64>,
    /// exp(log-likelihood − greatest), where they were asked for.
    pub(crate) likelihoods: Vec<f64>,
    /// Σ exp(log-likelihood − least).
    pub(crate) likelihood_sum: f64,
    /// Posterior variance of the log-likelihood, denominator S − 1.
    pub(crate) variance: f64,
}

impl Weights {
    /// Of finite log-likelihoods whose range can be exponentiated.
    pub(crate) fn from_column(log_likelihood: &[f64], span: Span, with_likelihoods: bool) -> Self {
        simd::run(WeightsOf { log_likelihood, span, with_likelihoods })
    }
}

#[derive(Clone)]
struct WeightsOf<'a> {
    log_likelihood: &'a [f64],
    span: Span,
    with_likelihoods: bool,
}

impl Kernel for WeightsOf<'_> {
    type Output = Weights;

    #[inline(always)]
    fn run<V: Lanes>(self) -> Weights {
        let Self { log_likelihood, span, with_likelihoods } = self;
        let draws = log_likelihood.len() as f64;
        let mean = span.sum / draws;
        let (least, centre, one) = (V::splat(span.least), V::splat(mean), V::splat(1.0));
        let smallest = V::splat(libm::exp(span.least - span.greatest));
        let mut raw = vec![0.0; log_likelihood.len()];
        let mut likelihoods = vec![0.0; if with_likelihoods { log_likelihood.len() } else { 0 }];
        let mut sums = [V::splat(0.0); 3];
        let (blocks, rest) = log_likelihood.as_chunks::<LANES>();
        {
            let raw = raw.as_chunks_mut::<LANES>().0;
            let likelihoods = likelihoods.as_chunks_mut::<LANES>().0;
            for (block, values) in blocks.iter().enumerate() {
                let x = V::load_array(values);
                let weight = exp(least.minus(x));
                weight.store_array(&mut raw[block]);
                // A division is cheaper than another exp.
                let likelihood = one.over(weight);
                if with_likelihoods {
                    smallest.times(likelihood).store_array(&mut likelihoods[block]);
                }
                let distance = x.minus(centre);
                sums[0] = sums[0].plus(likelihood);
                sums[1] = sums[1].plus(distance);
                sums[2] = distance.multiply_add(distance, sums[2]);
            }
        }
        let mut sums = sums.map(Lanes::sum);
        let first = log_likelihood.len() - rest.len();
        // The same exponential as above, or draws that are alike would not be tied.
        let mut last = [span.least; LANES];
        last[..rest.len()].copy_from_slice(rest);
        exp(least.minus(V::load_array(&last))).store_array(&mut last);
        for ((s, x), weight) in (first..).zip(rest).zip(last) {
            raw[s] = weight;
            if with_likelihoods {
                likelihoods[s] = libm::exp(span.least - span.greatest) / weight;
            }
            let distance = x - mean;
            sums[0] += weight.recip();
            sums[1] += distance;
            sums[2] += distance * distance;
        }
        let [likelihood_sum, distances, squares] = sums;
        // The sum of distances is what rounding took from the mean.
        let variance = (squares - distances * distances / draws) / (draws - 1.0);
        Weights { raw, likelihoods, likelihood_sum, variance }
    }
}

/// Raw weights parted by a limit: those above it, in the order of the draws, and the sums of the others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parted {
    pub(crate) above: Vec<f64>,
    /// Σ (w − centre) and Σ (w − centre)² of the weights at or below the limit.
    pub(crate) sum: f64,
    pub(crate) squares: f64,
}

impl Parted {
    pub(crate) fn at(weights: &[f64], limit: f64, centre: f64) -> Self {
        simd::run(PartedAt { weights, limit, centre })
    }
}

#[derive(Clone)]
struct PartedAt<'a> {
    weights: &'a [f64],
    limit: f64,
    centre: f64,
}

impl Kernel for PartedAt<'_> {
    type Output = Parted;

    #[inline(always)]
    fn run<V: Lanes>(self) -> Parted {
        let Self { weights, limit, centre } = self;
        let (limits, centres) = (V::splat(limit), V::splat(centre));
        // Room for what a last block may write beyond what it keeps.
        let mut above = vec![0.0; weights.len() + LANES];
        let mut count = 0;
        let (mut sum, mut squares) = (V::splat(0.0), V::splat(0.0));
        let (blocks, rest) = weights.as_chunks::<LANES>();
        for block in blocks {
            let weight = V::load_array(block);
            let room = above[count..].first_chunk_mut().expect("a block of room is left after all weights");
            count += weight.keep_above(limits, room);
            let distance = weight.replaced_above(limits, centres).minus(centres);
            sum = sum.plus(distance);
            squares = distance.multiply_add(distance, squares);
        }
        let (mut sum, mut squares) = (sum.sum(), squares.sum());
        for &weight in rest {
            if weight > limit {
                above[count] = weight;
                count += 1;
            } else {
                sum += weight - centre;
                squares += (weight - centre) * (weight - centre);
            }
        }
        above.truncate(count);
        Parted { above, sum, squares }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * (1.0 + b.abs())
    }

    proptest! {
        #[test]
        fn passes_give_what_plain_sums_give_on_every_instruction_set(
            column in prop::collection::vec(-40.0..3.0_f64, 2..100), share in 0.0..1.1_f64,
        ) {
            let span = Span::from_column(&column);
            prop_assert_eq!(span.least, column.iter().copied().fold(f64::INFINITY, f64::min));
            prop_assert_eq!(span.greatest, column.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            prop_assert!(close(span.sum, column.iter().sum()));
            let weights = Weights::from_column(&column, span, true);
            for ((x, w), l) in column.iter().zip(&weights.raw).zip(&weights.likelihoods) {
                prop_assert!(close(*w, (span.least - x).exp()) && close(*l, (x - span.greatest).exp()));
            }
            let likelihoods: f64 = column.iter().map(|x| (x - span.least).exp()).sum();
            prop_assert!(close(weights.likelihood_sum / likelihoods, 1.0));
            let sd = gmm_sampler::diagnostics::sd(&column);
            prop_assert!(close(weights.variance, sd * sd));

            let (limit, centre) = (share * share, 0.1);
            let parted = Parted::at(&weights.raw, limit, centre);
            let above: Vec<f64> = weights.raw.iter().copied().filter(|w| *w > limit).collect();
            let below: Vec<f64> = weights.raw.iter().copied().filter(|w| *w <= limit).map(|w| w - centre).collect();
            prop_assert_eq!(&parted.above, &above);
            prop_assert!(close(parted.sum, below.iter().sum()));
            prop_assert!(close(parted.squares, below.iter().map(|d| d * d).sum()));

            let span_kernel = SpanOf(&column);
            prop_assert!(simd::run_on_all(&span_kernel).iter().all(|other| *other == span));
            let kernel = WeightsOf { log_likelihood: &column, span, with_likelihoods: true };
            prop_assert!(simd::run_on_all(&kernel).iter().all(|other| *other == weights));
            let kernel = PartedAt { weights: &weights.raw, limit, centre };
            prop_assert!(simd::run_on_all(&kernel).iter().all(|other| *other == parted));
        }
    }
}
