//! Whatever stands in GRUB's files, their readers answer.

use super::{block, menu::Menu, settings};
use crate::fuzz::printed;
use proptest::prelude::*;

/// Pieces of the samples beside the readers.
const PIECES: [&str; 20] = [
    "menuentry 'a' --id 'b' {\n",
    "submenu \"x\" $menuentry_id_option 'y' {\n",
    "}\n",
    "\tlinux\t/boot/vmlinuz-6.1.0-1-amd64 ro\n",
    "linux /vmlinuz-",
    "set default=\"${saved_entry}\"\n",
    "if [ x ]; then\n",
    "fi\n",
    "function f {\n",
    "'",
    "\"",
    "--id",
    "--id=",
    ">",
    "GRUB_DEFAULT=",
    "saved",
    "saved_entry=",
    "\n",
    "### BEGIN cofferdam: the trial of a kernel; the agent takes it out again ###",
    "### END cofferdam ###",
];

proptest! {
    #[test]
    fn readers_of_grubs_files_answer_whatever_stands_there(text in printed(&PIECES), name in "[a-z_]{0,8}") {
        let menu = Menu::parse(&text);
        for entry in &menu.entries {
            let found = menu.of_release(&entry.release);
            prop_assert!(found.is_none_or(|found| found.release == entry.release));
            let written = block::with_trial(&text, entry, entry, "panic=30");
            let again = block::with_trial(&written, entry, entry, "panic=30");
            prop_assert!(again.len() <= written.len() + 1);
        }
        menu.boots(Some(&name));
        settings::assigned("GRUB_DEFAULT", None, &text).ok();
        settings::saved(&name, &text);
    }
}
