//! Whatever tools print, their readers answer. Texts are drawn at random, and from pieces of answers,
//! which come deeper.

use super::{
    afterwards, complaint, conffile, database::Database, dnf, simulation::Simulation, stanza,
    upgrade::source::Sources, verify,
};
use crate::fuzz::printed;
use proptest::prelude::*;

/// Pieces of the samples beside the readers, which are in the form of apt 2.6.1, dpkg 1.21.22
/// and rpm 4.18.0.
const PIECES: [&str; 49] = [
    "Inst ",
    "Remv ",
    "Purg ",
    "Conf ",
    "tool ",
    "[1.0] ",
    "(1:2.0~rc1-1 ",
    "Debian-Security:12/stable-security ",
    "[amd64]",
    ")",
    "\n",
    "\n\n",
    "ii ",
    "iHR",
    "|",
    "amd64",
    "Package: tool\n",
    "Version: 1\n",
    "Architecture: all\n",
    "SHA256: ",
    "bc7c4b39e32ef76555d0d02c6869b73d191a08c332787768933823bf2e259867",
    "Size: 18446744073709551616\n",
    "package|tool|i386\n",
    " /etc/a b.conf ",
    "cc3493ecd2d09837ffdcc3e25fdfff18",
    " obsolete",
    "??5??????   /usr/bin/tool",
    "missing     /x",
    "\0",
    "tool|noarch|1|2-1",
    "tool|i686|0|",
    "|4097|3\n",
    "gpg-pubkey|(none)|0|",
    "package|tool|noarch\n",
    "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865|cn|/etc/tool.conf\n",
    "S.5....T.    /usr/share/tool",
    "needs|libc.so.6()(64bit)\n",
    "source|openssl-3.0.7-24.el9",
    ".src.rpm\n",
    "warning: %post(tool-2-1.noarch) scriptlet failed",
    "error: ",
    " Problem: ",
    "\t",
    "4294967296",
    "E: ",
    "dpkg: error",
    " post-installation script",
    ":",
    "é",
];

proptest! {
    #[test]
    fn no_reader_panics_whatever_a_tool_prints(text in printed(&PIECES), other in printed(&PIECES)) {
        let database = Database::parse(&text, "amd64");
        prop_assert!(database.0.keys().all(|name| !name.is_empty()));
        Sources::parse(&text, "amd64");
        Simulation::parse(&text);
        complaint::classify(&text);
        stanza::Label::parse(&text);
        stanza::locked(&text, "tool", "1");
        conffile::Conffiles::parse(&text, "amd64");
        conffile::sums(&text);
        let paths = conffile::listed(&text).into_iter().chain(verify::parse(&text));
        prop_assert!(paths.into_iter().all(|path| path.is_absolute()));
        afterwards::status(&text, &[other]);
    }

    #[test]
    fn no_reader_of_what_rpm_and_dnf_print_panics(text in printed(&PIECES)) {
        let database = dnf::database::parse(&text, "x86_64");
        prop_assert!(database.0.iter().all(|(name, entry)| !name.is_empty() && !entry.version.is_empty()));
        if let Some(label) = dnf::label::parse(&text) {
            prop_assert!(!dnf::label::name(&label, "x86_64").is_empty());
        }
        dnf::label::relations(&text);
        dnf::repositories::names(&text, "x86_64");
        dnf::repositories::sources(&text, "x86_64");
        dnf::complaint::classify(&text);
        dnf::complaint::failed_script(&text);
        prop_assert!(dnf::holder::pid(&text).is_none_or(|pid| pid > 0));
        let brought = dnf::conffile::parse(&text, "x86_64").0.into_values();
        let paths = brought.flat_map(|files| files.into_keys()).chain(dnf::verify::parse(&text));
        prop_assert!(paths.into_iter().all(|path| path.is_absolute()));
    }
}
