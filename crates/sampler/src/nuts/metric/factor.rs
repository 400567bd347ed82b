//! A dense lower-triangular factor and its products with vectors.

use std::ops::Range;

use crate::mixture::triangular::at;
use crate::simd::dot;
use crate::simd::instructions::{InstructionSet, dispatched};
use crate::simd::lanes::{LANES, Lanes, Vector};

/// A lower-triangular factor C and its transpose. Both products are then sums of columns, eight rows at a time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Factor {
    dimension: usize,
    lower: Panels,
    upper: Panels,
    instructions: InstructionSet,
}

/// A square matrix in panels of eight rows, in the order in which a product with a vector reads it.
#[derive(Debug, Clone, PartialEq)]
struct Panels {
    /// Eight rows of one column each. Rows beyond the dimension are zero.
    vectors: Vec<Vector>,
    /// For each panel, its first column that is not zero, and that column's index in `vectors`. A panel ends where the next
    /// begins.
    panels: Vec<(usize, usize)>,
}

/// Columns summed in parallel, to hide the latency of additions. Panels are padded with zeros to a multiple of it.
const COLUMNS_AT_ONCE: usize = 4;

impl Panels {
    /// From the matrix's entries. `occupied` returns the columns that are not zero in a panel's rows.
    fn new(
        dimension: usize,
        entry: impl Fn(usize, usize) -> f64,
        occupied: impl Fn(Range<usize>) -> Range<usize>,
    ) -> Self {
        let (mut vectors, mut panels) = (Vec::new(), Vec::new());
        for begins in (0..dimension).step_by(LANES) {
            let rows = begins..(begins + LANES).min(dimension);
            let columns = occupied(rows.clone());
            panels.push((columns.start, vectors.len()));
            for j in columns {
                let mut vector = Vector::ZERO;
                rows.clone().zip(&mut vector.0).for_each(|(i, lane)| *lane = entry(i, j));
                vectors.push(vector);
            }
            vectors.resize(vectors.len().next_multiple_of(COLUMNS_AT_ONCE), Vector::ZERO);
        }
        Self { vectors, panels }
    }
}

impl Factor {
    pub(crate) fn from_packed(dimension: usize, packed: &[f64]) -> Self {
        let entry = |i: usize, j: usize| if j <= i { packed[at(i, j)] } else { 0.0 };
        Self {
            dimension,
            lower: Panels::new(dimension, entry, |rows| 0..rows.end),
            upper: Panels::new(dimension, |i, j| entry(j, i), |rows| rows.start..dimension),
            instructions: InstructionSet::best(),
        }
    }

    pub(crate) fn packed(&self) -> Vec<f64> {
        let rows = (0..self.dimension).flat_map(|i| (0..=i).map(move |j| (i, j)));
        rows.map(|(i, j)| self.lower.vectors[self.lower.panels[i / LANES].1 + j].0[i % LANES]).collect()
    }

    pub(crate) fn dimension(&self) -> usize {
        self.dimension
    }

    /// `result = C x`.
    pub(crate) fn multiply(&self, x: &[f64], result: &mut [f64]) {
        multiply(self.instructions, &self.lower, x, result);
    }

    /// `result = Cᵀ x`.
    pub(crate) fn multiply_by_transpose(&self, x: &[f64], result: &mut [f64]) {
        multiply(self.instructions, &self.upper, x, result);
    }
}

dispatched! {
    /// `result = M x`.
    multiply => multiply_body(matrix: &Panels, x: &[f64], result: &mut [f64])
}

#[inline(always)]
fn multiply_body<V: Lanes>(matrix: &Panels, x: &[f64], result: &mut [f64]) {
    for (b, result) in result.chunks_mut(LANES).enumerate() {
        let (column, begins) = matrix.panels[b];
        let ends = matrix.panels.get(b + 1).map_or(matrix.vectors.len(), |panel| panel.1);
        let mut sums = [V::splat(0.0); COLUMNS_AT_ONCE];
        let (columns, _) = matrix.vectors[begins..ends].as_chunks::<COLUMNS_AT_ONCE>();
        let (whole, rest) = x[column..].as_chunks::<COLUMNS_AT_ONCE>();
        for (columns, x) in columns.iter().zip(whole) {
            for s in 0..COLUMNS_AT_ONCE {
                sums[s] = V::load(&columns[s]).multiply_add(V::splat(x[s]), sums[s]);
            }
        }
        if let Some(columns) = columns.get(whole.len()) {
            for (s, x) in rest.iter().enumerate() {
                sums[s] = V::load(&columns[s]).multiply_add(V::splat(*x), sums[s]);
            }
        }
        let mut rows = Vector::ZERO;
        sums[0].plus(sums[2]).plus(sums[1].plus(sums[3])).store(&mut rows);
        result.iter_mut().zip(rows.0).for_each(|(result, row)| *result = row);
    }
}

/// `x ← C⁻¹ x` for a packed factor.
pub(crate) fn solve(factor: &[f64], x: &mut [f64]) {
    for i in 0..x.len() {
        let sum = dot(&factor[at(i, 0)..at(i, i)], &x[..i]);
        x[i] = (x[i] - sum) / factor[at(i, i)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixture::triangular::packed_len;
    use approx::assert_relative_eq;
    use rand::{SeedableRng, rngs::ChaCha8Rng};
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn products_agree_with_plain_ones_in_any_dimension_and_on_every_instruction_set() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for dimension in [1, 2, 7, 8, 9, 16, 23, 40] {
            let mut normal =
                |n: usize| -> Vec<f64> { (0..n).map(|_| StandardNormal.sample(&mut rng)).collect() };
            let (packed, x) = (normal(packed_len(dimension)), normal(dimension));
            let factor = Factor::from_packed(dimension, &packed);
            assert_eq!(factor.packed(), packed);
            let mut reference: Option<(Vec<f64>, Vec<f64>)> = None;
            for set in InstructionSet::available() {
                let (mut cx, mut ctx) = (vec![0.0; dimension], vec![0.0; dimension]);
                multiply(set, &factor.lower, &x, &mut cx);
                multiply(set, &factor.upper, &x, &mut ctx);
                for i in 0..dimension {
                    let row: f64 = (0..=i).map(|j| packed[at(i, j)] * x[j]).sum();
                    let column: f64 = (i..dimension).map(|j| packed[at(j, i)] * x[j]).sum();
                    assert_relative_eq!(cx[i], row, epsilon = 1e-12);
                    assert_relative_eq!(ctx[i], column, epsilon = 1e-12);
                }
                assert_eq!(*reference.get_or_insert((cx.clone(), ctx.clone())), (cx, ctx));
            }
        }
    }
}
