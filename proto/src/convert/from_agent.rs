//! What an agent tells its coordinator.

use super::{
    bounds::MAX_PACKAGES,
    enumerated::Enumerated,
    field::{At, FieldError},
    query, read, write,
};
use crate::{
    session::{FromAgent, Hello, SimulatedPackage},
    v1::{self, from_agent::Message, simulated},
};
use cofferdam_engine::{
    failure::Failure,
    id::{Incarnation, OrderKey, ReservationToken},
    inventory::PackageSet,
    order::ClaimPoint,
    run::RunState,
};

impl From<FromAgent> for v1::FromAgent {
    fn from(message: FromAgent) -> Self {
        let message = match message {
            FromAgent::Hello(hello) => Message::Hello(hello.into()),
            FromAgent::Packages(packages) => Message::Packages(packages.into()),
            FromAgent::PackagesChanged { packages } => {
                let packages = write::digest(packages);
                Message::PackagesChanged(v1::PackagesChanged { packages })
            }
            FromAgent::Heartbeat => Message::Heartbeat(v1::Heartbeat {}),
            FromAgent::Report(report) => Message::Report(report.into()),
            FromAgent::Claim { key, token, point } => Message::Claim(v1::Claim {
                key: Some(key.into()),
                token: token.0,
                point: point.number(),
            }),
            FromAgent::Simulated { request, result } => {
                let result = Some(simulated_to_wire(result));
                Message::Simulated(v1::Simulated { request, result })
            }
            FromAgent::Queried { request, result } => {
                Message::Queried(query::queried_to_wire(request, result))
            }
            FromAgent::GuardNews(news) => Message::GuardNews((*news).into()),
            FromAgent::Drift(drift) => Message::Drift((*drift).into()),
            FromAgent::Effect(effect) => Message::Effect((*effect).into()),
        };
        Self {
            message: Some(message),
        }
    }
}

impl From<PackageSet> for v1::Packages {
    fn from(PackageSet(packages): PackageSet) -> Self {
        Self { packages }
    }
}

impl TryFrom<v1::Packages> for PackageSet {
    type Error = FieldError;
    fn try_from(wire: v1::Packages) -> Result<Self, FieldError> {
        let packages = read::texts_by_name(wire.packages, MAX_PACKAGES);
        Ok(Self(packages.at("packages")?))
    }
}

impl TryFrom<v1::FromAgent> for FromAgent {
    type Error = FieldError;
    fn try_from(wire: v1::FromAgent) -> Result<Self, FieldError> {
        match read::required(wire.message).at("message")? {
            Message::Hello(wire) => Ok(Self::Hello(wire.try_into().at("hello")?)),
            Message::Packages(wire) => Ok(Self::Packages(wire.try_into()?)),
            Message::PackagesChanged(wire) => {
                let packages = read::digest(&wire.packages);
                Ok(Self::PackagesChanged {
                    packages: packages.at("packages_changed.packages")?,
                })
            }
            Message::Heartbeat(v1::Heartbeat {}) => Ok(Self::Heartbeat),
            Message::Report(wire) => Ok(Self::Report(wire.try_into().at("report")?)),
            Message::Claim(wire) => Ok(Self::Claim {
                key: read::message(wire.key).at("claim.key")?,
                token: ReservationToken(read::from_one(wire.token).at("claim.token")?),
                point: ClaimPoint::read(wire.point).at("claim.point")?,
            }),
            Message::Simulated(wire) => Ok(Self::Simulated {
                request: wire.request,
                result: simulated_from_wire(wire.result).at("simulated")?,
            }),
            Message::Queried(wire) => Ok(Self::Queried {
                request: wire.request,
                result: query::queried_from_wire(wire.result).at("queried")?,
            }),
            Message::GuardNews(wire) => {
                Ok(Self::GuardNews(Box::new(wire.try_into().at("guard_news")?)))
            }
            Message::Drift(wire) => Ok(Self::Drift(Box::new(wire.try_into().at("drift")?))),
            Message::Effect(wire) => Ok(Self::Effect(Box::new(wire.try_into().at("effect")?))),
        }
    }
}

impl From<Hello> for v1::Hello {
    fn from(hello: Hello) -> Self {
        Self {
            host: hello.host.into(),
            incarnation: hello.incarnation.0,
            boot_id: hello.boot_id,
            version: hello.version,
            labels: hello.labels.into(),
            facts: Some(hello.facts.into()),
            in_service: hello.in_service,
            detail: write::line(&hello.detail),
            takes_reservations: hello.takes_reservations,
            open: hello.open.map(Into::into),
            newest: hello.newest.map(Into::into),
        }
    }
}

impl TryFrom<v1::Hello> for Hello {
    type Error = FieldError;
    fn try_from(wire: v1::Hello) -> Result<Self, FieldError> {
        Ok(Self {
            host: read::name(wire.host).at("host")?,
            incarnation: Incarnation(wire.incarnation),
            boot_id: read::filled_line(wire.boot_id).at("boot_id")?,
            version: read::filled_line(wire.version).at("version")?,
            labels: read::labels(wire.labels).at("labels")?,
            facts: read::message(wire.facts).at("facts")?,
            in_service: wire.in_service,
            detail: read::line(wire.detail).at("detail")?,
            takes_reservations: wire.takes_reservations,
            open: wire.open.map(open_run).transpose().at("open")?,
            newest: read::optional(wire.newest).at("newest")?,
        })
    }
}

impl From<(OrderKey, RunState)> for v1::OpenRun {
    fn from((key, state): (OrderKey, RunState)) -> Self {
        Self {
            key: Some(key.into()),
            state: Some(state.into()),
        }
    }
}

fn open_run(wire: v1::OpenRun) -> Result<(OrderKey, RunState), FieldError> {
    let key = read::message(wire.key).at("key")?;
    let state = read::message(wire.state).at("state")?;
    Ok((key, state))
}

fn simulated_to_wire(result: Result<Vec<SimulatedPackage>, Failure>) -> simulated::Result {
    match result {
        Ok(packages) => {
            let packages = write::list(packages);
            simulated::Result::Packages(simulated::Packages { packages })
        }
        Err(failure) => simulated::Result::Failure(failure.into()),
    }
}

fn simulated_from_wire(
    wire: Option<simulated::Result>,
) -> Result<Result<Vec<SimulatedPackage>, Failure>, FieldError> {
    match read::required(wire).at("result")? {
        simulated::Result::Packages(wire) => {
            let packages = read::list(wire.packages, MAX_PACKAGES);
            Ok(Ok(packages.at("packages.packages")?))
        }
        simulated::Result::Failure(wire) => Ok(Err(wire.try_into().at("failure")?)),
    }
}

impl From<SimulatedPackage> for v1::SimulatedPackage {
    fn from(package: SimulatedPackage) -> Self {
        Self {
            installed: package.installed,
            locked: Some(package.locked.into()),
            needed_by: package.needed_by,
        }
    }
}

impl TryFrom<v1::SimulatedPackage> for SimulatedPackage {
    type Error = FieldError;
    fn try_from(wire: v1::SimulatedPackage) -> Result<Self, FieldError> {
        Ok(Self {
            installed: read::optional_line(wire.installed).at("installed")?,
            locked: read::message(wire.locked).at("locked")?,
            needed_by: read::package_names(wire.needed_by).at("needed_by")?,
        })
    }
}
