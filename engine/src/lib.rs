//! Decides what Cofferdam does. Pure: no async, no clock, no randomness, no files, no sockets, no
//! logs; what a decision needs comes in as an argument, and the same inputs give the same bytes
//! out.

pub mod advisory;
pub mod calendar;
pub mod cell;
pub mod cells;
pub mod check;
pub mod coverage;
pub mod date;
pub mod denial;
pub mod diff;
pub mod digest;
pub mod document;
pub mod duration;
pub mod exception;
pub mod failure;
pub mod fleet;
pub mod floor;
pub mod hold;
pub mod id;
pub mod identity;
pub mod inventory;
pub mod ledger;
pub mod lint;
pub mod lockfile;
pub mod order;
pub mod package;
pub mod patch;
pub mod plan;
pub mod policy;
pub mod reach;
pub mod report;
pub mod rollout;
pub mod run;
pub mod seed;
pub mod select;
pub mod services;
pub mod share;
pub mod spec;
pub mod stratum;
pub mod time;
pub mod time_zone;
pub mod unit;
pub mod warrant;
pub mod window;
pub mod wish;
