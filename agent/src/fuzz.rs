//! Texts as tools and the kernel print them, and as they never would.

use proptest::prelude::*;

/// Texts that are drawn at random, and from pieces of samples, which come deeper.
pub(crate) fn printed(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        9 => prop::sample::select(pieces).prop_map(ToOwned::to_owned),
        1 => any::<String>(),
    ];
    let made = prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat());
    prop_oneof![3 => made, 1 => any::<String>()]
}
