//! Random number streams, each keyed by case, purpose and index, so that results do not depend on the order of tasks.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// The seed of all streams. Its value is arbitrary; it is fixed so that verdicts are reproducible.
const SEED: u64 = 20_221_013;

/// What a stream of a case is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// k-means and EM.
    Start = 1,
    /// Simulated parameters and data.
    Data = 2,
    Chain = 3,
    /// The null distribution of a statistic.
    Null = 4,
    /// Draws from the proposal of bridge sampling.
    Proposal = 5,
    /// A run of sequential Monte Carlo (annealing from the prior).
    Anneal = 6,
}

/// The generator for one purpose in one case; `index` numbers chains, runs or replicates.
///
/// All four fields go into ChaCha's key: different keys give independent streams.
pub(crate) fn stream(case: &str, purpose: Purpose, index: usize) -> ChaCha8Rng {
    let key = [SEED, name_hash(case), purpose as u64, index as u64];
    let mut seed = [0; 32];
    for (bytes, field) in seed.chunks_exact_mut(8).zip(key) {
        bytes.copy_from_slice(&field.to_le_bytes());
    }
    ChaCha8Rng::from_seed(seed)
}

/// FNV-1a (Fowler, Noll & Vo 1991). A hash of the name, and not a number, so that cases keep their streams when others are added.
fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    #[test]
    fn streams_differ_if_and_only_if_their_keys_do() {
        let first = |case, purpose, index| stream(case, purpose, index).random::<u64>();
        let keys = [
            ("a", Purpose::Chain, 0),
            ("a", Purpose::Chain, 1),
            ("a", Purpose::Start, 0),
            ("a", Purpose::Data, 0),
            ("a", Purpose::Null, 0),
            ("b", Purpose::Chain, 0),
        ];
        for (i, &(case, purpose, index)) in keys.iter().enumerate() {
            assert_eq!(first(case, purpose, index), first(case, purpose, index));
            for &(other, its_purpose, its_index) in &keys[..i] {
                assert_ne!(first(case, purpose, index), first(other, its_purpose, its_index));
            }
        }
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // Test vectors of the authors' reference code.
        assert_eq!(name_hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(name_hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(name_hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
