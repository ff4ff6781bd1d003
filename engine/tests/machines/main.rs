//! Plays the three machines against each other in virtual time: real rollouts, cells and runs,
//! modelled agents, and a link that loses sessions. After every event the checker of promises is
//! asked.

#[cfg(test)]
mod model;
#[cfg(test)]
mod rollouts;
#[cfg(test)]
mod scripts;
#[cfg(test)]
mod split;
#[cfg(test)]
mod world;

/// What the environment says under a name.
#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test is told so how much to do; the engine under test reads none of it"
)]
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
