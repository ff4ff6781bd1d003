//! The reservation that an operator has of this host, as its coordinator said in the session: while it lasts,
//! every change of packages passes.
//!
//! It stands without a session: an operator who cuts a host off while at work on it still has it. What the
//! next session says stands in its place.

use super::{
    lasting::{self, Lasting, LastingError},
    places::Places,
    span::Span,
};
use crate::host::durable::{self, FileError};
use cofferdam_engine::{
    id::{OperatorId, ReservationToken},
    reservation::ReservationLeft,
};
use serde::{Deserialize, Serialize};

/// A reservation of this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// From when it was heard of to its end.
    #[serde(flatten)]
    pub span: Span,
    /// Its token in the ledger.
    pub token: ReservationToken,
    /// Who has the host.
    pub by: OperatorId,
    /// Why.
    pub reason: String,
}

impl Lasting for Reserved {
    const MENDED_BY: &'static str = "the next session writes it anew";

    fn span(&self) -> &Span {
        &self.span
    }
}

impl Reserved {
    /// Writes down what a coordinator says, in place of what it said before. Absent: no operator has the
    /// host.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be written.
    pub fn note(places: &Places, said: Option<ReservationLeft>) -> Result<(), FileError> {
        let Some(said) = said else {
            return durable::remove(&places.reserved());
        };
        let reserved = Self {
            span: Span::lasting(said.left)?,
            token: said.token,
            by: said.by,
            reason: said.reason,
        };
        lasting::note(&places.reserved(), &reserved)
    }

    /// The reservation that lasts now. Absent: none does.
    ///
    /// # Errors
    /// [`LastingError`]: then none does either.
    pub fn find(places: &Places) -> Result<Option<Self>, LastingError> {
        lasting::find(&places.reserved())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, time::Duration};

    #[test]
    fn what_was_said_last_holds_for_as_long_as_it_lasts() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::new(&folder.path().join("state"), &folder.path().join("run"));
        let said = |secs| ReservationLeft {
            token: ReservationToken(7),
            by: OperatorId::new("ana").unwrap(),
            reason: "new disk".to_owned(),
            left: Duration::from_secs(secs),
        };
        let found = || Reserved::find(&places).unwrap();
        assert_eq!(found(), None);
        Reserved::note(&places, Some(said(60))).unwrap();
        let reserved = found().unwrap();
        assert_eq!(
            (reserved.by.as_str(), &*reserved.reason),
            ("ana", "new disk")
        );
        assert!(reserved.span.left() <= Duration::from_secs(60));
        for ended in [Some(said(0)), None] {
            Reserved::note(&places, Some(said(60))).unwrap();
            Reserved::note(&places, ended).unwrap();
            assert_eq!(found(), None);
        }
        Reserved::note(&places, None).unwrap();
        fs::write(places.reserved(), "{\"by\":\"ana\"}").unwrap();
        assert!(Reserved::find(&places).is_err());
    }
}
