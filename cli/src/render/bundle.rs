//! Bundles: what was written, what was brought, what became of a rollout elsewhere.

use crate::{
    bundle::{
        artefacts,
        carried::Carried,
        evidence::Evidence,
        manifest::{Made, Manifest},
        opened::Opened,
    },
    exit::Exit,
    render::{
        View,
        denials::DenialList,
        rollout::{Standing, exit_of},
        table::{ago, brief, counted, table},
    },
};
use cofferdam_engine::{id::RolloutId, time::Timestamp};
use cofferdam_proto::operator::{RolloutEvidence, StratumEvidence};
use serde::Serialize;
use std::path::PathBuf;

/// The most strata that people are shown; JSON has all.
const SHOWN_STRATA: usize = 40;

/// A bundle that was written.
#[derive(Debug, Serialize)]
pub struct Exported {
    /// The rollout.
    pub rollout: RolloutId,
    /// The bundle.
    pub file: PathBuf,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many artefacts are in it.
    pub artefacts: usize,
    /// Whether an operator signed it.
    pub is_signed: bool,
}

impl View for Exported {
    fn text(&self) -> String {
        let Self { rollout, bytes, .. } = self;
        let (file, artefacts) = (self.file.display(), counted(self.artefacts, "artefact"));
        let (signed, how) = match self.is_signed {
            true => ("signed", "--signers /etc/cofferdam/allowed_signers"),
            false => ("signed by nobody", "--unsigned"),
        };
        format!(
            "{file}: {rollout}, {artefacts}, {bytes} bytes, {signed}\nthere: cofferdam bundle import {file} {how}\n"
        )
    }
}

/// What was stored and written.
#[derive(Debug, Serialize)]
pub struct Brought {
    /// How many artefacts were stored; the others were there.
    pub stored: usize,
    /// The rollout file, with the others beside it.
    pub rollout_file: PathBuf,
}

/// A rollout that a bundle carries.
#[derive(Debug, Serialize)]
pub struct Imported {
    rollout: RolloutId,
    made: Made,
    signed_by: Option<String>,
    rollout_signed_by: Option<String>,
    artefacts: usize,
    /// How many artefacts its lock file names that were left out.
    left_out: usize,
    /// Absent: it was only checked.
    brought: Option<Brought>,
    evidence: Evidence,
    #[serde(skip)]
    now: Timestamp,
}

impl Imported {
    /// What a bundle carries, and what was taken in of it. `brought` absent: nothing.
    pub fn new(opened: Opened, carried: Carried, brought: Option<Brought>, now: Timestamp) -> Self {
        let Manifest { rollout, made, .. } = opened.manifest;
        let named = artefacts::of(&carried.lock).len();
        Self {
            left_out: named.saturating_sub(opened.artefacts.len()),
            rollout,
            made,
            signed_by: opened.signer,
            rollout_signed_by: carried.signer,
            artefacts: opened.artefacts.len(),
            brought,
            evidence: carried.evidence,
            now,
        }
    }
}

impl View for Imported {
    fn text(&self) -> String {
        let mut text = headline(
            &self.rollout,
            &self.made,
            self.signed_by.as_deref(),
            self.now,
        );
        text += &match &self.rollout_signed_by {
            Some(signer) => format!("  the rollout is signed by {signer}\n"),
            None => "  nobody signed the rollout\n".to_owned(),
        };
        let artefacts = counted(self.artefacts, "artefact");
        text += &match &self.brought {
            Some(Brought { stored, .. }) => format!("  {artefacts}, {stored} stored now\n"),
            None => format!("  {artefacts}, whole; nothing was taken in\n"),
        };
        if self.left_out > 0 {
            let left_out = counted(self.left_out, "artefact");
            text +=
                &format!("  without {left_out}: hosts here need them in their own repositories\n");
        }
        text += &known(&self.evidence, self.now);
        if let Some(Brought { rollout_file, .. }) = &self.brought {
            let file = rollout_file.display();
            text += "\nIt goes through all of its own waves here, the canary first: what passed elsewhere replaces none.\n";
            text += &format!("start it: cofferdam start {file}\n");
        }
        text
    }
}

