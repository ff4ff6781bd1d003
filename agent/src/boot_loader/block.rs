//! What the agent adds to GRUB's menu for a trial, beside what people have in `custom.cfg`.

use super::menu::Entry;

const BEGIN: &str = "### BEGIN cofferdam: the trial of a kernel; the agent takes it out again ###";
const END: &str = "### END cofferdam ###";

/// The id of the entry that is booted once.
pub(super) const TRIAL: &str = "cofferdam-trial";

/// The id of the entry that GRUB takes where it cannot load the trial's: it looks for one by name at the top of
/// the menu only.
const FALLBACK: &str = "cofferdam-fallback";

/// A file with a trial in it, in place of an earlier one.
pub(super) fn with_trial(text: &str, new: &Entry, old: &Entry, more: &str) -> String {
    let (to_try, to_fall_back) = (new.with(more), old.with(""));
    let mut written = without_trial(text);
    if !written.is_empty() && !written.ends_with('\n') {
        written.push('\n');
    }
    written
        + &format!(
            "{BEGIN}\nmenuentry 'Trial of Linux {}' --id {TRIAL} {{\n{to_try}}}\n\
             menuentry 'Linux {}' --id {FALLBACK} {{\n{to_fall_back}}}\n\
             if [ \"${{boot_once}}\" = true ]; then\n  set fallback={FALLBACK}\nfi\n{END}\n",
            new.release, old.release
        )
}

/// The file as people have it.
pub(super) fn without_trial(text: &str) -> String {
    let Some((before, rest)) = text.split_once(BEGIN) else {
        return text.to_owned();
    };
    // The last one: what is between may have any text, the menu's entries too.
    let after = rest.rsplit_once(END).map_or("", |(_, after)| after);
    format!("{before}{}", after.strip_prefix('\n').unwrap_or(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(release: &str) -> Entry {
        Entry {
            path: format!("menu>{release}"),
            release: release.to_owned(),
            body: vec![format!("\tlinux\t/boot/vmlinuz-{release} ro ")],
        }
    }

    #[test]
    fn a_trial_is_put_beside_what_people_have_and_taken_out_without_a_trace() {
        for people in ["", "menuentry 'Mine' {\n}\n"] {
            let once = with_trial(people, &entry("2"), &entry("1"), "panic=30");
            assert!(once.starts_with(people));
            assert!(
                once.contains("linux\t/boot/vmlinuz-2 ro panic=30\n"),
                "{once}"
            );
            assert!(once.contains("linux\t/boot/vmlinuz-1 ro \n"), "{once}");
            let twice = with_trial(&once, &entry("2"), &entry("1"), "panic=30");
            assert_eq!(twice, once);
            assert_eq!(without_trial(&once), people);
        }
    }

    #[test]
    fn an_entry_that_looks_like_the_end_of_a_trial_is_taken_out_with_it() {
        let odd = entry(&format!("1 {END}"));
        let once = with_trial("", &odd, &odd, "");
        assert_eq!(without_trial(&once), "");
    }
}
