//! The machine's peak arithmetic rate: independent fused multiply-adds with the instructions of all hot loops.

use std::hint::black_box;

use super::instructions::{InstructionSet, dispatched};
use super::lanes::{LANES, Lanes, Vector};

/// Independent multiply-adds per round. On most machines a multiply-add has a latency of four cycles and two start per cycle,
/// so that eight registers keep the units busy. An AVX2 vector takes two of sixteen registers.
const MANY: usize = 12;
const FEW: usize = 5;

/// Runs `rounds` rounds of fused multiply-adds on registers and returns their number.
///
/// Timing it gives the rate that no hot loop on this machine can exceed. Without a multiply-add instruction each is a function
/// call, as in the hot loops.
#[must_use]
pub fn multiply_adds(rounds: u64) -> u64 {
    let sums = multiply_adds_dispatched(InstructionSet::best(), rounds);
    sums as u64 * LANES as u64 * rounds
}

dispatched! {
    /// Returns the number of vectors per round.
    multiply_adds_dispatched => multiply_adds_body(rounds: u64) -> usize
}

#[inline(always)]
fn multiply_adds_body<V: Lanes>(rounds: u64) -> usize {
    if V::MANY_REGISTERS { at_once::<V, MANY>(rounds) } else { at_once::<V, FEW>(rounds) }
}

#[inline(always)]
fn at_once<V: Lanes, const N: usize>(rounds: u64) -> usize {
    // Converges to 2, so that no number is subnormal.
    let (half, one) = (V::splat(black_box(0.5)), V::splat(black_box(1.0)));
    let mut sums = [V::splat(black_box(1.0)); N];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = sum.multiply_add(half, one);
        }
    }
    let mut last = Vector::ZERO;
    for sum in sums {
        sum.store(&mut last);
        black_box(&last);
    }
    N
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_is_counted() {
        let per_round = multiply_adds(1);
        assert!(per_round == 8 * MANY as u64 || per_round == 8 * FEW as u64);
        assert_eq!(multiply_adds(1000), 1000 * per_round);
    }
}
