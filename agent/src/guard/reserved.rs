//! The reservation that an operator has of this host, as its coordinator said in the session: while it lasts,
//! every change of packages passes.
//!
//! It lies in the run folder, where only root writes, and stands without a session: an operator who cuts a
//! host off while at work on it still has it. What the next session says stands in its place.

use super::{places::Places, span::Span};
use crate::host::durable::{self, FileError};
use cofferdam_engine::{
    id::{OperatorId, ReservationToken},
    reservation::ReservationLeft,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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

/// A reservation that was written down cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ReservedError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// What stands there is none.
    #[error("{} is not understood; the next session writes it anew", .0.display())]
    Garbled(PathBuf),
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
        let json = serde_json::to_vec(&reserved).expect("plain data becomes JSON");
        durable::write(&places.reserved(), &json)
    }

    /// The reservation that lasts now. Absent: none does.
    ///
    /// # Errors
    /// [`ReservedError`]: then none does either.
    pub fn find(places: &Places) -> Result<Option<Self>, ReservedError> {
        let path = places.reserved();
        let Some(bytes) = durable::read(&path)? else {
            return Ok(None);
        };
        let reserved: Self =
            serde_json::from_slice(&bytes).map_err(|_| ReservedError::Garbled(path))?;
        let lasts = reserved.span.is_now()?;
        Ok(lasts.then_some(reserved))
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
