//! The one place where this process reads the wall clock.

use cofferdam_engine::time::{Timestamp, millis};
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// Now, as certificates and package indexes write it.
pub fn date() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Now, as file systems write it.
pub fn system() -> SystemTime {
    SystemTime::now()
}

/// Now, as the engine counts it. A clock set before 1970 reads as 1970.
pub fn now() -> Timestamp {
    let since = system().duration_since(UNIX_EPOCH);
    Timestamp(millis(since.unwrap_or_default()))
}
