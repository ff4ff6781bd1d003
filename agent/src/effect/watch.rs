//! Tells the coordinator now and then whether what is installed is in effect: people restart and reboot
//! without being ordered to.

use super::look;
use crate::{host::root::Root, telling::Found};
use cofferdam_proto::error_chain;
use std::{convert::Infallible, time::Duration};
use tokio::{task::spawn_blocking, time};

/// When it is looked first: whoever starts has other things to do (guess).
const FIRST: Duration = Duration::from_secs(60);

/// How often it is looked (guess: it costs some ten milliseconds, and is asked for by people).
const EVERY: Duration = Duration::from_secs(600);

/// Looks for as long as the agent runs.
pub async fn watch(root: Root, found: Found) -> Infallible {
    let mut wait = FIRST;
    loop {
        time::sleep(wait).await;
        wait = EVERY;
        let root = root.clone();
        match spawn_blocking(move || look::effect(&root)).await {
            Ok(Ok(effect)) => found.effect(effect.summary()),
            Ok(Err(error)) => {
                tracing::warn!("what is in effect cannot be told: {}", error_chain(&error))
            }
            Err(error) => tracing::warn!("what is in effect was not looked for: {error}"),
        }
    }
}
