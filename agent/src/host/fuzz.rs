//! Whatever stands in the kernel's tables and in answers of programs, their readers answer.

use super::{
    cgroup, connections,
    dialled::{self, Protocol},
    os_release,
    process_table::Entry,
    sockets, unit_state,
};
use crate::{
    checks::http::{self, Answer},
    drift::logs,
    effect::mapped,
    fuzz::printed,
    guard::hook,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Pieces of the samples beside the readers.
const PIECES: [&str; 44] = [
    "   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 3221\n",
    "1: ",
    "0100007F:C0FE ",
    "B80D0120000000000000000001000000:D3A2 ",
    ":FFFFF ",
    "FFFFFFFFFFFFFFFFF:00000000 ",
    "01 ",
    "06 ",
    "18446744073709551616 ",
    "-1",
    "\n",
    "\n\n",
    " ",
    "0::/system.slice/tool.service/x.scope\n",
    "1:name=systemd:/",
    "42 (a) b) S 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 99999999999 ",
    " (",
    ") ",
    "7f3a9c000000-7f3a9c022000 r-xp 00000000 08:01 1234   /usr/lib/libc.so.6 (deleted)\n",
    "r-xp",
    "/usr/",
    ".dpkg-tmp",
    "ID=\"debian\"\n",
    "VERSION_ID=12\n",
    "ID_LIKE='",
    "LoadState=",
    "HTTP/1.1 200 OK\r\n",
    "\r\n\r\n",
    "transfer-encoding: chunked",
    "ffffffffffffffff\r\n",
    "Content-Type: application/health+json\r\n",
    "VERSION 2\n",
    "VERSION 3\n",
    "Dpkg::Options::=--root%3d",
    "%zz%",
    "--root=",
    "--admindir",
    "tea - < 2 /var/cache/tea.deb\n",
    "Start-Date: 2026-11-28  01:00:00\n",
    "Install: tea:amd64 (1), ",
    "2026-11-28 01:12:13 upgrade tea:all 1 2\n",
    "\0",
    "\u{1b}[2J",
    "é",
];

proptest! {
    #[test]
    fn no_reader_of_the_kernels_tables_panics(text in printed(&PIECES)) {
        let lines = text.lines().count();
        prop_assert!(sockets::read(&text).count() <= lines);
        let ports = BTreeSet::from([0, 8000, u16::MAX]);
        prop_assert!(connections::count(&text, &ports).into_values().sum::<usize>() <= lines);
        connections::listening_in(&text);
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            prop_assert!(dialled::read(&text, protocol).keys().all(|to| to.to.port() != 0));
        }
        cgroup::unit(&text, "");
        cgroup::innermost_unit(&text);
        if let Some(entry) = Entry::parse(&text) {
            entry.runs_for();
        }
        prop_assert!(mapped::replaced(&text).iter().all(|path| path.starts_with('/')));
    }

    #[test]
    fn no_reader_of_what_programs_say_panics(text in printed(&PIECES), count in 0..5_usize) {
        prop_assert_eq!(unit_state::parse(&text, count).len(), count);
        os_release::parse(&text);
        os_release::ids(&text);
        prop_assert!(http::status(text.as_bytes()).is_none_or(|status| status < 1000));
        if let Some(answer) = Answer::of(text.as_bytes()) {
            prop_assert!(answer.body().len() <= text.len());
            answer.is_whole();
            answer.is_json();
        }
        let asked = hook::apt::parse(&text);
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let called = hook::dpkg::parse(&words);
        let mut names = asked.packages.iter().chain(&called.packages);
        let is_plain = names.all(|name| !name.chars().any(char::is_control));
        prop_assert!(is_plain, "a terminal could be told things");
        let became = logs::Became::from([("tea:all", Some("2"))]);
        prop_assert!(logs::causes_in(&text, &text, &became).len() <= 1);
    }
}
