//! Stable numbers in place of randomness, so that a decision can be repeated.

use std::time::Duration;

/// The offset basis and the prime of 64-bit FNV-1a
/// (<http://www.isthe.com/chongo/tech/comp/fnv/index.html>).
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// A number drawn from texts, say host, rollout and purpose: always the same for the same texts,
/// and spread evenly over all numbers.
pub fn of(parts: &[&str]) -> u64 {
    let mut hash = FNV_BASIS;
    for part in parts {
        // A byte that no UTF-8 text holds keeps `["ab", "c"]` apart from `["a", "bc"]`.
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        }
    }
    mix(hash)
}

/// A wait and up to half as much again, as the seed says.
pub fn jitter(wait: Duration, seed: u64) -> Duration {
    let half = u64::try_from(wait.as_nanos() / 2).unwrap_or(u64::MAX);
    wait.saturating_add(Duration::from_nanos(scale(seed, half)))
}

/// A number below `bound` that lies in it as the seed lies in all numbers.
fn scale(seed: u64, bound: u64) -> u64 {
    let scaled = (u128::from(seed) * u128::from(bound)) >> 64;
    u64::try_from(scaled).expect("the upper half of a product of two 64-bit numbers has 64 bits")
}

/// The last step of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
/// generators, 2014): FNV alone leaves the high bits of short texts alike.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_the_same_in_every_release() {
        assert_eq!(
            of(&["web-1", "openssl", "start"]),
            6_926_312_473_349_187_127
        );
    }

    #[test]
    fn texts_are_not_run_together() {
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["ab"]), of(&["ab", ""]));
    }

    #[test]
    fn jitter_adds_up_to_half() {
        let wait = Duration::from_secs(60);
        assert_eq!(jitter(wait, 0), wait);
        assert_eq!(jitter(wait, 1 << 63), Duration::from_secs(75));
        assert!(jitter(wait, u64::MAX) <= Duration::from_secs(90));
        assert!(jitter(Duration::MAX, u64::MAX) == Duration::MAX);
    }

    #[test]
    fn seeds_of_like_names_spread_evenly() {
        let mut buckets = [0_u32; 10];
        for i in 0..10_000 {
            let seed = of(&[&format!("web-{i}"), "openssl"]);
            buckets[usize::try_from(scale(seed, 10)).unwrap()] += 1;
        }
        assert!(
            buckets.iter().all(|n| (850..1150).contains(n)),
            "{buckets:?}"
        );
    }
}
