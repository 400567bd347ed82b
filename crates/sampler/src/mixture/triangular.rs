//! Lower-triangular matrices, packed by rows: entry (i, j), j ≤ i, has index i(i + 1)/2 + j.

use nalgebra::DMatrix;

use crate::simd::dot;

/// Number of entries of a packed triangle of order `d`.
#[must_use]
pub const fn packed_len(d: usize) -> usize {
    d * (d + 1) / 2
}

/// Index of entry (i, j), j ≤ i, in a packed triangle.
#[inline(always)]
#[must_use]
pub const fn at(i: usize, j: usize) -> usize {
    i * (i + 1) / 2 + j
}

/// Writes the inverse of a lower-triangular matrix with non-zero diagonal to `inverse`, both packed.
pub fn invert(d: usize, factor: &[f64], inverse: &mut [f64]) {
    for i in 0..d {
        // Row i of the inverse is e_i − Σ_l factor[i, l] · (row l of the inverse), divided by the pivot.
        let (above, rest) = inverse.split_at_mut(at(i, 0));
        let row = &mut rest[..=i];
        row.fill(0.0);
        row[i] = 1.0;
        for l in 0..i {
            let entry = factor[at(i, l)];
            row.iter_mut().zip(&above[at(l, 0)..=at(l, l)]).for_each(|(sum, x)| *sum -= entry * x);
        }
        let pivot = 1.0 / factor[at(i, i)];
        row.iter_mut().for_each(|entry| *entry *= pivot);
    }
}

/// Replaces b by the x for which L x = b, L a packed lower triangle with non-zero diagonal.
pub fn solve(factor: &[f64], b: &mut [f64]) {
    for i in 0..b.len() {
        let known: f64 = factor[at(i, 0)..at(i, i)].iter().zip(&*b).map(|(entry, x)| entry * x).sum();
        b[i] = (b[i] - known) / factor[at(i, i)];
    }
}

/// Replaces b by the x for which Lᵀ x = b.
pub fn solve_transposed(factor: &[f64], b: &mut [f64]) {
    for i in (0..b.len()).rev() {
        b[i] /= factor[at(i, i)];
        for j in 0..i {
            b[j] -= factor[at(i, j)] * b[i];
        }
    }
}

/// log |L Lᵀ| of a packed lower triangle with d rows and a positive diagonal.
#[must_use]
pub fn log_determinant(d: usize, factor: &[f64]) -> f64 {
    (0..d).map(|i| 2.0 * libm::log(factor[at(i, i)])).sum()
}

/// The product of a packed lower triangle and a vector, in the order of the rows.
pub fn times<'a>(triangle: &'a [f64], x: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    (0..x.len()).map(|i| (0..=i).map(|j| triangle[at(i, j)] * x[j]).sum())
}

/// The symmetric matrix whose lower triangle is `packed`.
#[must_use]
pub fn symmetric(d: usize, packed: &[f64]) -> DMatrix<f64> {
    DMatrix::from_fn(d, d, |i, j| packed[at(i.max(j), i.min(j))])
}

/// The rows of the lower-triangular matrix that is packed.
#[must_use]
pub(crate) fn rows(d: usize, packed: &[f64]) -> Vec<Vec<f64>> {
    let row = |i: usize| (0..d).map(|j| if j <= i { packed[at(i, j)] } else { 0.0 }).collect();
    (0..d).map(row).collect()
}

/// Writes the Cholesky factor of a symmetric matrix, given by its packed lower triangle, to `factor`.
///
/// # Errors
/// The index of the first pivot that is not positive and finite.
pub fn cholesky(d: usize, matrix: &[f64], factor: &mut [f64]) -> Result<(), usize> {
    for i in 0..d {
        for j in 0..=i {
            let rest = matrix[at(i, j)] - dot(&factor[at(i, 0)..at(i, j)], &factor[at(j, 0)..at(j, j)]);
            if i == j {
                if rest <= 0.0 || !rest.is_finite() {
                    return Err(i);
                }
                factor[at(i, i)] = rest.sqrt();
            } else {
                factor[at(i, j)] = rest / factor[at(j, j)];
            }
        }
    }
    Ok(())
}

/// `product = a · b`, all three packed lower triangles.
pub fn multiply(d: usize, a: &[f64], b: &[f64], product: &mut [f64]) {
    for i in 0..d {
        for j in 0..=i {
            product[at(i, j)] = (j..=i).map(|l| a[at(i, l)] * b[at(l, j)]).sum();
        }
    }
}

/// Packed lower triangle of `factor · factorᵀ`.
pub fn product_with_transpose(d: usize, factor: &[f64], product: &mut [f64]) {
    for i in 0..d {
        for j in 0..=i {
            product[at(i, j)] = dot(&factor[at(i, 0)..=at(i, j)], &factor[at(j, 0)..=at(j, j)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn factor_and_inverse_undo_each_other() {
        let factor = [2.0, 0.5, 1.5, -0.3, 0.7, 0.9];
        let mut matrix = [0.0; 6];
        product_with_transpose(3, &factor, &mut matrix);
        let mut again = [0.0; 6];
        cholesky(3, &matrix, &mut again).unwrap();
        let mut inverse = [0.0; 6];
        invert(3, &again, &mut inverse);
        for i in 0..3 {
            for j in 0..=i {
                assert_relative_eq!(again[at(i, j)], factor[at(i, j)], max_relative = 1e-14);
                let entry: f64 = (j..=i).map(|l| inverse[at(i, l)] * factor[at(l, j)]).sum();
                assert_relative_eq!(entry, f64::from(i == j), epsilon = 1e-14);
            }
        }
    }

    #[test]
    fn an_indefinite_matrix_names_its_pivot() {
        assert_eq!(cholesky(2, &[1.0, 2.0, 1.0], &mut [0.0; 3]), Err(1));
    }
}
