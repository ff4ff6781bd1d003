//! What a rehearsal came to.

pub mod html;
mod text;
mod words;

use crate::{exit::Exit, render::View};
use cofferdam_engine::rehearse::{
    incident::{self, Played},
    report::Report,
};
use serde::{Serialize, Serializer};

/// A rollout was rehearsed.
#[derive(Debug)]
pub struct Rehearsed {
    /// What it came to.
    pub report: Report,
    /// Whether its bits are made up, since nothing was resolved yet.
    pub is_made_up: bool,
}

impl Rehearsed {
    /// What the command's exit says.
    pub fn exit(&self) -> Exit {
        let report = &self.report;
        // A standing rollout goes on when all have the patch.
        let have_all = report.patched == report.planned;
        match (report.broken.is_empty(), report.phase.as_str()) {
            (false, _) => Exit::Failed,
            (true, "done" | "rolled-back") => Exit::Done,
            (true, _) if have_all => Exit::Done,
            (true, _) => Exit::Held,
        }
    }
}

/// A report with what is reckoned from it, as every form says it.
#[derive(Serialize)]
struct Shown<'r> {
    made_up_bits: bool,
    verdict: &'static str,
    coordination_permille: Option<u64>,
    overhead_permille: Option<u64>,
    hands: usize,
    #[serde(flatten)]
    report: &'r Report,
}

impl<'r> Shown<'r> {
    fn of(report: &'r Report, made_up_bits: bool) -> Self {
        Self {
            made_up_bits,
            verdict: html::colour(report),
            coordination_permille: report.coordination_permille(),
            overhead_permille: report.overhead_permille(),
            hands: report.hands(),
            report,
        }
    }
}

impl Serialize for Rehearsed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shown::of(&self.report, self.is_made_up).serialize(serializer)
    }
}

impl View for Rehearsed {
    fn text(&self) -> String {
        let mut text = text::of(&self.report);
        if self.is_made_up {
            text += &format!("\n{}\n", words::MADE_UP);
        }
        text
    }

    fn html(&self) -> Option<String> {
        Some(html::page(&self.report, self.is_made_up, None))
    }
}

/// An incident was played.
#[derive(Debug)]
pub struct Incident {
    /// Which.
    pub incident: incident::Incident,
    /// What came of it.
    pub played: Played,
}

impl Serialize for Incident {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Whole<'i> {
            incident: u32,
            title: &'i str,
            story: &'i str,
            is_over: bool,
            unmet: &'i [String],
            report: Shown<'i>,
        }
        let whole = Whole {
            incident: self.incident.number,
            title: &self.incident.title,
            story: &self.incident.story,
            is_over: self.played.unmet.is_empty(),
            unmet: &self.played.unmet,
            report: Shown::of(&self.played.report, true),
        };
        whole.serialize(serializer)
    }
}

impl View for Incident {
    fn text(&self) -> String {
        let incident = &self.incident;
        let mut text = format!(
            "incident {}: {}\n{}\n\n",
            incident.number, incident.title, incident.story
        );
        text += &text::of(&self.played.report);
        text += &format!("\n{}\n", words::incident(&self.played));
        for unmet in &self.played.unmet {
            text += &format!("  {unmet}\n");
        }
        text
    }

    fn html(&self) -> Option<String> {
        Some(html::page(&self.played.report, true, Some(self)))
    }
}
