//! Streams of random numbers, each keyed by what it is for: the same whatever else runs, in whatever order, on however many threads.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use crate::engine::task::Part;

/// What a stream of random numbers is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The k-means restarts whose centroids the prior is centred on: part of the model, so no seed of the sampler enters.
    Centroids { components: usize, part: Part },
    /// The starts of EM.
    Em { components: usize },
    /// One chain of one fit.
    Chain { components: usize, seed: u64, part: Part, chain: usize },
    /// What bridge sampling compares a posterior with.
    Evidence { components: usize, seed: u64 },
    /// The components that own a block's observations, in each of a fit's draws.
    Owners { components: usize, seed: u64, block: usize },
    /// Which observations are held out together.
    Folds { repeat: usize },
    /// Weights of observations, where models that were fitted elsewhere are compared.
    BayesianBootstrap,
    /// Which observations in doubt LOO leaves out together.
    Refits { components: usize, seed: u64 },
    /// Which results are made again to be compared.
    Verification { seed: u64 },
    /// Where the sets of a suite stand on one factor of its design.
    Design { seed: u64, factor: usize },
    /// One part of a simulated data set.
    Simulation { seed: u64, set: usize, part: Simulated },
}

/// What is drawn when data are simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Simulated {
    /// The true mixture.
    Mixture,
    /// The observations that fits see.
    Observations,
    /// Those that no fit sees, by which predictions are judged.
    Fresh,
}

impl Stream {
    /// The generator, seeded with the BLAKE3 hash of the key: keys that differ in anything give unrelated streams, which
    /// `seed + 1` would not promise.
    pub fn rng(self) -> ChaCha8Rng {
        // Fixed-width fields, so that no two keys run together.
        let key: [u64; 5] = match self {
            Self::Centroids { components, part } => [1, components as u64, 0, part.key(), 0],
            Self::Em { components } => [2, components as u64, 0, 0, 0],
            Self::Chain { components, seed, part, chain } => {
                [3, components as u64, seed, part.key(), chain as u64]
            }
            Self::Evidence { components, seed } => [5, components as u64, seed, 0, 0],
            Self::Owners { components, seed, block } => [7, components as u64, seed, block as u64, 0],
            Self::Folds { repeat } => [4, repeat as u64, 0, 0, 0],
            Self::BayesianBootstrap => [9, 0, 0, 0, 0],
            Self::Refits { components, seed } => [6, components as u64, seed, 0, 0],
            Self::Verification { seed } => [10, seed, 0, 0, 0],
            Self::Design { seed, factor } => [16, seed, factor as u64, 0, 0],
            Self::Simulation { seed, set, part } => [17, seed, set as u64, part as u64, 0],
        };
        let bytes: Vec<u8> = key.iter().flat_map(|field| field.to_le_bytes()).collect();
        ChaCha8Rng::from_seed(*blake3::hash(&bytes).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::task::Left;
    use rand::RngExt;

    #[test]
    fn streams_of_different_keys_differ_and_of_equal_keys_do_not() {
        let chain = |seed, part, chain| Stream::Chain { components: 3, seed, part, chain };
        let fold = |repeat, fold| Part::Fold { repeat, fold };
        let first = |stream: Stream| stream.rng().random::<u64>();
        let keys = [
            chain(1, Part::All, 0),
            chain(1, Part::All, 1),
            chain(2, Part::All, 0),
            chain(1, fold(0, 0), 0),
            chain(1, fold(0, 1), 0),
            chain(1, fold(1, 0), 0),
            Stream::Em { components: 3 },
            Stream::Evidence { components: 3, seed: 1 },
            Stream::Centroids { components: 3, part: Part::All },
            Stream::Centroids { components: 3, part: fold(0, 0) },
            Stream::Owners { components: 3, seed: 1, block: 0 },
            Stream::Folds { repeat: 0 },
            Stream::Folds { repeat: 1 },
            Stream::BayesianBootstrap,
            Stream::Refits { components: 3, seed: 1 },
            chain(1, Part::Group(0), 0),
            chain(1, Part::Without(Left::Observation(0)), 0),
            chain(1, Part::Without(Left::Fold(0)), 0),
            Stream::Verification { seed: 1 },
            Stream::Design { seed: 1, factor: 0 },
            Stream::Design { seed: 1, factor: 1 },
            Stream::Simulation { seed: 1, set: 1, part: Simulated::Mixture },
            Stream::Simulation { seed: 1, set: 1, part: Simulated::Fresh },
            Stream::Simulation { seed: 1, set: 2, part: Simulated::Mixture },
        ];
        for (i, a) in keys.iter().enumerate() {
            assert_eq!(first(*a), first(*a));
            for b in &keys[..i] {
                assert_ne!(first(*a), first(*b), "{a:?} {b:?}");
            }
        }
    }
}
