//! Streams of random numbers, each keyed by what it is for: the same whatever else runs, in whatever order, on however many threads.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// What a stream of random numbers is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The k-means restarts whose centroids the prior is centred on: part of the model, so no seed of the sampler enters.
    Centroids { components: usize, fold: Option<usize> },
    /// The starts of EM.
    Em { components: usize, fold: Option<usize> },
    /// One chain of one fit.
    Chain { components: usize, seed: u64, fold: Option<usize>, chain: usize },
    /// Which observations are held out together.
    Folds,
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
        // Fixed-width fields; a fold's absence is told from fold 0 by a count from 1.
        let optional = |fold: Option<usize>| fold.map_or(0, |fold| fold as u64 + 1);
        let key: [u64; 5] = match self {
            Self::Centroids { components, fold } => [1, components as u64, 0, optional(fold), 0],
            Self::Em { components, fold } => [2, components as u64, 0, optional(fold), 0],
            Self::Chain { components, seed, fold, chain } => {
                [3, components as u64, seed, optional(fold), chain as u64]
            }
            Self::Folds => [4, 0, 0, 0, 0],
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
    use rand::RngExt;

    #[test]
    fn streams_of_different_keys_differ_and_of_equal_keys_do_not() {
        let chain = |seed, fold, chain| Stream::Chain { components: 3, seed, fold, chain };
        let first = |stream: Stream| stream.rng().random::<u64>();
        let keys = [
            chain(1, None, 0),
            chain(1, None, 1),
            chain(2, None, 0),
            chain(1, Some(0), 0),
            chain(1, Some(1), 0),
            Stream::Em { components: 3, fold: None },
            Stream::Centroids { components: 3, fold: None },
            Stream::Folds,
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
