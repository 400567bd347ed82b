//! What the machine can do at most: fused multiply-adds that wait for nothing, with the instructions of all hot loops.

use std::hint::black_box;

use super::instructions::{InstructionSet, dispatched};
use super::lanes::{LANES, Lanes, Vector};

/// Multiply-adds of a round that do not wait for each other. A multiply-add's latency is four cycles on most machines, and
/// two can begin in each: eight registers' worth keeps them busy. An AVX2 vector is two of its sixteen registers.
const MANY: usize = 12;
const FEW: usize = 5;

/// Does `rounds` rounds of fused multiply-adds of doubles that never leave the registers; returns how many it did.
///
/// Timing it gives the rate that the hot loops cannot exceed on this machine. Where the instruction set has none, multiply-adds
/// are a function's work, there as here.
#[must_use]
pub fn multiply_adds(rounds: u64) -> u64 {
    let sums = multiply_adds_dispatched(InstructionSet::best(), rounds);
    sums as u64 * LANES as u64 * rounds
}

dispatched! {
    /// Returns the vectors that were worked on at once.
    multiply_adds_dispatched => multiply_adds_body(rounds: u64) -> usize
}

#[inline(always)]
fn multiply_adds_body<V: Lanes>(rounds: u64) -> usize {
    if V::MANY_REGISTERS { at_once::<V, MANY>(rounds) } else { at_once::<V, FEW>(rounds) }
}

#[inline(always)]
fn at_once<V: Lanes, const N: usize>(rounds: u64) -> usize {
    // Towards 2, so that no number on the way is subnormal.
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
        let of_one = multiply_adds(1);
        assert!(of_one == 8 * MANY as u64 || of_one == 8 * FEW as u64);
        assert_eq!(multiply_adds(1000), 1000 * of_one);
    }
}
