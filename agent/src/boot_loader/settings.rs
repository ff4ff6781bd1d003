//! Reads what `grub-mkconfig` will do the next time, and what GRUB has saved.

/// The value that a variable has after a file of `/etc/default/grub` was read: shell, of which plain assignments
/// are understood. The last one counts; `before` is what earlier files made of it. Absent: nobody set it.
///
/// # Errors
/// The line that would have to be run to be understood.
pub(super) fn assigned(
    name: &str,
    before: Option<String>,
    text: &str,
) -> Result<Option<String>, String> {
    let mut value = before;
    for line in text.lines() {
        let said = line.trim();
        let said = said.strip_prefix("export ").unwrap_or(said).trim_start();
        let Some(after) = said
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('='))
        else {
            // Set in a condition or a command: what it comes to is not known.
            if said.contains(&format!("{name}=")) && !said.starts_with('#') {
                return Err(said.to_owned());
            }
            continue;
        };
        value = Some(literal(after).ok_or_else(|| said.to_owned())?);
    }
    Ok(value)
}

/// A word of a shell that stands for itself.
fn literal(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let (word, rest) = match quote {
        Some(quote) => text.get(1..)?.split_once(quote)?,
        None => text.split_at(text.find(char::is_whitespace).unwrap_or(text.len())),
    };
    let rest = rest.trim();
    let is_whole = rest.is_empty() || rest.starts_with('#');
    let is_plain = !word.contains(['$', '`', '\\', '"', '\'', ';', '&', '|']);
    (is_whole && is_plain).then(|| word.to_owned())
}

/// A value of what `grub-editenv list` prints. Absent: it is not set, or to nothing.
pub(super) fn saved(name: &str, listed: &str) -> Option<String> {
    let mut lines = listed.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.to_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_plain_assignment_counts_and_what_would_have_to_be_run_is_refused() {
        // In the form of Debian's and Ubuntu's files, and of cloud images.
        for (text, expected) in [
            ("", Ok(None)),
            ("GRUB_DEFAULT=0\n", Ok(Some("0"))),
            (
                "GRUB_DEFAULT=0\nGRUB_DEFAULT=\"saved\"  # ours\n",
                Ok(Some("saved")),
            ),
            (
                "export GRUB_DEFAULT='saved'\nGRUB_TIMEOUT=0\n",
                Ok(Some("saved")),
            ),
            ("#GRUB_DEFAULT=0\n", Ok(None)),
            ("GRUB_DEFAULT_BUTTON=1\n", Ok(None)),
            ("GRUB_DEFAULT=$(cat /x)\n", Err(())),
            ("[ -e /x ] && GRUB_DEFAULT=0\n", Err(())),
            ("GRUB_DEFAULT=\"saved\n", Err(())),
        ] {
            let found = assigned("GRUB_DEFAULT", None, text);
            let expected = expected.map(|value| value.map(ToOwned::to_owned));
            assert_eq!(found.map_err(drop), expected, "{text}");
        }
        let earlier = Some("saved".to_owned());
        assert_eq!(assigned("GRUB_DEFAULT", earlier.clone(), ""), Ok(earlier));
    }

    #[test]
    fn what_grub_saved_is_read_by_its_whole_name() {
        // As grub-editenv 2.06 prints it.
        let listed = "prev_saved_entry=1\nsaved_entry=a>b=c\nnext_entry=\n";
        assert_eq!(saved("saved_entry", listed).as_deref(), Some("a>b=c"));
        assert_eq!(saved("next_entry", listed), None);
        assert_eq!(saved("entry", listed), None);
    }
}
