//! `cofferdam watch`: a rollout's progress, until it ends or is paused.

use crate::{
    clock,
    command::Session,
    exit::Exit,
    render::{
        Format,
        progress::Progress,
        rollout::{NewAlarms, Standing, exit_of},
    },
};
use anyhow::Result;
use cofferdam_engine::id::RolloutId;
use cofferdam_proto::{
    operator::{RolloutState, RolloutView},
    status::CallError,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Arguments of `watch`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exits when the rollout is done (0), aborted or rolled back (1), or paused, \
    with nothing under way (3): what a window, a freeze, a floor or an approval holds goes on \
    when that is over, and is watched until then.\n\nExample:\n  cofferdam watch openssl-2026-11"
)]
pub struct Args {
    /// The rollout's name
    #[arg(value_parser = |name: &str| RolloutId::new(name))]
    pub rollout: RolloutId,
}

/// A coordinator that restarts, or a link that breaks, is waited for this long (guess: restarts
/// take seconds).
const AWAY: Duration = Duration::from_secs(120);

/// The pause between two tries (guess).
const AGAIN: Duration = Duration::from_secs(1);

/// Runs the command.
///
/// # Errors
/// When the coordinator cannot be asked, or does not know the rollout.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    let rollout = follow(&args.rollout, session).await?;
    Ok(exit_of(rollout.state))
}

/// Shows a rollout's progress until it ends or is paused, and how it stands then.
///
/// # Errors
/// When the coordinator refuses, or stays away for too long.
pub async fn follow(rollout: &RolloutId, session: &Session) -> Result<RolloutView> {
    let progress = Progress::begin(session.out);
    let end = follow_seeing(rollout, session, progress, &mut |_| {}).await?;
    if session.out.format() == Format::Text {
        let course = Standing::new(&end, clock::now()).course();
        session.out.say("")?;
        session.out.show(&course)?;
    }
    Ok(end)
}

/// Shows a rollout's progress until it ends or is paused, and lets somebody `see` each step of it.
///
/// # Errors
/// When the coordinator refuses, or stays away for too long.
pub async fn follow_seeing(
    rollout: &RolloutId,
    session: &Session,
    mut progress: Progress,
    see: &mut dyn FnMut(&RolloutView),
) -> Result<RolloutView> {
    let mut alarms = NewAlarms::default();
    let mut heard = Instant::now();
    loop {
        let mut show = |view: &RolloutView| {
            see(view);
            for line in alarms.of(view) {
                progress.say(&line)?;
            }
            progress.show(view)
        };
        match follow_once(rollout, session, &mut show, &mut heard).await {
            Ok(Some(end)) => return Ok(end),
            Ok(None) => {}
            Err(error) if may_pass(&error) && heard.elapsed() < AWAY => {
                progress.say("the connection broke; trying again")?;
            }
            Err(error) => return Err(error),
        }
        sleep(AGAIN).await;
    }
}

/// Follows one stream. Nothing when it ended, and the rollout did not.
async fn follow_once(
    rollout: &RolloutId,
    session: &Session,
    show: &mut dyn FnMut(&RolloutView) -> Result<()>,
    heard: &mut Instant,
) -> Result<Option<RolloutView>> {
    let mut watch = session.client.watch(rollout).await?;
    while let Some(view) = watch.next().await? {
        *heard = Instant::now();
        show(&view)?;
        if is_end(&view) {
            return Ok(Some(view));
        }
    }
    let view = session.client.status(rollout).await?;
    Ok(Some(view).filter(is_end))
}

/// Whether it is over, or paused with nothing under way: only a person moves it then.
fn is_end(view: &RolloutView) -> bool {
    let under_way = view.waves.iter().any(|wave| wave.running > 0);
    view.state.is_over() || (view.state == RolloutState::Paused && !under_way)
}

fn may_pass(error: &anyhow::Error) -> bool {
    let mut calls = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<CallError>());
    calls.any(CallError::may_pass)
}
