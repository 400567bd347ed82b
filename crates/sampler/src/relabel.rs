//! Relabels draws so that component k means the same in all of them, and counts how often labels had switched.
//!
//! The likelihood is the same for every order of the components. The default prior ties labels to centroids, but labels still
//! switch where two centroids are close, or under a prior that treats all components alike. The mean of `mu[0,0]` over draws is
//! then meaningless (Stephens 2000).

use crate::assignment::minimum_cost_assignment;
use crate::draws::Draws;
use crate::mixture::likelihood::WhitenedComponents;
use crate::mixture::params::Mixture;
use crate::mixture::triangular::at;

/// A reference mixture whose labels other mixtures are given.
///
/// The mixtures whose components are already in the reference's order form a fundamental domain of the K! permutations: almost
/// every mixture has exactly one permutation in it.
#[derive(Debug, Clone)]
pub struct Labelling {
    reference: Mixture,
    whitened: WhitenedComponents,
    /// K × K.
    costs: Vec<f64>,
}

impl Labelling {
    /// Gives labels by this mixture.
    #[must_use]
    pub fn new(reference: Mixture) -> Self {
        let whitened = WhitenedComponents::from_mixture(&reference);
        let k = reference.n_components();
        Self { reference, whitened, costs: vec![0.0; k * k] }
    }

    /// For each component of the reference, the component of a mixture with means `mu` (K × D) that gets its label. The total
    /// squared Mahalanobis distance between matched means, under the reference's covariances, is minimal.
    ///
    /// # Panics
    /// If a mean is NaN.
    pub fn order(&mut self, mu: &[f64]) -> Vec<usize> {
        let (k, d) = (self.reference.n_components(), self.reference.n_features());
        for row in 0..k {
            let inverse = self.whitened.inverse_factor(row);
            let centre = self.reference.mean(row);
            for (column, mean) in mu.chunks_exact(d).enumerate() {
                self.costs[row * k + column] = (0..d)
                    .map(|i| (0..=i).map(|j| inverse[at(i, j)] * (mean[j] - centre[j])).sum::<f64>())
                    .map(|z| z * z)
                    .sum();
            }
        }
        minimum_cost_assignment(k, &self.costs)
    }
}

/// Draws whose component k is, in every draw, the one matched to component k of the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Relabelled {
    /// The relabelled draws, same shape as before.
    pub draws: Draws,
    /// Share of draws whose labels had switched, in [0, 1].
    pub switched: f64,
}

/// Permutes the components of each draw to match the reference's, by [`Labelling::order`].
///
/// # Panics
/// If the draws' variables are not those of [`Mixture::variables`], or a mean is NaN.
#[must_use]
pub fn relabel(draws: &Draws, reference: &Mixture) -> Relabelled {
    let (k, d) = (reference.n_components(), reference.n_features());
    assert_eq!(draws.variables(), Mixture::variables(k, d), "draws of mixtures of the reference's shape");
    let mut labelling = Labelling::new(reference.clone());
    let mut columns = vec![Vec::with_capacity(draws.len()); draws.variables().len()];
    let mut switched = 0usize;
    for s in 0..draws.len() {
        let values = draws.draw(s);
        let order = labelling.order(&values[k..k + k * d]);
        switched += usize::from(!order.is_sorted());
        columns.iter_mut().zip(permuted(&values, &order, d)).for_each(|(column, value)| column.push(value));
    }
    let draws = Draws::from_columns(draws.n_chains(), draws.variables().to_vec(), columns);
    let switched = switched as f64 / draws.len() as f64;
    Relabelled { draws, switched }
}

/// One draw's values with its components in another order: weights, then blocks of D, D and D(D−1)/2 values per component.
fn permuted(values: &[f64], order: &[usize], d: usize) -> Vec<f64> {
    let k = order.len();
    let mut result = Vec::with_capacity(values.len());
    let mut rest = values;
    for width in [1, d, d, d * (d - 1) / 2] {
        let (block, after) = rest.split_at(k * width);
        order.iter().for_each(|&from| result.extend_from_slice(&block[from * width..][..width]));
        rest = after;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn switched_draws_come_back_and_are_counted() {
        let reference = Mixture::from_covariances(1, &[0.3, 0.7], &[-2.0, 3.0], &[1.0, 0.5]).unwrap();
        let draws: Vec<Vec<f64>> = [[0, 1], [1, 0], [0, 1], [1, 0]]
            .iter()
            .map(|order| reference.reordered(order).values())
            .collect();
        let columns = (0..draws[0].len()).map(|v| draws.iter().map(|draw| draw[v]).collect()).collect();
        let relabelled = relabel(&Draws::from_columns(2, Mixture::variables(2, 1), columns), &reference);
        assert_relative_eq!(relabelled.switched, 0.5);
        for (variable, expected) in reference.values().iter().enumerate() {
            for value in relabelled.draws.column(variable) {
                assert_relative_eq!(*value, *expected, max_relative = 1e-14);
            }
        }
    }
}
