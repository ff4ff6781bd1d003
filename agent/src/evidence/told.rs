//! What `cofferdam-agent evidence` says.

use super::record::{Dial, Evidence};
use crate::{clock::uptime, host::boot, identity};
use serde::Serialize;
use std::{fmt, time::Duration};

/// Boot evidence, as it is told at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    #[serde(flatten)]
    evidence: Evidence,
    watch: Watched,
}

/// How far the watch came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Watched {
    /// To its end.
    Whole,
    /// It goes on.
    UnderWay,
    /// Its agent ended before, and none took it up again in time.
    CutShort,
}

impl Told {
    /// Evidence, as it is told now.
    pub fn now(evidence: Evidence) -> Self {
        let begun = boot::begun();
        let since = Duration::from_millis(uptime()).saturating_sub(begun);
        // The boot cannot be told: it is another.
        let this = identity::boot_id().is_ok_and(|id| evidence.boot == id);
        Self::at(evidence, this.then_some(since))
    }

    /// Evidence, as it is told so long after its boot. Absent: the host has booted again.
    fn at(evidence: Evidence, since: Option<Duration>) -> Self {
        let goes_on = since.is_some_and(|since| since.as_secs() < evidence.seconds);
        let watch = match (evidence.is_whole, goes_on) {
            (true, _) => Watched::Whole,
            (false, true) => Watched::UnderWay,
            (false, false) => Watched::CutShort,
        };
        Self { evidence, watch }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evidence = &self.evidence;
        let (began, seconds) = (evidence.began, evidence.seconds);
        match self.watch {
            Watched::Whole => writeln!(f, "watched from {began} s to {seconds} s after the boot")?,
            Watched::UnderWay => writeln!(
                f,
                "watched from {began} s after the boot on, and still until {seconds} s"
            )?,
            Watched::CutShort => writeln!(
                f,
                "watched from {began} s after the boot on, but not up to {seconds} s: the agent ended before"
            )?,
        }
        writeln!(f, "dialled  {}", evidence.dialled.len())?;
        for Dial {
            protocol,
            to,
            at,
            by,
        } in &evidence.dialled
        {
            let by = by.as_deref().unwrap_or("a process that had ended");
            writeln!(f, "  at {at} s  {protocol} {to}  by {by}")?;
        }
        match evidence.names_from {
            Some(from) => writeln!(f, "names    {}, from {from} s on", evidence.names.len())?,
            None => writeln!(f, "names    not known")?,
        }
        for (name, outcome) in &evidence.names {
            writeln!(f, "  {name}  {outcome}")?;
        }
        if let Some(why) = &evidence.names_unknown {
            writeln!(f, "  others are not known: {why}")?;
        }
        if evidence.more > 0 {
            writeln!(f, "and {} more, which are not kept", evidence.more)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evidence::names::Untold,
        host::dialled::{Dialled, Protocol},
    };

    fn evidence() -> Evidence {
        let secs = Duration::from_secs;
        let dialled = |port| Dialled {
            protocol: Protocol::Tcp,
            to: ([10, 0, 0, 1], port).into(),
        };
        let mut evidence = Evidence::new("b".to_owned(), Duration::from_mins(5), secs(3));
        let by = "apt-get update, in apt-daily.service".to_owned();
        evidence.dialled(dialled(80), secs(7), Some(by));
        evidence.dialled(dialled(81), secs(8), None);
        let heard = vec![("deb.debian.org".to_owned(), "success".to_owned())];
        evidence.heard(secs(4), Ok(heard));
        evidence.heard(secs(24), Err(Untold::Refused("not now".to_owned())));
        evidence
    }

    #[test]
    fn what_was_found_is_shown_with_by_whom() {
        let whole = Evidence {
            is_whole: true,
            ..evidence()
        };
        insta::assert_snapshot!(Told::at(whole, None), @r"
        watched from 3 s to 300 s after the boot
        dialled  2
          at 7 s  tcp 10.0.0.1:80  by apt-get update, in apt-daily.service
          at 8 s  tcp 10.0.0.1:81  by a process that had ended
        names    1, from 4 s on
          deb.debian.org  success
          others are not known: resolvectl: not now
        ");
    }

    #[test]
    fn it_is_said_whether_the_watch_goes_on_or_was_cut_short() {
        for (since, word, text) in [
            (Some(40), "under-way", "on, and still until 300 s\n"),
            (
                Some(301),
                "cut-short",
                "not up to 300 s: the agent ended before\n",
            ),
            (
                None,
                "cut-short",
                "not up to 300 s: the agent ended before\n",
            ),
        ] {
            let told = Told::at(evidence(), since.map(Duration::from_secs));
            let first = told.to_string().lines().next().unwrap().to_owned() + "\n";
            assert!(first.ends_with(text), "{first}");
            let json = serde_json::to_value(&told).unwrap();
            assert_eq!(
                (&json["watch"], &json["seconds"]),
                (&word.into(), &300.into())
            );
        }
    }
}
