//! Arithmetic on eight doubles at a time, compiled for each instruction set, with the same bits on all of them.
//!
//! A hot loop is a [`Kernel`], written once in [`Lanes`]; [`run`] executes it with the machine's best instructions. The module
//! is public for crates with hot loops of their own: `gmm-scoring` computes with it, `gmm-bench` measures it.
// Some bodies use V only to select the instructions for which they are compiled.
#![allow(clippy::extra_unused_type_parameters)]

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx;
pub mod elementary;
pub(crate) mod instructions;
pub(crate) mod lanes;
mod peak;
pub(crate) mod portable;

use instructions::{InstructionSet, dispatched};
use portable::Portable;

pub use instructions::{InstructionsError, Kernel, choose_instructions, run, run_on_all};
pub use lanes::{LANES, Lanes, Vector};
pub use peak::multiply_adds;

/// Name of the instruction set that all hot loops use: `AVX-512`, `AVX2` or `baseline`.
#[must_use]
pub fn instruction_set() -> &'static str {
    InstructionSet::best().name()
}

/// Length from which dispatching to an instruction set is worth its cost. The bodies have no intrinsics, because the numbers
/// are not aligned: dispatching only lets the compiler use the instructions.
const LONG: usize = 64;

/// Scalar product in eight partial sums, added in the same order on every processor.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    if a.len() < LONG {
        return dot_body::<Portable>(a, b);
    }
    long_dot(InstructionSet::best(), a, b)
}

/// y += a x.
pub(crate) fn add_scaled(a: f64, x: &[f64], y: &mut [f64]) {
    if x.len() < LONG {
        return add_scaled_body::<Portable>(a, x, y);
    }
    long_add_scaled(InstructionSet::best(), a, x, y);
}

/// result = a ∘ b, coordinate by coordinate.
pub(crate) fn multiply(a: &[f64], b: &[f64], result: &mut [f64]) {
    if a.len() < LONG {
        return multiply_body::<Portable>(a, b, result);
    }
    long_multiply(InstructionSet::best(), a, b, result);
}

dispatched! {
    long_add_scaled => add_scaled_body(a: f64, x: &[f64], y: &mut [f64])
}

dispatched! {
    long_multiply => multiply_body(a: &[f64], b: &[f64], result: &mut [f64])
}

#[inline(always)]
fn add_scaled_body<V: Lanes>(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

#[inline(always)]
fn multiply_body<V: Lanes>(a: &[f64], b: &[f64], result: &mut [f64]) {
    for ((result, a), b) in result.iter_mut().zip(a).zip(b) {
        *result = a * b;
    }
}

dispatched! {
    long_dot => dot_body(a: &[f64], b: &[f64]) -> f64
}

#[inline(always)]
fn dot_body<V: Lanes>(a: &[f64], b: &[f64]) -> f64 {
    let (chunks_a, rest_a) = a.as_chunks::<LANES>();
    let (chunks_b, rest_b) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in chunks_a.iter().zip(chunks_b) {
        for l in 0..LANES {
            sums[l] += a[l] * b[l];
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_have_the_same_bits_on_every_instruction_set() {
        for length in [0, 1, 7, 8, 63, 64, 65, 100, 314] {
            let a: Vec<f64> = (0..length).map(|i| libm::sin(f64::from(i))).collect();
            let b: Vec<f64> = (0..length).map(|i| libm::cos(0.7 * f64::from(i))).collect();
            let plain: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            assert!((dot(&a, &b) - plain).abs() < 1e-12);
            for set in InstructionSet::available() {
                assert_eq!(long_dot(set, &a, &b).to_bits(), dot(&a, &b).to_bits(), "{length}");
                let (mut sum, mut product) = (b.clone(), b.clone());
                long_add_scaled(set, 0.3, &a, &mut sum);
                long_multiply(set, &a, &b, &mut product);
                assert!((0..a.len()).all(|i| sum[i] == b[i] + 0.3 * a[i] && product[i] == a[i] * b[i]));
            }
        }
    }
}
