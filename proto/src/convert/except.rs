//! What operators say of single hosts.

use super::{
    enumerated::Enumerated,
    field::{At, FieldError, Problem},
    read, write,
};
use crate::{
    operator::{ExceptRequest, Whom},
    v1::{self, except_request},
};
use cofferdam_engine::exception::Word;

impl From<ExceptRequest> for v1::ExceptRequest {
    fn from(request: ExceptRequest) -> Self {
        Self {
            rollout: request.rollout.into(),
            word: request.word.number(),
            reason: write::line(&request.reason),
            whom: Some(request.whom.into()),
        }
    }
}

impl TryFrom<v1::ExceptRequest> for ExceptRequest {
    type Error = FieldError;
    fn try_from(wire: v1::ExceptRequest) -> Result<Self, FieldError> {
        Ok(Self {
            rollout: read::name(wire.rollout).at("rollout")?,
            word: Word::read(wire.word).at("word")?,
            whom: read::message(wire.whom).at("whom")?,
            reason: read::line(wire.reason).at("reason")?,
        })
    }
}

impl From<Whom> for except_request::Whom {
    fn from(whom: Whom) -> Self {
        match whom {
            Whom::Hosts(hosts) => Self::Hosts(v1::HostNames {
                hosts: write::names(hosts),
            }),
            Whom::Matching(selection) => Self::Matching(selection),
            Whom::Stratum(stratum) => Self::Stratum(write::line(&stratum)),
            Whom::Failed => Self::Failed(v1::FailedHosts {}),
        }
    }
}

impl TryFrom<except_request::Whom> for Whom {
    type Error = FieldError;
    fn try_from(wire: except_request::Whom) -> Result<Self, FieldError> {
        Ok(match wire {
            except_request::Whom::Hosts(named) if named.hosts.is_empty() => {
                return Err(Problem::Empty).at("hosts");
            }
            except_request::Whom::Hosts(named) => {
                Self::Hosts(read::names(named.hosts).at("hosts")?)
            }
            except_request::Whom::Matching(selection) => {
                Self::Matching(read::file_text(selection).at("matching")?)
            }
            except_request::Whom::Stratum(stratum) => {
                Self::Stratum(read::filled_line(stratum).at("stratum")?)
            }
            except_request::Whom::Failed(_) => Self::Failed,
        })
    }
}
