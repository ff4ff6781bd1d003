//! What others chose, such as the names of processes, made fit for a terminal and for one line.

/// One line of at most so many characters, without what a terminal could take for a command.
pub fn line(text: &str, most: usize) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(most).collect()
}
