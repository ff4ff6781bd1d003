//! What the coordinator serves: one service for agents, one for operators, each with its own
//! authorisation by the name in the caller's certificate.

mod agent;
mod amend;
mod artefacts;
mod calendar;
pub(crate) mod call;
mod change;
mod cord;
mod describe;
mod except;
mod explain;
mod forget;
mod operator;
mod planner;
pub(crate) mod query;
mod reserve;
mod signing;
mod watch;

pub(crate) use self::{
    agent::AgentApi, describe::Standing, operator::OperatorApi, query::Desk, signing::Signing,
};
