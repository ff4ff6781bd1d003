//! Reads the menu that `grub-mkconfig` wrote.

/// How the line begins that makes the saved entry the default.
const SAVED_DEFAULT: &str = "set default=\"${saved_entry}\"";

/// What takes an entry for one boot.
const ONE_SHOT: &str = "set default=\"${next_entry}\"";

/// What brings in what is not `grub-mkconfig`'s own.
const CUSTOM: &str = "custom.cfg";

/// The commands that load a kernel.
const LOADERS: [&str; 3] = ["linux", "linux16", "linuxefi"];

/// How a kernel's file is named.
const IMAGE: &str = "vmlinuz-";

/// A menu of GRUB.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Menu {
    /// Whether the saved entry is the default.
    pub(super) saved_is_default: bool,
    /// Whether an entry can be booted once.
    pub(super) has_one_shot: bool,
    /// Whether it reads `custom.cfg`.
    pub(super) reads_custom: bool,
    /// Its entries that boot a kernel, in their order.
    pub(super) entries: Vec<Entry>,
}

/// An entry that boots a kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The ids of it and of the menus that it is in, as GRUB takes them: joined by `>`.
    pub(super) path: String,
    /// The release of its kernel, as `uname -r` prints it.
    pub(super) release: String,
    /// The lines between its braces.
    pub(super) body: Vec<String>,
}

impl Menu {
    /// Reads a menu. What is none has no entries.
    pub(super) fn parse(text: &str) -> Self {
        let mut menu = Self::default();
        let mut open: Vec<Block> = Vec::new();
        for line in text.lines() {
            let said = line.trim();
            menu.saved_is_default |= said == SAVED_DEFAULT;
            menu.has_one_shot |= said == ONE_SHOT;
            menu.reads_custom |= said.starts_with("source ") && said.ends_with(CUSTOM);
            if said == "}" {
                menu.close(&mut open);
            } else if said.ends_with('{') {
                open.push(Block::begin(line));
            } else if let Some(block) = open.last_mut() {
                block.body.push(line.to_owned());
            }
        }
        menu
    }

    /// Ends the innermost block. One that is no menu and no entry is part of what it is in.
    fn close(&mut self, open: &mut Vec<Block>) {
        let Some(block) = open.pop() else { return };
        match (block.id.is_some(), open.last_mut()) {
            (false, Some(around)) => {
                around.body.push(block.begin);
                around.body.extend(block.body);
                around.body.push("}".to_owned());
            }
            (_, _) => self.entries.extend(block.entry(open)),
        }
    }

    /// The entry of a kernel that stays its own when others come: not the one that always has the newest, and not
    /// the one for repairs, which comes after it. Absent: the menu has none.
    pub(super) fn of_release(&self, release: &str) -> Option<&Entry> {
        let mut own = self.entries.iter();
        own.find(|entry| entry.release == release && entry.own_id().contains(release))
    }

    /// The release that a saved entry boots: one without a name is the first. Absent: none in this menu, or it
    /// says a place and not a name.
    pub(super) fn boots(&self, saved: Option<&str>) -> Option<&str> {
        let found = match saved {
            None | Some("" | "0") => self.entries.first(),
            Some(path) => self.entries.iter().find(|entry| entry.path == path),
        };
        found.map(|entry| entry.release.as_str())
    }
}

impl Entry {
    fn own_id(&self) -> &str {
        self.path.rsplit('>').next().unwrap_or_default()
    }

    /// Its lines, with words added to the kernel's.
    pub(super) fn with(&self, more: &str) -> String {
        let add = |line: &String| match loaded(line) {
            Some(_) => format!("{} {more}\n", line.trim_end()),
            None => format!("{line}\n"),
        };
        self.body.iter().map(add).collect()
    }
}

/// What stands between braces.
#[derive(Debug)]
struct Block {
    /// Its id. Absent: it is no menu and no entry.
    id: Option<String>,
    /// The line that it begins with.
    begin: String,
    body: Vec<String>,
}

