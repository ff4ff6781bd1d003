//! What operators sign.

use super::{
    bounds::MAX_SIGNATURE_BYTES,
    field::{At, FieldError},
    read,
};
use crate::v1;
use cofferdam_engine::statement::{MAX_STATEMENT_LEN, Signed};

impl From<Signed> for v1::Signed {
    fn from(signed: Signed) -> Self {
        let Signed {
            statement,
            signature,
        } = signed;
        Self {
            statement,
            signature,
        }
    }
}

impl TryFrom<v1::Signed> for Signed {
    type Error = FieldError;
    fn try_from(wire: v1::Signed) -> Result<Self, FieldError> {
        Ok(Self {
            statement: read::text(wire.statement, MAX_STATEMENT_LEN).at("statement")?,
            signature: read::text(wire.signature, MAX_SIGNATURE_BYTES).at("signature")?,
        })
    }
}
