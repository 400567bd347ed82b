//! Streams of random numbers, each keyed by what it is for: the same whatever else runs, in whatever order, on however many threads.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use crate::study::job::{ModelKey, Variant};

/// What a stream of random numbers is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The k-means restarts whose centroids the prior is centred on. They are part of the model, so no seed of the sampler enters.
    Centroids { model: ModelKey, variant: Variant },
    /// The starts of EM.
    Em { model: ModelKey },
    /// Importance sampling about a posterior's modes.
    Importance { model: ModelKey },
    /// The normal distribution about a posterior's mode, for intervals.
    Components { model: ModelKey },
    /// Mixtures drawn from the posterior.
    Mixtures { model: ModelKey },
    /// The components that own observations, in each of these mixtures.
    Labels { draw: usize },
    /// The clusters that the second search for modes begins with.
    Clusterings { model: ModelKey },
    /// The clusters by which components are split.
    Splits { model: ModelKey, search: Search },
    /// One chain of one fit.
    Chain { model: ModelKey, seed: u64, variant: Variant, chain: usize },
    /// What bridge sampling compares a posterior with.
    Evidence { model: ModelKey, seed: u64 },
    /// The components that own a block's observations, in each of a fit's draws.
    Owners { model: ModelKey, seed: u64, block: usize },
    /// Which observations are held out together.
    Folds { repeat: usize },
    /// Weights of observations, where models that were fitted elsewhere are compared.
    BayesianBootstrap,
    /// Which unreliable observations LOO leaves out together.
    Refits { model: ModelKey, seed: u64 },
    /// Which results are made again to be compared.
    Verification { seed: u64 },
    /// Where the sets of a suite stand on one factor of its design.
    Design { seed: u64, factor: usize },
    /// One part of a simulated data set.
    Simulation { seed: u64, set: usize, part: Simulated },
}

/// One of the two searches for a posterior's modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    First,
    Second,
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
            Self::Centroids { model, variant } => [1, model.stream_key(), 0, variant.stream_key(), 0],
            Self::Em { model } => [2, model.stream_key(), 0, 0, 0],
            Self::Importance { model } => [19, model.stream_key(), 0, 0, 0],
            Self::Components { model } => [20, model.stream_key(), 0, 0, 0],
            Self::Mixtures { model } => [22, model.stream_key(), 0, 0, 0],
            Self::Labels { draw } => [23, draw as u64, 0, 0, 0],
            Self::Clusterings { model } => [21, model.stream_key(), 0, 0, 0],
            Self::Splits { model, search } => [18, model.stream_key(), search as u64, 0, 0],
            Self::Chain { model, seed, variant, chain } => {
                [3, model.stream_key(), seed, variant.stream_key(), chain as u64]
            }
            Self::Evidence { model, seed } => [5, model.stream_key(), seed, 0, 0],
            Self::Owners { model, seed, block } => [7, model.stream_key(), seed, block as u64, 0],
            Self::Folds { repeat } => [4, repeat as u64, 0, 0, 0],
            Self::BayesianBootstrap => [9, 0, 0, 0, 0],
            Self::Refits { model, seed } => [6, model.stream_key(), seed, 0, 0],
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
    use crate::study::job::LeftOut;
    use rand::RngExt;

    #[test]
    fn streams_of_different_keys_differ_and_of_equal_keys_do_not() {
        let model = ModelKey::full(3);
        let chain = |seed, variant, chain| Stream::Chain { model, seed, variant, chain };
        let fold = |repeat, fold| Variant::Fold { repeat, fold };
        let first = |stream: Stream| stream.rng().random::<u64>();
        let keys = [
            chain(1, Variant::AllRows, 0),
            chain(1, Variant::AllRows, 1),
            chain(2, Variant::AllRows, 0),
            chain(1, fold(0, 0), 0),
            chain(1, fold(0, 1), 0),
            chain(1, fold(1, 0), 0),
            Stream::Em { model },
            Stream::Evidence { model, seed: 1 },
            Stream::Centroids { model, variant: Variant::AllRows },
            Stream::Centroids { model, variant: fold(0, 0) },
            Stream::Owners { model, seed: 1, block: 0 },
            Stream::Importance { model },
            Stream::Mixtures { model },
            Stream::Labels { draw: 0 },
            Stream::Clusterings { model },
            Stream::Splits { model, search: Search::First },
            Stream::Splits { model, search: Search::Second },
            Stream::Folds { repeat: 0 },
            Stream::Folds { repeat: 1 },
            Stream::BayesianBootstrap,
            Stream::Refits { model, seed: 1 },
            chain(1, Variant::Group(0), 0),
            chain(1, Variant::LeaveOut(LeftOut::Observation(0)), 0),
            chain(1, Variant::LeaveOut(LeftOut::Fold(0)), 0),
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
