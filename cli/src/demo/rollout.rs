//! The two rollouts of the demo, and how an operator runs one.

use crate::{
    command::{Session, explain, plan, sign, start, watch},
    demo::{folder::Folder, signer::Signer},
    file,
};
use anyhow::Result;
use cofferdam_engine::id::RolloutId;
use cofferdam_proto::operator::RolloutView;
use std::{path::PathBuf, time::Duration};

const GOOD: &str = include_str!("files/good.toml");
const BAD: &str = include_str!("files/bad.toml");

/// The demo is over in a minute.
const SIGNED_FOR: Duration = Duration::from_hours(24);

/// A rollout with its file in the demo's folder.
pub struct Rollout {
    name: RolloutId,
    file: PathBuf,
}

impl Rollout {
    /// Writes the file of the rollout that goes well.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn good(folder: &Folder) -> Result<Self> {
        Self::write(folder, "demo-good", GOOD)
    }

    /// Writes the file of the rollout that the canary stops.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn bad(folder: &Folder) -> Result<Self> {
        Self::write(folder, "demo-bad", BAD)
    }

    fn write(folder: &Folder, name: &str, text: &str) -> Result<Self> {
        let rollouts = folder.rollouts();
        file::folder(&rollouts)?;
        let file = rollouts.join(format!("{name}.toml"));
        file::create(&file, file::PUBLIC, text)?;
        let name = RolloutId::new(name)?;
        Ok(Self { name, file })
    }

    /// Plans, signs, starts and follows it, by the commands that an operator types. Without a signer
    /// nothing is signed.
    ///
    /// # Errors
    /// When a command fails. That it was stopped is no failure.
    pub async fn run(&self, signer: Option<&Signer>, session: &Session) -> Result<RolloutView> {
        let Self { name, file } = self;
        say(session, &format!("plan {}", file.display()))?;
        let args = plan::Args {
            file: file.clone(),
            relock: false,
        };
        plan::run(args, session).await?;
        if let Some(signer) = signer {
            let (shown, key) = (file.display(), signer.key.clone());
            say(
                session,
                &format!("sign {shown} --with {} --yes", key.display()),
            )?;
            let args = sign::Args {
                file: file.clone(),
                with: key,
                valid_for: SIGNED_FOR,
                amends: None,
                yes: true,
            };
            sign::run_alone(&args, session.out)?;
        }
        say(session, &format!("start {}", file.display()))?;
        let file = file.clone();
        start::run(
            start::Args {
                file,
                signature: None,
            },
            session,
        )
        .await?;
        say(session, &format!("watch {name}"))?;
        watch::follow(name, session).await
    }

    /// Explains how it stands.
    ///
    /// # Errors
    /// When the command fails.
    pub async fn explain(&self, session: &Session) -> Result<()> {
        let subject = self.name.to_string();
        say(session, &format!("explain {subject}"))?;
        explain::run(explain::Args { subject }, session).await?;
        Ok(())
    }
}

/// Shows the command line that does what comes next.
fn say(session: &Session, command: &str) -> Result<()> {
    session.out.say(&format!("\n$ cofferdam {command}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::{patch::RebootPolicy, policy::CellOrder, share::Share, spec::Spec};
    use std::time::Duration;

    fn parse(text: &str) -> Spec {
        Spec::parse("demo.toml", text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    #[test]
    fn both_files_say_the_same_but_for_the_name() {
        let body = |text: &str| text.lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(body(GOOD), body(BAD));
        assert_eq!(parse(GOOD).name().as_str(), "demo-good");
        assert_eq!(parse(BAD).name().as_str(), "demo-bad");
    }

    #[test]
    fn the_files_ask_for_what_a_fleet_of_24_and_a_minute_need() {
        let spec = parse(GOOD);
        let (pace, second) = (spec.pace(), Duration::from_secs(1));
        assert_eq!(
            (pace.grace, pace.stage_within),
            (Duration::ZERO, Duration::ZERO)
        );
        assert_eq!(pace.start_spacing, Duration::from_millis(100));
        assert_eq!(
            (pace.cells_gap, pace.order),
            (Duration::ZERO, CellOrder::None)
        );
        let health = spec.health();
        assert_eq!(
            (health.stable_for, health.stable_for_canary),
            (second, second)
        );
        assert_eq!(health.first_answer, second);
        assert_eq!(spec.waves().len(), 3);
        assert_eq!(spec.waves()[0].bake, second);
        assert_eq!(spec.reboot(), RebootPolicy::Never);
        assert_eq!(
            spec.limits()[0].floors[0].min_in_service,
            Share::percent(75)
        );
    }

    #[test]
    fn each_key_of_the_files_has_its_comment() {
        let mut keys = GOOD
            .lines()
            .filter(|line| line.contains(" = ") && !line.starts_with('#'));
        let bare = keys.find(|line| !line.contains("  # "));
        assert_eq!(bare, None);
    }
}
