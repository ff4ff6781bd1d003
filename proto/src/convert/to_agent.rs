//! What a coordinator tells an agent.

use super::{
    bounds::MAX_PACKAGES,
    conffile,
    enumerated::Enumerated,
    field::{At, FieldError, Problem},
    order::kernel_fallback,
    read, write,
};
use crate::{
    session::{Papers, StageRequest, ToAgent},
    v1::{self, claim_answer, simulate::Upgrade, to_agent::Message},
};
use cofferdam_engine::{
    id::{OwnerEpoch, ReportSequence},
    order::{ClaimAnswer, ClaimPoint, Order},
    patch::{KernelFallback, VersionWish},
    select::MAX_SELECTION_LEN,
    wish::Wish,
};
use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

impl From<ToAgent> for v1::ToAgent {
    fn from(message: ToAgent) -> Self {
        let message = match message {
            ToAgent::Welcome {
                epoch,
                heartbeat,
                want_packages,
                heard,
            } => Message::Welcome(v1::Welcome {
                epoch: epoch.0,
                // A heartbeat under a millisecond is none.
                heartbeat_ms: write::wait(heartbeat).max(1),
                want_packages,
                heard: heard.map(Into::into),
            }),
            ToAgent::GuardNoted { up_to } => Message::GuardNoted(v1::GuardNoted {
                up_to: Some(up_to.into()),
            }),
            ToAgent::Reserved { reservation } => Message::Reserved(v1::Reserved {
                reservation: reservation.map(Into::into),
            }),
            ToAgent::PackagesNoted { want_packages } => {
                Message::PackagesNoted(v1::PackagesNoted { want_packages })
            }
            ToAgent::Acknowledge { up_to } => {
                Message::Acknowledge(v1::Acknowledge { up_to: up_to.0 })
            }
            ToAgent::Heartbeat => Message::Heartbeat(v1::Heartbeat {}),
            ToAgent::Stage(stage, signed) => Message::Stage(v1::Stage {
                signed: signed.map(Into::into),
                ..(*stage).into()
            }),
            ToAgent::Order(order, papers) => Message::Order(with_papers(*order, papers)),
            ToAgent::Withdraw { key, reason } => Message::Withdraw(v1::Withdraw {
                key: Some(key.into()),
                reason: write::line(&reason),
            }),
            ToAgent::ClaimAnswer { key, point, answer } => Message::ClaimAnswer(v1::ClaimAnswer {
                key: Some(key.into()),
                point: point.number(),
                answer: Some(answer.into()),
            }),
            ToAgent::Simulate { request, wish } => Message::Simulate(simulate(request, wish)),
            ToAgent::Query {
                request,
                text,
                within,
            } => Message::Query(v1::Query {
                request,
                text,
                within_ms: write::wait(within),
            }),
            ToAgent::Supply(request) => Message::Supply((*request).into()),
            ToAgent::Release { rollout } => Message::Release(v1::Release {
                rollout: rollout.into(),
            }),
        };
        Self {
            message: Some(message),
        }
    }
}

impl TryFrom<v1::ToAgent> for ToAgent {
    type Error = FieldError;
    fn try_from(wire: v1::ToAgent) -> Result<Self, FieldError> {
        match read::required(wire.message).at("message")? {
            Message::Welcome(wire) => welcome(&wire).at("welcome"),
            Message::GuardNoted(wire) => Ok(Self::GuardNoted {
                up_to: read::message(wire.up_to).at("guard_noted.up_to")?,
            }),
            Message::Reserved(wire) => Ok(Self::Reserved {
                reservation: read::optional(wire.reservation).at("reserved.reservation")?,
            }),
            Message::PackagesNoted(wire) => {
                let want_packages = wire.want_packages;
                Ok(Self::PackagesNoted { want_packages })
            }
            Message::Acknowledge(wire) => {
                let up_to = ReportSequence(wire.up_to);
                Ok(Self::Acknowledge { up_to })
            }
            Message::Heartbeat(v1::Heartbeat {}) => Ok(Self::Heartbeat),
            Message::Stage(mut wire) => {
                let signed = read::optional(wire.signed.take()).at("stage.signed")?;
                Ok(Self::Stage(Box::new(wire.try_into().at("stage")?), signed))
            }
            Message::Order(mut wire) => {
                let papers = Papers {
                    signed: read::optional(wire.signed.take()).at("order.signed")?,
                    warrant: read::optional(wire.warrant.take())
                        .at("order.warrant")?
                        .map(Box::new),
                };
                Ok(Self::Order(Box::new(wire.try_into().at("order")?), papers))
            }
            Message::Withdraw(wire) => Ok(Self::Withdraw {
                key: read::message(wire.key).at("withdraw.key")?,
                reason: read::line(wire.reason).at("withdraw.reason")?,
            }),
            Message::ClaimAnswer(wire) => Ok(Self::ClaimAnswer {
                key: read::message(wire.key).at("claim_answer.key")?,
                point: ClaimPoint::read(wire.point).at("claim_answer.point")?,
                answer: read::message(wire.answer).at("claim_answer.answer")?,
            }),
            Message::Simulate(wire) => Ok(Self::Simulate {
                request: wire.request,
                wish: wish(wire).at("simulate")?,
            }),
            Message::Query(wire) => Ok(Self::Query {
                request: wire.request,
                text: read::text(wire.text, MAX_SELECTION_LEN).at("query.text")?,
                within: read::wait(wire.within_ms).at("query.within_ms")?,
            }),
            Message::Supply(wire) => Ok(Self::Supply(Box::new(wire.try_into().at("supply")?))),
            Message::Release(wire) => Ok(Self::Release {
                rollout: read::name(wire.rollout).at("release.rollout")?,
            }),
        }
    }
}

