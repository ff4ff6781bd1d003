//! `cofferdam practice`: plays a noop rollout on the real fleet to its end, and says what would have hurt.

use super::watch;
use crate::{
    clock,
    command::Session,
    exit::{Exit, UsageError},
    render::{
        practice::{Delays, Practised},
        progress::Progress,
    },
    rollout_file::RolloutFile,
    signing,
};
use anyhow::Result;
use cofferdam_engine::{
    denial::Scope,
    duration,
    id::RolloutId,
    lockfile,
    patch::Patch,
    statement::{Signed, Statement},
};
use cofferdam_proto::operator::{Action, ChangeRequest, PlanRequest, RolloutView, StartRequest};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use time::OffsetDateTime;
use tokio::time::timeout;

/// How long an aborted practice is waited for: what is drained comes back within its deadlines, mostly
/// much sooner (guess).
const ABORT_WITHIN: Duration = Duration::from_mins(30);

/// Arguments of `practice`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Takes each host out of traffic, checks it and brings it back, by all the rules of a \
    real patch, and changes nothing. The rollout is named after the file's and the hour, so that a timer can \
    call this; one that is held, or not over in time, is aborted.\n\nExits when nothing would have hurt (0), \
    or something would have (1).\n\nExample:\n  cofferdam practice web-practice.toml --within 4h"
)]
pub struct Args {
    /// The rollout file, with `kind = "noop"` in its `[patch]`
    pub file: PathBuf,
    /// How long it may take before it is aborted
    #[arg(long, value_name = "TIME", default_value = "8h", value_parser = duration::parse)]
    pub within: Duration,
    /// The key to sign it with, where hosts ask for that: one without a passphrase, for a timer
    #[arg(long, value_name = "KEY")]
    pub sign_with: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When the file is wrong, or the coordinator refuses it or stays away.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    let file = RolloutFile::read(&args.file)?;
    if *file.spec().patch() != Patch::Noop {
        let why = "practice changes nothing, so [patch] must say `kind = \"noop\"`";
        return Err(UsageError(format!("{}: {why}", args.file.display())).into());
    }
    let file = file.named(&name_of(file.rollout(), clock::date())?)?;
    let started = begin(&file, &args, session).await?;
    let (name, hosts) = (&started.name, started.hosts);
    session
        .out
        .say(&format!("{name} begins on {hosts} hosts"))?;
    let mut delays = Delays::default();
    let mut see = |view: &RolloutView| delays.see(view, clock::now());
    let followed = watch::follow_seeing(name, session, Progress::for_people(session.out), &mut see);
    let end = match timeout(args.within, followed).await {
        Ok(end) => end?,
        Err(_) => session.client.status(name).await?,
    };
    delays.see(&end, clock::now());
    delays.end(clock::now());
    let (end, stopped) = match end.state.is_over() {
        true => (end, None),
        false => {
            let why = abort(&end, args.within, session).await?;
            (session.client.status(name).await?, Some(why))
        }
    };
    let practised = Practised::new(&end, &delays, stopped);
    session.out.show(&practised)?;
    Ok(match practised.would_have_hurt() {
        true => Exit::Failed,
        false => Exit::Done,
    })
}

/// The rollout's name at an hour: a name is used once.
fn name_of(name: &RolloutId, now: OffsetDateTime) -> Result<RolloutId> {
    let (year, month, day) = now.to_calendar_date();
    let (hour, minute, second) = now.to_hms();
    let month = u8::from(month);
    let stamp = format!("{year}{month:02}{day:02}-{hour:02}{minute:02}{second:02}");
    let named = RolloutId::new(format!("{name}-{stamp}"));
    Ok(named.map_err(|error| UsageError(error.to_string()))?)
}

async fn begin(file: &RolloutFile, args: &Args, session: &Session) -> Result<RolloutView> {
    let plan = PlanRequest {
        file_name: file.name(),
        spec_text: file.text().to_owned(),
        lock_text: None,
        advisory: None,
    };
    let planned = session.client.plan(plan).await?;
    let signed = match &args.sign_with {
        Some(key) => Some(sign(file, &planned.lock_text, key, args.within)?),
        None => None,
    };
    let start = StartRequest {
        file_name: file.name(),
        spec_text: file.text().to_owned(),
        lock_text: planned.lock_text,
        signed,
    };
    session.client.start(start).await
}

/// Signs it for as long as it may take.
fn sign(file: &RolloutFile, lock_text: &str, key: &Path, within: Duration) -> Result<Signed> {
    let lock = lockfile::parse("the lock file", lock_text)?;
    let validity = signing::from(clock::now(), within);
    signing::sign(&Statement::of(file.spec(), &lock, None, validity), key)
}

/// Ends a practice that does not end by itself, and waits for the hosts that are out. Why it was ended.
async fn abort(held: &RolloutView, within: Duration, session: &Session) -> Result<String> {
    let why = match held.reason.is_empty() {
        true => format!("it was not over within {}", duration::format(within)),
        false => held.reason.clone(),
    };
    let request = ChangeRequest {
        rollout: held.name.clone(),
        action: Action::Abort,
        reason: "the practice is over".to_owned(),
        reach: Scope::default(),
    };
    if let Err(error) = session.client.change(request).await {
        // It may have ended in this moment.
        let now = session.client.status(&held.name).await?;
        if !now.state.is_over() {
            return Err(error);
        }
    }
    let progress = Progress::for_people(session.out);
    let mut see = |_: &RolloutView| {};
    let ended = watch::follow_seeing(&held.name, session, progress, &mut see);
    match timeout(ABORT_WITHIN, ended).await {
        Ok(ended) => drop(ended?),
        Err(_) => return Ok(why + ", and some of its hosts are not back yet"),
    }
    Ok(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_practice_has_a_name_of_its_own() {
        let name = RolloutId::new("web-practice").unwrap();
        let now = OffsetDateTime::from_unix_timestamp(1_795_845_904).unwrap();
        let named = name_of(&name, now).unwrap();
        assert_eq!(named.as_str(), "web-practice-20261128-060504");
    }
}
