//! The one place where errors are shown.

use crate::{
    exit::{self, Exit},
    render::Format,
};
use serde::Serialize;
use std::{
    error::Error,
    io::{self, Write as _},
};

#[derive(Serialize)]
struct Shown {
    error: String,
    causes: Vec<String>,
}

/// Shows an error and its whole chain on the standard error output, and says how to exit.
///
/// A reader that went away, as in `cofferdam list | head -1`, is no error.
pub fn report(error: &anyhow::Error, format: Format) -> Exit {
    if is_closed_pipe(error) {
        return Exit::Done;
    }
    let text = match format {
        Format::Text | Format::Html => text(error),
        Format::Json => json(error),
    };
    // When even this cannot be written, the exit code is all that is left to say.
    let _unwritten = io::stderr().lock().write_all(text.as_bytes());
    exit::of_error(error)
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// `error: WHAT`, then a line for each cause that adds something.
fn text(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}\n");
    for cause in causes(error) {
        text += &format!("  because {cause}\n");
    }
    text
}

fn json(error: &anyhow::Error) -> String {
    let shown = Shown {
        error: error.to_string(),
        causes: causes(error),
    };
    serde_json::to_string(&shown).unwrap_or_else(|_| text(error)) + "\n"
}

/// Why it failed, in one line, without the error itself where that only says what was wanted.
pub fn why(error: &anyhow::Error) -> String {
    let causes = causes(error);
    if causes.is_empty() {
        return error.to_string();
    }
    causes.join(": ")
}

/// The causes, without what only repeats the one above, as many wrappers do.
fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut last = error.to_string();
    let mut causes = Vec::new();
    let causes_of_it = error.chain().skip(1).filter(|cause| !is_wrapper(*cause));
    for cause in causes_of_it.map(ToString::to_string) {
        if !last.contains(&cause) {
            let repeated = cause.strip_prefix(&last);
            let new = repeated.and_then(|rest| rest.strip_prefix(": "));
            causes.push(new.unwrap_or(&cause).to_owned());
        }
        last = cause;
    }
    causes
}

/// tonic's own error says "transport error", and nothing else, above the cause that tells.
fn is_wrapper(cause: &(dyn Error + 'static)) -> bool {
    cause.is::<tonic::transport::Error>() && cause.source().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context as _, anyhow};

    fn refused() -> anyhow::Error {
        Err::<(), _>(anyhow!("certificate expired"))
            .context("transport error")
            .context("transport error")
            .context("cannot list the rollouts")
            .unwrap_err()
    }

    #[test]
    fn the_whole_chain_is_shown_and_repetitions_are_not() {
        assert_eq!(
            text(&refused()),
            "error: cannot list the rollouts\n  because transport error\n  because certificate expired\n"
        );
    }

    #[test]
    fn a_cause_that_begins_with_the_error_says_only_what_it_adds() {
        let error = Err::<(), _>(anyhow!("cannot pause rollout x: it is done"))
            .context("cannot pause rollout x")
            .unwrap_err();
        assert_eq!(
            text(&error),
            "error: cannot pause rollout x\n  because it is done\n"
        );
    }

    #[test]
    fn json_has_the_same_in_two_fields() {
        assert_eq!(
            json(&refused()),
            "{\"error\":\"cannot list the rollouts\",\
             \"causes\":[\"transport error\",\"certificate expired\"]}\n"
        );
    }
}
