//! Every answer is a view: one type that shows itself as text for people, or as JSON.

pub mod amend;
pub mod artefact;
pub mod bundle;
mod change;
pub mod cord;
pub mod denials;
pub mod doctor;
pub mod drift;
pub mod error;
pub mod explain;
mod first;
pub mod fleet;
pub mod freeze;
pub mod guards;
pub mod hosts;
pub mod lint;
pub mod list;
pub mod plan;
pub mod practice;
pub mod progress;
pub mod query;
pub mod ranked;
pub mod rehearsal;
pub mod reserve;
pub mod rollback;
pub mod rollout;
pub mod services;
pub mod sign;
pub mod table;

use crate::exit::UsageError;
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::io::{self, IsTerminal as _, Write as _};

/// How answers are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people. May change from release to release.
    #[default]
    Text,
    /// For programs. One JSON document an answer, with stable field names.
    Json,
    /// For a change request: one page with pictures, of a rehearsal alone.
    Html,
}

/// Something that a command answers. Its JSON is its [`Serialize`], whose names are stable.
pub trait View: Serialize {
    /// The same for people, with line ends, ending in one.
    fn text(&self) -> String;

    /// The same as a page. Nothing: it has none.
    fn html(&self) -> Option<String> {
        None
    }
}

/// Shows views on the standard output.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    format: Format,
    to: To,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Stdout,
    Nowhere,
}

impl Output {
    /// Shows in a format.
    pub fn new(format: Format) -> Self {
        let to = To::Stdout;
        Self { format, to }
    }

    /// The same for what only people read, before the one answer that programs wait for.
    #[must_use]
    pub fn for_people(self) -> Self {
        let to = match self.format {
            Format::Text => self.to,
            Format::Json | Format::Html => To::Nowhere,
        };
        Self { to, ..self }
    }

    /// Shows a view: text, or indented JSON.
    ///
    /// # Errors
    /// When the output is closed or full.
    pub fn show(self, view: &impl View) -> Result<()> {
        match self.format {
            Format::Text => self.write(&view.text()),
            Format::Json => self.write(&(json(serde_json::to_string_pretty(view))? + "\n")),
            Format::Html => self.write(&page(view)?),
        }
    }

    /// Shows one of a series of views: text, or one line of JSON.
    ///
    /// # Errors
    /// When the output is closed or full.
    pub fn show_next(self, view: &impl View) -> Result<()> {
        match self.format {
            Format::Text => self.write(&view.text()),
            Format::Json => self.write(&(json(serde_json::to_string(view))? + "\n")),
            Format::Html => self.write(&page(view)?),
        }
    }

    /// Tells people something beside the answer. Says nothing to programs.
    ///
    /// # Errors
    /// When the output is closed or full.
    pub fn say(self, line: &str) -> Result<()> {
        match self.format {
            Format::Text => self.write(&format!("{line}\n")),
            Format::Json | Format::Html => Ok(()),
        }
    }

    /// The format.
    pub fn format(self) -> Format {
        self.format
    }

    /// Whether a line may be drawn over and over, because a person looks at a terminal.
    pub fn is_live(self) -> bool {
        self.format == Format::Text && io::stdout().is_terminal()
    }

    fn write(self, text: &str) -> Result<()> {
        if self.to == To::Nowhere {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .context("cannot write to the standard output")
    }
}

/// The page of a view.
fn page(view: &impl View) -> Result<String> {
    view.html().ok_or_else(|| {
        UsageError("only a rehearsal can be shown as a page: use -o text or -o json".to_owned())
            .into()
    })
}

fn json(text: serde_json::Result<String>) -> Result<String> {
    text.context("cannot write the answer as JSON")
}
