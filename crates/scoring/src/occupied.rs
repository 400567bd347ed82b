//! How many components own at least one observation: K⁺, the number of clusters in the data rather than of components in the
//! mixture.
//!
//! Source: Malsiner-Walli, Frühwirth-Schnatter & Grün (2016), Statistics and Computing 26, on sparse finite mixtures: under a
//! Dirichlet prior of small concentration surplus components are left empty, and the posterior of K⁺ says how many are not.

use rand::{Rng, RngExt};

/// For each of S draws, which of K components own an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupied {
    n_components: usize,
    /// S × K.
    owns: Vec<bool>,
}

impl Occupied {
    /// No component owns an observation yet.
    #[must_use]
    pub fn new(n_draws: usize, n_components: usize) -> Self {
        Self { n_components, owns: vec![false; n_draws * n_components] }
    }

    /// Gives each observation to one component, at random by its responsibilities (N × K) under one of the draws.
    pub fn assign(&mut self, draw: usize, responsibilities: &[f64], rng: &mut impl Rng) {
        let k = self.n_components;
        let owns = &mut self.owns[draw * k..][..k];
        for responsibilities in responsibilities.chunks_exact(k) {
            let mut left: f64 = rng.random();
            // Rounding may leave a rest beyond the last one: it belongs to the most probable.
            let most =
                (0..k).max_by(|&a, &b| responsibilities[a].total_cmp(&responsibilities[b])).unwrap_or(0);
            let owner = responsibilities.iter().position(|&r| {
                left -= r;
                left < 0.0
            });
            owns[owner.unwrap_or(most)] = true;
        }
    }

    /// Adds what others own.
    ///
    /// # Panics
    /// If they are of other draws or components.
    pub fn join(&mut self, others: &Self) {
        assert_eq!(self.owns.len(), others.owns.len(), "the same draws of the same components");
        self.owns.iter_mut().zip(&others.owns).for_each(|(own, other)| *own |= other);
    }

    /// K⁺ of each draw.
    #[must_use]
    pub fn counts(&self) -> Vec<usize> {
        let count = |owns: &[bool]| owns.iter().filter(|own| **own).count();
        self.owns.chunks_exact(self.n_components).map(count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    #[test]
    fn components_that_no_observation_can_belong_to_are_empty() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut occupied = Occupied::new(2, 3);
        occupied.assign(0, &[1.0, 0.0, 0.0, 1.0, 0.0, 0.0], &mut rng);
        occupied.assign(1, &[1.0, 0.0, 0.0, 0.0, 0.0, 1.0], &mut rng);
        assert_eq!(occupied.counts(), [1, 2]);
        let mut others = Occupied::new(2, 3);
        others.assign(0, &[0.0, 1.0, 0.0], &mut rng);
        others.join(&occupied);
        assert_eq!(others.counts(), [2, 2]);
    }

    /// Three observations that two components own alike are one component's with probability 2/8.
    #[test]
    fn owners_are_drawn_by_responsibility() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let n = 20_000;
        let mut occupied = Occupied::new(n, 2);
        (0..n).for_each(|draw| occupied.assign(draw, &[0.5; 6], &mut rng));
        let alone = occupied.counts().iter().filter(|count| **count == 1).count() as f64 / n as f64;
        assert!((alone - 0.25).abs() < 4.5 * (0.25 * 0.75 / n as f64).sqrt(), "{alone}");
    }
}
