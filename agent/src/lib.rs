//! Cofferdam agent.
