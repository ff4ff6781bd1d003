//! Cofferdam wire.
