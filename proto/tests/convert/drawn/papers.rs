//! What others than the coordinator signed.

use super::{digest, signed};
use cofferdam_engine::warrant::{Seal, SlicePath, WarrantProof};
use cofferdam_proto::session::Papers;
use proptest::{collection::vec, option, prelude::*};

pub(super) fn papers() -> impl Strategy<Value = Papers> {
    (signed(), option::of(warrant().prop_map(Box::new)))
        .prop_map(|(signed, warrant)| Papers { signed, warrant })
}

fn warrant() -> impl Strategy<Value = WarrantProof> {
    let bytes = || vec(any::<u8>(), 1..80);
    let seal = (bytes(), "(?s).{0,40}", vec(bytes(), 1..3));
    let path = (any::<u32>(), vec(digest(), 0..11));
    (seal, path).prop_map(
        |((signature, terms, chain), (place, beside))| WarrantProof {
            seal: Seal {
                signature,
                terms,
                chain,
            },
            path: SlicePath { place, beside },
        },
    )
}
