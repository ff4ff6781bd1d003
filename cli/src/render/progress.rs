//! A rollout's progress in one line: drawn over and over on a terminal, line after line elsewhere.

use crate::{
    clock,
    render::{Format, Output, rollout::Standing},
};
use anyhow::Result;
use cofferdam_proto::operator::{RolloutState, RolloutView, WaveState, WaveView};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// How a rollout's progress is shown.
pub enum Progress {
    /// One line that is drawn anew.
    Live(ProgressBar),
    /// A line whenever it says something new.
    Lines {
        /// Where to.
        out: Output,
        /// The line before.
        last: String,
    },
    /// A JSON document whenever the coordinator says something new.
    Json(Output),
    /// Not at all: what comes of it in the end is one document.
    Nothing,
}

/// Fast enough to look alive, slow enough to cost nothing (guess).
const TICK: Duration = Duration::from_millis(120);

/// In the words of `indicatif`.
const TEMPLATE: &str = "{spinner} {bar:16} {pos}/{len} {wide_msg}";

impl Progress {
    /// Begins to show a rollout's progress as fits the output.
    pub fn begin(out: Output) -> Self {
        if out.format() == Format::Json {
            return Self::Json(out);
        }
        if !out.is_live() {
            let last = String::new();
            return Self::Lines { out, last };
        }
        let style = ProgressStyle::with_template(TEMPLATE).expect("the template is a constant");
        let style = style.progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
        let bar = bar.with_style(style);
        bar.enable_steady_tick(TICK);
        Self::Live(bar)
    }

    /// The same for people; programs are told what comes of it in the end.
    pub fn for_people(out: Output) -> Self {
        match out.format() {
            Format::Text => Self::begin(out),
            Format::Json | Format::Html => Self::Nothing,
        }
    }

    /// Shows how the rollout stands now.
    ///
    /// # Errors
    /// When the output is closed or full.
    pub fn show(&mut self, rollout: &RolloutView) -> Result<()> {
        match self {
            Self::Live(bar) => {
                bar.set_length(rollout.hosts);
                bar.set_position(passed(rollout));
                bar.set_message(message(rollout));
                Ok(())
            }
            Self::Lines { out, last } => {
                let line = line(rollout);
                if *last != line {
                    out.say(&line)?;
                    *last = line;
                }
                Ok(())
            }
            Self::Json(out) => out.show_next(&Standing::new(rollout, clock::now())),
            Self::Nothing => Ok(()),
        }
    }

    /// Says something beside the progress, as that the connection was lost.
    ///
    /// # Errors
    /// When the output is closed or full.
    pub fn say(&self, text: &str) -> Result<()> {
        match self {
            Self::Live(bar) => {
                bar.println(text);
                Ok(())
            }
            Self::Lines { out, .. } => out.say(text),
            Self::Json(_) | Self::Nothing => Ok(()),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Self::Live(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// The progress as one line, without moments, so that it changes only when the rollout does.
pub fn line(rollout: &RolloutView) -> String {
    let name = &rollout.name;
    let (passed, hosts) = (passed(rollout), rollout.hosts);
    match current(&rollout.waves) {
        Some(wave) => format!(
            "{name} {}, {passed} of {hosts} hosts passed; {}",
            rollout.state,
            of_wave(wave)
        ),
        None => format!("{name} {}, {passed} of {hosts} hosts passed", rollout.state),
    }
}

/// The same beside a bar that shows the hosts: short, to fit into 80 columns.
fn message(rollout: &RolloutView) -> String {
    match current(&rollout.waves) {
        Some(wave) if rollout.state == RolloutState::Running => of_wave(wave),
        Some(wave) => format!("{}: {}", rollout.state, of_wave(wave)),
        None => rollout.state.to_string(),
    }
}

fn passed(rollout: &RolloutView) -> u64 {
    rollout.waves.iter().map(|wave| wave.passed).sum()
}

/// The first wave that has not passed.
fn current(waves: &[WaveView]) -> Option<&WaveView> {
    waves.iter().find(|wave| wave.state != WaveState::Passed)
}

fn of_wave(wave: &WaveView) -> String {
    let counts = [
        (wave.running, "running"),
        (wave.failed, "failed"),
        (wave.timed_out, "timed out"),
        (wave.unreachable, "unreachable"),
        (wave.left_out, "left out"),
        (wave.skipped, "skipped"),
        (wave.rolled_back, "rolled back"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: String = counts
        .map(|(count, what)| format!(", {count} {what}"))
        .collect();
    let WaveView {
        name,
        state,
        hosts,
        passed,
        ..
    } = wave;
    format!("{name} {state}: {passed} of {hosts} passed{counts}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::id::RolloutId;

    fn wave(name: &str, state: WaveState, hosts: u64, passed: u64) -> WaveView {
        WaveView {
            name: name.to_owned(),
            state,
            hosts,
            running: 0,
            passed,
            failed: 0,
            timed_out: 0,
            unreachable: 0,
            left_out: 0,
            skipped: 0,
            rolled_back: 0,
            bake_until_ms: None,
        }
    }

    fn rollout(state: RolloutState, waves: Vec<WaveView>) -> RolloutView {
        RolloutView {
            name: RolloutId::new("demo-2").unwrap(),
            state,
            reason: String::new(),
            waves,
            failures: Vec::new(),
            holds: Vec::new(),
            hosts: 24,
            slow_hosts: Vec::new(),
            warnings: Vec::new(),
            started_at_ms: None,
            ended_at_ms: None,
            amends: None,
            amended_by: Vec::new(),
            approvals: Vec::new(),
            promotions: Vec::new(),
            alarms: Vec::new(),
            signed_by: None,
            effective: None,
            changed_hosts: 0,
        }
    }

    #[test]
    fn the_line_tells_of_the_whole_and_of_the_wave_that_works() {
        let half = WaveView {
            running: 2,
            ..wave("half", WaveState::Running, 8, 3)
        };
        let waves = vec![wave("canary", WaveState::Passed, 4, 4), half];
        assert_eq!(
            line(&rollout(RolloutState::Running, waves.clone())),
            "demo-2 running, 7 of 24 hosts passed; half running: 3 of 8 passed, 2 running"
        );
        assert_eq!(
            message(&rollout(RolloutState::Paused, waves)),
            "paused: half running: 3 of 8 passed, 2 running"
        );
    }

    #[test]
    fn a_finished_rollout_is_in_no_wave() {
        let waves = vec![wave("full", WaveState::Passed, 24, 24)];
        assert_eq!(
            line(&rollout(RolloutState::Done, waves)),
            "demo-2 done, 24 of 24 hosts passed"
        );
    }
}
