//! Arithmetic on eight doubles at a time, compiled for each instruction set, with the same bits on all of them.

pub(crate) mod elementary;
pub(crate) mod instructions;
pub(crate) mod lanes;
mod peak;

pub use peak::multiply_adds;

/// The instructions that all hot loops use on this machine: `AVX-512`, `AVX2` or `baseline`.
#[must_use]
pub fn instruction_set() -> &'static str {
    instructions::InstructionSet::best().name()
}

/// Scalar product in eight partial sums, which every processor vectorises in the same order.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (chunks_a, rest_a) = a.as_chunks::<{ lanes::LANES }>();
    let (chunks_b, rest_b) = b.as_chunks::<{ lanes::LANES }>();
    let mut sums = [0.0; lanes::LANES];
    for (a, b) in chunks_a.iter().zip(chunks_b) {
        for l in 0..lanes::LANES {
            sums[l] += a[l] * b[l];
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])) + rest
}
