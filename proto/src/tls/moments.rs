//! By which clock certificates are judged.

use cofferdam_engine::time::Timestamp;
use rustls::{CertificateError, Error, pki_types::UnixTime};
use std::{fmt, sync::Arc, time::Duration};

/// By which clock certificates are judged: the process's own, which no step of the system's clock moves.
#[derive(Clone, Default)]
pub(super) struct Moments(Option<Arc<dyn Fn() -> Timestamp + Send + Sync>>);

impl fmt::Debug for Moments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Some(_) => "Moments(own clock)",
            None => "Moments(the system's clock)",
        })
    }
}

impl Moments {
    /// A clock of the process's own.
    pub(super) fn of(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(now)))
    }

    /// Judges at this moment by the own clock. What is not valid *by its time* is judged by the system's clock too: a
    /// machine whose clock was wrong when it booted, and was set right since, must not be kept out until its next boot.
    pub(super) fn judge<T>(
        &self,
        system: UnixTime,
        judge: impl Fn(UnixTime) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some(now) = &self.0 else {
            return judge(system);
        };
        let own = UnixTime::since_unix_epoch(Duration::from_millis(now().0));
        let judged = judge(own);
        match judged {
            Err(error) if is_of_time(&error) => judge(system).map_err(|_| error),
            Ok(_) | Err(_) => judged,
        }
    }
}

fn is_of_time(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
        )
    )
}
