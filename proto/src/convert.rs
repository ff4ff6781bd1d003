//! Where generated and engine types meet, and nowhere else.
//!
//! `TryFrom` on receipt checks everything: presence, names, bounds, values of enums, what excludes
//! what. Its error names the field by its path from the message's top, as in
//! `order.grant.cell: ...`. `From` on sending cannot fail: free text is cut and cleaned to what the
//! other side accepts, so that no report is ever stuck in an outbox because of what a tool printed.
//!
//! Duties by file: `bounds` the limits, `field` the error, `read` and `write` one value each way,
//! the others one family of messages each.

mod advisory;
mod amend;
mod artefact;
pub mod bounds;
mod calendar;
mod conffile;
mod config;
mod content;
mod cord;
mod denial;
mod enumerated;
mod evidence;
mod except;
mod failure;
mod field;
mod finding;
mod from_agent;
mod guard;
mod host_view;
mod operator;
mod order;
mod package_change;
mod plan_view;
mod planned_wave;
mod query;
mod read;
mod report;
mod reserve;
mod rollback;
mod rollout_view;
mod run;
mod services;
mod signed;
mod to_agent;
mod traffic;
mod warrant;
mod write;

pub use field::{FieldError, Problem};
pub use order::order_digest;