/// What became of a rollout elsewhere.
#[derive(Debug, Serialize)]
pub struct Results {
    rollout: RolloutId,
    made: Made,
    signed_by: Option<String>,
    evidence: Evidence,
    #[serde(skip)]
    now: Timestamp,
}

impl Results {
    /// What a bundle of results says.
    pub fn new(opened: Opened, evidence: Evidence, now: Timestamp) -> Self {
        let Manifest { rollout, made, .. } = opened.manifest;
        Self {
            rollout,
            made,
            signed_by: opened.signer,
            evidence,
            now,
        }
    }

    /// How a command exits that shows it: as one that followed the rollout there, and badly where bits are denied
    /// to more than single hosts.
    pub fn exit(&self) -> Exit {
        let state = self.evidence.rollout.as_ref().map(|rollout| rollout.state);
        match self.evidence.denied_widely().next() {
            Some(_) => Exit::Failed,
            None => state.map_or(Exit::Done, exit_of),
        }
    }
}

impl View for Results {
    fn text(&self) -> String {
        let mut text = headline(
            &self.rollout,
            &self.made,
            self.signed_by.as_deref(),
            self.now,
        );
        text += &known(&self.evidence, self.now);
        if self.evidence.denied_widely().next().is_some() {
            let (rollout, fleet) = (&self.rollout, &self.made.fleet);
            text += &format!(
                "\ndeny these bits here too: cofferdam deny add {rollout} --reason 'denied in {fleet}'\n"
            );
        }
        text
    }
}

fn headline(rollout: &RolloutId, made: &Made, signer: Option<&str>, now: Timestamp) -> String {
    let Made { by, fleet, .. } = made;
    let when = ago(made.at_ms, now);
    let signed = match signer {
        Some(signer) => format!("the bundle is signed by {signer}"),
        None => "nobody signed the bundle: what it says of itself and of hosts proves nothing"
            .to_owned(),
    };
    format!("{rollout}: a bundle that {by} made in {fleet} {when}\n  {signed}\n")
}

/// What is known of a rollout elsewhere.
fn known(evidence: &Evidence, now: Timestamp) -> String {
    let Some(rollout) = &evidence.rollout else {
        return "\nIt was not started there.\n".to_owned();
    };
    let when = ago(evidence.at_ms, now);
    let standing = Standing::new(rollout, evidence.at_ms).text();
    let mut text = format!("\nHow it stood there {when}\n{standing}");
    if let Some(proved) = &evidence.proved {
        text += &strata(proved);
    }
    if !evidence.denials.is_empty() {
        let list = DenialList {
            denials: evidence.denials.clone(),
            now: evidence.at_ms,
        };
        text += &format!("\nWhat was denied there\n{}", list.text());
    }
    text
}

/// Strata by what they proved: first those that failed, then those that nobody passed.
fn strata(proved: &RolloutEvidence) -> String {
    let mut ranked: Vec<&StratumEvidence> = proved.strata.iter().collect();
    ranked.sort_by_key(|one| (one.failed == 0, one.passed > 0));
    let row = |one: &&StratumEvidence| {
        [
            one.stratum.clone(),
            one.hosts.to_string(),
            one.passed.to_string(),
            one.failed.to_string(),
        ]
    };
    let rows: Vec<_> = ranked.iter().take(SHOWN_STRATA).map(row).collect();
    let more = match ranked.len().saturating_sub(SHOWN_STRATA) {
        0 => String::new(),
        more => format!("and {more} more\n"),
    };
    match rows.is_empty() {
        true => String::new(),
        false => format!(
            "\nWhat passed there, with the rollout's digest {}\n{}{more}",
            brief(proved.rollout_digest),
            table(["stratum", "hosts", "passed", "failed"], rows)
        ),
    }
}
