//! An entry of a list of those that are dialled.

use crate::tls;
use std::fmt;

/// Longer names cannot be asked for (RFC 1035, section 2.3.4).
const MOST_BYTES: usize = 253;

/// An entry of a list of those that are dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An address, `HOST:PORT`.
    Address(String),
    /// The name of an SRV record, as in `_cofferdam._tcp.example.org`: always whole, no search domain is added.
    Service(String),
}

/// A text is not a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither an address, HOST:PORT as in coordinator.example.org:7300, nor the name of an SRV record, \
     as in _cofferdam._tcp.example.org"
)]
pub struct PlaceError(String);

impl Place {
    /// Reads an entry: what begins with `_` and has no port is the name of an SRV record.
    ///
    /// # Errors
    /// [`PlaceError`] when it is neither.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        if is_service(text) {
            let name = text.strip_suffix('.').unwrap_or(text);
            return Ok(Self::Service(name.to_ascii_lowercase()));
        }
        match tls::uri(text) {
            Ok(_) => Ok(Self::Address(text.to_owned())),
            Err(_) => Err(PlaceError(text.to_owned())),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(text) | Self::Service(text) => f.write_str(text),
        }
    }
}

/// Whether a text is `_SERVICE._PROTOCOL.DOMAIN` (RFC 2782).
fn is_service(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let labels: Vec<&str> = name.split('.').collect();
    let is_of_label = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_label = |label: &&str| (1..=63).contains(&label.len()) && label.chars().all(is_of_label);
    labels.len() >= 3
        && name.len() <= MOST_BYTES
        && labels.iter().take(2).all(|label| label.starts_with('_'))
        && labels.iter().all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_an_address_or_the_name_of_an_srv_record() {
        let address = |text: &str| Ok(Place::Address(text.to_owned()));
        let service = |text: &str| Ok(Place::Service(text.to_owned()));
        for (text, expected) in [
            ("r1.example.org:7300", address("r1.example.org:7300")),
            ("[::1]:7300", address("[::1]:7300")),
            (
                "_cofferdam._tcp.example.org",
                service("_cofferdam._tcp.example.org"),
            ),
            (
                "_Cofferdam._TCP.r1.Example.org.",
                service("_cofferdam._tcp.r1.example.org"),
            ),
        ] {
            assert_eq!(Place::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        let long = format!("_cofferdam._tcp.{}", "a.".repeat(200));
        for text in [
            "",
            "_",
            "_a._tcp",
            "_a._tcp..org",
            "_a.tcp.example.org",
            "_a._tcp.exa mple.org",
            "https://r1:7300",
            "r1",
            "_cofferdam._tcp.example.org:7300:1",
            long.as_str(),
        ] {
            assert_eq!(Place::parse(text), Err(PlaceError(text.to_owned())));
        }
    }
}
