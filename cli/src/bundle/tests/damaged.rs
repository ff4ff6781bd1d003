//! Bundles that were good once.

use super::sample::{Sample, read};
use proptest::prelude::*;
use std::sync::LazyLock;

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| Sample::signed().bytes());

fn with(at: usize, mask: u8) -> Vec<u8> {
    let mut bytes = GOOD.clone();
    bytes[at] ^= mask;
    bytes
}

/// Where the header of the manifest's signature begins, and how many bytes the signature has.
fn signature() -> (usize, usize) {
    let blocks = GOOD.chunks(512);
    let at = blocks.map(|block| block.starts_with(b"manifest.sig"));
    let at = 512 * at.take_while(|found| !found).count();
    let digits = str::from_utf8(&GOOD[at + 124..at + 135]).unwrap();
    (at, usize::from_str_radix(digits, 8).unwrap())
}

/// One signature can be written in several ways that count: only one of them is ours.
#[test]
fn each_byte_of_the_signature_counts() {
    let (header, size) = signature();
    let begin = header + 512;
    let refused = |at| read(&with(at, 0x01)).is_err();
    let taken: Vec<usize> = (begin..begin + size).filter(|at| !refused(*at)).collect();
    assert!(taken.is_empty(), "{taken:?} of {size} bytes from {begin}");
}

#[test]
fn what_is_cut_off_or_goes_on_is_refused_and_says_where() {
    assert_eq!(read(&GOOD), Ok(()));
    for end in (0..GOOD.len())
        .step_by(101)
        .chain([GOOD.len() - 1, GOOD.len() - 512])
    {
        let refused = read(&GOOD[..end]).unwrap_err();
        assert!(
            refused.contains(&format!("cut off at byte {end}")),
            "{end}: {refused}"
        );
    }
    for more in [&[0][..], &[0; 512], b"x"] {
        let refused = read(&[&GOOD[..], more].concat()).unwrap_err();
        let expected = format!("goes on behind its end, at byte {}", GOOD.len());
        assert!(refused.contains(&expected), "{refused}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_changed_byte_is_refused(at in 0..GOOD.len(), mask in 1..=u8::MAX) {
        prop_assert!(read(&with(at, mask)).is_err());
    }

    #[test]
    fn any_bytes_are_an_error_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        prop_assert!(read(&bytes).is_err());
    }

    /// As someone would write it who knows the form.
    #[test]
    fn any_words_in_the_place_of_a_manifest_are_an_error(words in ".{0,300}", json in any::<bool>()) {
        let sample = Sample::unsigned();
        let text = match json {
            true => format!("{{\"format\": 1, \"kind\": {words:?}}}"),
            false => words,
        };
        prop_assert!(read(&sample.with_manifest(&text)).is_err());
    }
}
