//! What the control plane signs.

use super::{
    bounds::{MAX_CHAIN, MAX_PATH},
    field::{At, FieldError, Problem},
    read, write,
};
use crate::v1;
use cofferdam_engine::warrant::{MAX_TERMS_LEN, Seal, SlicePath, WarrantProof};

impl From<WarrantProof> for v1::WarrantProof {
    fn from(WarrantProof { seal, path }: WarrantProof) -> Self {
        Self {
            terms: seal.terms,
            signature: seal.signature,
            chain: seal.chain,
            place: path.place,
            beside: path.beside.into_iter().map(write::digest).collect(),
        }
    }
}

impl TryFrom<v1::WarrantProof> for WarrantProof {
    type Error = FieldError;
    fn try_from(wire: v1::WarrantProof) -> Result<Self, FieldError> {
        if wire.chain.is_empty() {
            return Err(Problem::Empty).at("chain");
        }
        let beside = |bytes: Vec<u8>| read::digest(&bytes);
        Ok(Self {
            seal: Seal {
                terms: read::text(wire.terms, MAX_TERMS_LEN).at("terms")?,
                signature: read::seal(wire.signature).at("signature")?,
                chain: read::list_of(wire.chain, MAX_CHAIN, read::seal).at("chain")?,
            },
            path: SlicePath {
                place: wire.place,
                beside: read::list_of(wire.beside, MAX_PATH, beside).at("beside")?,
            },
        })
    }
}
