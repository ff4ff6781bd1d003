//! Who a certificate speaks for: its one SPIFFE URI, read strictly.

use crate::id::{HostId, NameError, OperatorId, Region};
use std::fmt;

/// What a certificate names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity {
    /// `spiffe://DOMAIN/agent/HOST`
    Agent(HostId),
    /// `spiffe://DOMAIN/coordinator/REGION`
    Coordinator(Region),
    /// `spiffe://DOMAIN/control`
    Control,
    /// `spiffe://DOMAIN/operator/NAME`
    Operator(OperatorId),
}

/// Why a URI names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It is not of the form `spiffe://DOMAIN/...`.
    #[error("`{0}` is not a SPIFFE URI: spiffe://TRUST-DOMAIN/KIND/NAME is expected")]
    NotSpiffe(String),
    /// It belongs to another trust domain.
    #[error("`{uri}` is not of the trust domain `{expected}`")]
    OtherDomain {
        /// The URI.
        uri: String,
        /// The domain that this process trusts.
        expected: String,
    },
    /// Its path is none that is known.
    #[error(
        "`{0}` names nobody: /agent/HOST, /coordinator/REGION, /control or /operator/NAME is expected"
    )]
    UnknownKind(String),
    /// Its name is malformed.
    #[error("the name in `{uri}` is malformed")]
    Name {
        /// The URI.
        uri: String,
        /// What is wrong with the name.
        #[source]
        source: NameError,
    },
}

impl Identity {
    /// Reads a SPIFFE URI of one trust domain.
    ///
    /// # Errors
    /// [`IdentityError`] when the URI is of another form, another domain, or names nobody.
    pub fn parse(uri: &str, trust_domain: &str) -> Result<Self, IdentityError> {
        let (domain, path) = uri
            .strip_prefix("spiffe://")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(|| IdentityError::NotSpiffe(uri.to_owned()))?;
        if domain != trust_domain {
            let expected = trust_domain.to_owned();
            return Err(IdentityError::OtherDomain {
                uri: uri.to_owned(),
                expected,
            });
        }
        let name = |source| IdentityError::Name {
            uri: uri.to_owned(),
            source,
        };
        match path.split_once('/') {
            None if path == "control" => Ok(Self::Control),
            Some(("agent", host)) => HostId::new(host).map(Self::Agent).map_err(name),
            Some(("coordinator", region)) => {
                Region::new(region).map(Self::Coordinator).map_err(name)
            }
            Some(("operator", who)) => OperatorId::new(who).map(Self::Operator).map_err(name),
            None | Some(_) => Err(IdentityError::UnknownKind(uri.to_owned())),
        }
    }

    /// The SPIFFE URI of this identity in a trust domain.
    pub fn uri(&self, trust_domain: &str) -> String {
        format!("spiffe://{trust_domain}/{self}")
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(host) => write!(f, "agent/{host}"),
            Self::Coordinator(region) => write!(f, "coordinator/{region}"),
            Self::Control => f.write_str("control"),
            Self::Operator(name) => write!(f, "operator/{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_reads_back_its_own_uri() {
        for path in ["agent/web-1", "coordinator/r1", "control", "operator/ana"] {
            let uri = format!("spiffe://example.org/{path}");
            let identity = Identity::parse(&uri, "example.org").unwrap();
            assert_eq!(identity.uri("example.org"), uri);
        }
    }

    #[test]
    fn anything_else_names_nobody() {
        for uri in [
            "",
            "http://example.org/control",
            "spiffe://example.org",
            "spiffe://example.org/",
            "spiffe://other.org/control",
            "spiffe://example.org/agent",
            "spiffe://example.org/agent/",
            "spiffe://example.org/agent/a/b",
            "spiffe://example.org/control/x",
            "spiffe://example.org/root/x",
        ] {
            assert!(Identity::parse(uri, "example.org").is_err(), "{uri}");
        }
    }
}
