//! Drift: packages and files of this host that changed without an order.
//!
//! ```text
//!  image build:  seal ------> image.json: packages, and the files that are watched
//!  agent:        keeper ----> compare ----> report ----> the gate of a boot, pages, `cofferdam-agent drift`
//!                                 ^--- what orders made of the host since: expected.json
//! ```
//!
//! Only the first boot from an image holds a host back for drift: a host that was let in once comes back
//! with a warning, so that a zone that lost its power does not stay away. It is not let in before that boot has
//! come to rest: see [`rest`]. From then on it stays in, whatever happens to its packages: many hosts are made of
//! one image at one time, and what changes one of them later changes all of them at once.

pub mod command;
pub mod compare;
pub mod contents;
pub mod hang;
pub mod image;
pub mod installed;
pub mod keeper;
pub mod log_file;
pub mod logs;
pub mod pattern;
pub mod report;
mod rest;
pub mod seal;
pub mod settings;
pub mod store;
#[cfg(test)]
mod tests;
