//! Bundles: one file that carries a rollout into a partition that nothing is linked to, or its results out.
//!
//! ```text
//! manifest.json            what it is for, who made it where, and each further entry with size and SHA-256
//! manifest.sig             the operator's signature over that; not there: nobody signed it
//! rollout.toml  lock       as `cofferdam plan` made them
//! statement  sig           as `cofferdam sign` wrote them; not there: nobody signed the rollout
//! evidence.json            how the rollout stood
//! artefacts/sha256/HEX     the bits
//! ```
//!
//! It is a tar that every tar lists and unpacks. We read it more strictly: behind the manifest, each header must be
//! byte for byte the one that we write for what the manifest says comes next. So there is no header to interpret,
//! and none that other programs could read in another way: no link, no path, no length of its own.

pub mod archive;
pub mod artefacts;
pub mod carried;
pub mod entry;
pub mod evidence;
pub mod manifest;
pub mod opened;
pub mod pack;
#[cfg(test)]
mod tests;
pub mod trust;