impl Block {
    fn begin(line: &str) -> Self {
        let words = ["menuentry ", "submenu "];
        let is_menu = words.iter().any(|word| line.trim_start().starts_with(word));
        Self {
            id: is_menu.then(|| id_of(line.trim_start())).flatten(),
            begin: line.to_owned(),
            body: Vec::new(),
        }
    }

    fn entry(self, around: &[Self]) -> Option<Entry> {
        let release = self.body.iter().find_map(|line| loaded(line))?.to_owned();
        let outer = around.iter().filter_map(|block| block.id.as_deref());
        let ids: Vec<&str> = outer.chain([self.id.as_deref()?]).collect();
        Some(Entry {
            path: ids.join(">"),
            release,
            body: self.body,
        })
    }
}

/// The id of an entry: what follows its option, else its title.
fn id_of(line: &str) -> Option<String> {
    let options = ["$menuentry_id_option ", "--id ", "--id="];
    let after = options
        .iter()
        .find_map(|option| Some(line.split_once(option)?.1));
    let titled = || line.split_once(' ').map(|(_, rest)| rest);
    quoted(after.or_else(titled)?.trim_start())
}

/// The word that a text begins with, out of its quotes. Absent: it has none, or one that a shell would change.
fn quoted(text: &str) -> Option<String> {
    let quote = text.chars().next()?;
    let word = match quote {
        '\'' | '"' => text.get(1..)?.split_once(quote)?.0,
        _ => text.split_whitespace().next()?,
    };
    (!word.is_empty() && !word.contains(['$', '\\', '>'])).then(|| word.to_owned())
}

/// The release of the kernel that a line loads. Absent: it loads none.
fn loaded(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let command = words.next()?;
    let file = words.next().filter(|_| LOADERS.contains(&command))?;
    let name = file.rsplit('/').next()?;
    name.strip_prefix(IMAGE)
        .filter(|release| !release.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by `grub-mkconfig` 2.06 of Debian 12 in a virtual machine, with `GRUB_DEFAULT=saved` and a serial
    /// console.
    const DEBIAN: &str = include_str!("samples/debian-12.cfg");

    const OLD: &str = "6.1.0-55-cloud-amd64";
    const ADVANCED: &str = "gnulinux-advanced-6d1f0b52-3a5c-4f0e-9d2b-0c0ffee0c0de>\
                            gnulinux-6.1.0-55-cloud-amd64-advanced-6d1f0b52-3a5c-4f0e-9d2b-0c0ffee0c0de";

    #[test]
    fn each_kernel_has_an_entry_that_stays_its_own() {
        let menu = Menu::parse(DEBIAN);
        assert!(menu.saved_is_default && menu.has_one_shot && menu.reads_custom);
        assert_eq!(menu.entries.len(), 3);
        assert_eq!(menu.of_release(OLD).unwrap().path, ADVANCED);
        assert_eq!(menu.of_release("6.1.0-5-cloud-amd64"), None);
    }

    #[test]
    fn what_a_saved_entry_boots_is_told_by_its_name() {
        let menu = Menu::parse(DEBIAN);
        for (saved, boots) in [
            (None, Some(OLD)),
            (Some(""), Some(OLD)),
            (Some("0"), Some(OLD)),
            (Some(ADVANCED), Some(OLD)),
            (Some("1>2"), None),
            (Some("gone"), None),
        ] {
            assert_eq!(menu.boots(saved), boots, "{saved:?}");
        }
    }

    #[test]
    fn words_are_added_to_the_kernels_line_alone() {
        let menu = Menu::parse(DEBIAN);
        let body = menu.of_release(OLD).unwrap().with("panic=30");
        let changed: Vec<&str> = body
            .lines()
            .filter(|line| line.contains("panic=30"))
            .collect();
        assert_eq!(changed.len(), 1);
        assert!(changed[0].contains("mitigations=off panic=30"), "{body}");
        assert!(body.contains("initrd\t/boot/initrd.img-6.1.0-55-cloud-amd64\n"));
    }

    #[test]
    fn a_menu_that_boots_the_newest_is_told_from_one_that_is_saved() {
        let newest = DEBIAN.replace("set default=\"${saved_entry}\"", "set default=\"0\"");
        assert!(!Menu::parse(&newest).saved_is_default);
    }
}