fn with_papers(order: Order, papers: Papers) -> v1::Order {
    v1::Order {
        signed: papers.signed.map(Into::into),
        warrant: papers.warrant.map(|proof| (*proof).into()),
        ..order.into()
    }
}

fn welcome(wire: &v1::Welcome) -> Result<ToAgent, FieldError> {
    let heartbeat = read::wait(wire.heartbeat_ms).and_then(|wait| match wait {
        Duration::ZERO => Err(Problem::Zero),
        wait => Ok(wait),
    });
    Ok(ToAgent::Welcome {
        epoch: OwnerEpoch(read::from_one(wire.epoch).at("epoch")?),
        heartbeat: heartbeat.at("heartbeat_ms")?,
        want_packages: wire.want_packages,
        heard: read::optional(wire.heard).at("heard")?,
    })
}

impl From<StageRequest> for v1::Stage {
    fn from(stage: StageRequest) -> Self {
        Self {
            rollout: stage.rollout.into(),
            lock_digest: write::digest(stage.lock_digest),
            content: Some(stage.content.into()),
            conffiles: conffile::write(stage.conffiles),
            kernel_once: stage.kernel_fallback == KernelFallback::OneShot,
            one_way: stage.one_way,
            signed: None,
            rate_kib: stage.rate_kib.map_or(0, NonZeroU32::get),
        }
    }
}

impl TryFrom<v1::Stage> for StageRequest {
    type Error = FieldError;
    fn try_from(wire: v1::Stage) -> Result<Self, FieldError> {
        Ok(Self {
            rollout: read::name(wire.rollout).at("rollout")?,
            lock_digest: read::digest(&wire.lock_digest).at("lock_digest")?,
            content: read::message(wire.content).at("content")?,
            conffiles: conffile::read(wire.conffiles).at("conffiles")?,
            kernel_fallback: kernel_fallback(wire.kernel_once),
            one_way: wire.one_way,
            rate_kib: NonZeroU32::new(wire.rate_kib),
        })
    }
}

impl From<ClaimAnswer> for claim_answer::Answer {
    fn from(answer: ClaimAnswer) -> Self {
        match answer {
            ClaimAnswer::Granted => Self::Granted(claim_answer::Granted {}),
            ClaimAnswer::Refused { reason } => Self::Refused(claim_answer::Refused {
                reason: write::line(&reason),
            }),
        }
    }
}

impl TryFrom<claim_answer::Answer> for ClaimAnswer {
    type Error = FieldError;
    fn try_from(wire: claim_answer::Answer) -> Result<Self, FieldError> {
        match wire {
            claim_answer::Answer::Granted(claim_answer::Granted {}) => Ok(Self::Granted),
            claim_answer::Answer::Refused(wire) => Ok(Self::Refused {
                reason: read::line(wire.reason).at("reason")?,
            }),
        }
    }
}

impl From<(String, VersionWish)> for v1::PackageWish {
    fn from((name, wish): (String, VersionWish)) -> Self {
        let version = match wish {
            VersionWish::Latest => None,
            VersionWish::Exactly(version) => Some(version),
        };
        Self { name, version }
    }
}

fn simulate(request: u64, wish: Wish) -> v1::Simulate {
    let (packages, upgrade) = match wish {
        Wish::Packages(packages) => (packages.into_iter().map(Into::into).collect(), None),
        Wish::Security => {
            let security = Upgrade::Security(v1::SecurityUpdates {});
            (Vec::new(), Some(security))
        }
        Wish::Fixes(sources) => {
            let fixes = Upgrade::Fixes(v1::FixedSources { sources });
            (Vec::new(), Some(fixes))
        }
    };
    v1::Simulate {
        request,
        packages,
        upgrade,
    }
}

fn wish(wire: v1::Simulate) -> Result<Wish, FieldError> {
    match wire.upgrade {
        None => Ok(Wish::Packages(wishes(wire.packages).at("packages")?)),
        Some(Upgrade::Security(v1::SecurityUpdates {})) => Ok(Wish::Security),
        Some(Upgrade::Fixes(wire)) => Ok(Wish::Fixes(
            read::source_versions(wire.sources).at("fixes.sources")?,
        )),
    }
}

fn wishes(wire: Vec<v1::PackageWish>) -> Result<BTreeMap<String, VersionWish>, FieldError> {
    if wire.is_empty() {
        return Err(Problem::Empty.into());
    }
    let mut wishes = BTreeMap::new();
    for Named { name, wish } in read::list(wire, MAX_PACKAGES)? {
        if wishes.insert(name.clone(), wish).is_some() {
            return Err(Problem::Twice(name).into());
        }
    }
    Ok(wishes)
}

struct Named {
    name: String,
    wish: VersionWish,
}

impl TryFrom<v1::PackageWish> for Named {
    type Error = FieldError;
    fn try_from(wire: v1::PackageWish) -> Result<Self, FieldError> {
        let version = wire.version.map(read::package_version).transpose();
        let version = version.at("version")?;
        Ok(Self {
            name: read::package_name(wire.name).at("name")?,
            wish: version.map_or(VersionWish::Latest, VersionWish::Exactly),
        })
    }
}
