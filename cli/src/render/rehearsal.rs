//! What a rehearsal came to.

pub mod html;
