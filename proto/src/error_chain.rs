//! Prints an error with its causes.

use std::error::Error;

/// An error and its causes in one line, outermost first, as in `a: b: c`.
///
/// TLS 1.3 tells a client that its certificate was refused only with the first call, several causes
/// deep: without the chain the operator would read `transport error`. A cause that the error before
/// it already printed is left out.
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("the coordinator cannot be reached")]
    struct Outer(#[source] io::Error);

    #[derive(Debug, thiserror::Error)]
    #[error("the coordinator cannot be reached: {0}")]
    struct Repeats(#[source] io::Error);

    #[test]
    fn every_cause_is_printed_once() {
        let refused = || io::Error::other("connection refused");
        let expected = "the coordinator cannot be reached: connection refused";
        assert_eq!(error_chain(&Outer(refused())), expected);
        assert_eq!(error_chain(&Repeats(refused())), expected);
    }
}
