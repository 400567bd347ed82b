//! Streams of random numbers, each keyed by what it is for: the same whatever else runs, in whatever order.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// Every stream of the suite is derived from this seed. Its value is arbitrary; it stands still so that a verdict does.
const SEED: u64 = 20_221_013;

/// What a stream of a case is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// k-means and EM, and the data of a case that simulates its own.
    Start = 1,
    Data = 2,
    Chain = 3,
    /// The null distribution of a statistic.
    Null = 4,
    /// What bridge sampling compares a posterior with.
    Proposal = 5,
    /// A run of sequential Monte Carlo.
    Anneal = 6,
}

/// The generator of one purpose in one case; `index` tells its chains or replicates apart.
///
/// The key is the cipher's own: ChaCha makes unrelated streams of keys that differ in anything.
pub(crate) fn stream(case: &str, purpose: Purpose, index: usize) -> ChaCha8Rng {
    let key = [SEED, name_hash(case), purpose as u64, index as u64];
    let mut seed = [0; 32];
    for (bytes, field) in seed.chunks_exact_mut(8).zip(key) {
        bytes.copy_from_slice(&field.to_le_bytes());
    }
    ChaCha8Rng::from_seed(seed)
}

/// FNV-1a (Fowler, Noll & Vo 1991): cases keep their streams when others come and go.
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
    fn streams_of_different_keys_differ_and_of_equal_keys_do_not() {
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
