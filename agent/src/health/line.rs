//! What HAProxy's `agent-check` is told: one line of ASCII, and the connection is closed.
//!
//! Each form was tried on Debian's HAProxy 2.6.12. It takes back only what the same words take back, so
//! a host that serves always says both `up`, which undoes `stopped` and `down`, and `ready`, which undoes
//! `drain`. Of weights it understands the plain percentage and passes over `weight:`, without a word; of
//! reasons it understands those with a space before the `#`, and passes over the whole line otherwise,
//! with the server left up. Its server lines need `weight 100`, or every step below 100 % rounds to
//! nothing.

use super::seen::Standing;

/// The most characters of a reason (guess: one cell of HAProxy's page).
const MAX_REASON: usize = 120;

/// The line for a standing, with its end.
pub fn of(standing: &Standing) -> String {
    match standing {
        Standing::Serves(percent) => format!("up ready {percent}%\n"),
        Standing::Drains(_) => "drain\n".to_owned(),
        Standing::Stopped(reason) => with("stopped", reason),
        Standing::Ails(reason) => with("down", reason),
    }
}

fn with(word: &str, reason: &str) -> String {
    let plain = |c: char| match c {
        '#' => ' ',
        ' '..='~' => c,
        _ => '?',
    };
    let reason: String = reason.chars().map(plain).take(MAX_REASON).collect();
    format!("{word} #{}\n", reason.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_standing_has_its_line() {
        for (standing, line) in [
            (Standing::Serves(100), "up ready 100%\n"),
            (Standing::Serves(10), "up ready 10%\n"),
            (Standing::Drains("r1".to_owned()), "drain\n"),
            (
                Standing::Stopped("patching r1".to_owned()),
                "stopped #patching r1\n",
            ),
            (
                Standing::Ails("app: fail: refused".to_owned()),
                "down #app: fail: refused\n",
            ),
        ] {
            assert_eq!(of(&standing), line);
        }
    }

    #[test]
    fn a_reason_cannot_say_anything_else_to_haproxy() {
        let reason = format!("a\r\nup ready 100%\u{e9}\0 # up{}", "x".repeat(999));
        let line = of(&Standing::Stopped(reason));
        assert!(line.starts_with("stopped #a??up ready 100%?? "), "{line}");
        assert_eq!((line.matches('#').count(), line.lines().count()), (1, 1));
        assert!(line.is_ascii() && line.len() < 140, "{line}");
    }
}
