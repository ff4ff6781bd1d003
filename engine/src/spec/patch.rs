//! The `[patch]` table of a rollout file.

mod conffiles;
mod config;
mod upgrade;

pub(crate) use conffiles::CONFFILE_POLICIES;

use self::config::CONFIG_KEYS;
use super::{Refusal, settings_keys};
use crate::{
    document::Table,
    package,
    patch::{ConffilePolicies, KernelFallback, Patch, RebootPolicy, RestartPolicy, VersionWish},
};
use std::collections::BTreeMap;

pub(crate) const REBOOTS: [(&str, RebootPolicy); 3] = [
    ("never", RebootPolicy::Never),
    ("if-required", RebootPolicy::IfRequired),
    ("always", RebootPolicy::Always),
];

pub(crate) const KERNEL_FALLBACKS: [(&str, KernelFallback); 2] = [
    ("one-shot", KernelFallback::OneShot),
    ("none", KernelFallback::None),
];

pub(crate) const RESTARTS: [(&str, RestartPolicy); 2] = [
    ("never", RestartPolicy::Never),
    ("if-required", RestartPolicy::IfRequired),
];

/// Keys whose part is not built.
const NOT_BUILT: [&str; 2] = ["advisories", "image"];

/// Kinds that people may look for, each with why there is none and what to do instead.
const OUTSIDE: [(&str, &str); 3] = [
    (
        "livepatch",
        "a live patch changes the running kernel and is gone with the next boot; patch the kernel's package, \
         with `reboot = \"if-required\"`",
    ),
    (
        "snap",
        "snapd updates snaps by itself and keeps no version for a way back that is proved; hold them with \
         `snap refresh --hold`, and refresh them in a reservation of the host (`cofferdam reserve`)",
    ),
    (
        "zypper",
        "packages are patched by apt and dnf only; patch such hosts by zypper in a reservation of the host \
         (`cofferdam reserve`)",
    ),
];

const PACKAGE_KEYS: [&str; 5] = [
    "packages",
    "security",
    "advisory",
    "advisory_file",
    "conffiles",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Packages,
    Config,
    Noop,
}

impl Kind {
    fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "packages" => Ok(Self::Packages),
            "config" => Ok(Self::Config),
            "noop" => Ok(Self::Noop),
            "image" => Err(Refusal::PatchKindNotBuilt(text.to_owned())),
            _ => Err(match OUTSIDE.iter().find(|(kind, _)| *kind == text) {
                Some((_, instead)) => Refusal::PatchKindOutside {
                    kind: text.to_owned(),
                    instead,
                },
                None => Refusal::PatchKind(text.to_owned()),
            }),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Config => "config",
            Self::Noop => "noop",
        }
    }

    /// The keys that only other kinds have.
    fn foreign_keys(self) -> impl Iterator<Item = &'static str> {
        let packages = PACKAGE_KEYS.iter().filter(move |_| self != Self::Packages);
        let config = CONFIG_KEYS.iter().filter(move |_| self != Self::Config);
        packages.chain(config).copied()
    }
}

/// What the `[patch]` table says.
#[derive(Debug)]
pub(super) struct PatchFragment {
    pub(super) patch: Option<Patch>,
    pub(super) reboot: RebootPolicy,
    pub(super) restart: RestartPolicy,
    pub(super) kernel_fallback: KernelFallback,
    pub(super) conffiles: ConffilePolicies,
    pub(super) one_way: bool,
}

impl PatchFragment {
    pub(super) fn read(mut table: Table<'_, Refusal>) -> Self {
        table.require("kind", "kind = \"packages\"");
        let kind = table.text("kind", Kind::parse);
        let patch = match kind {
            Some(Kind::Packages) => upgrade::packages_of(&mut table),
            Some(Kind::Config) => config::read(&mut table),
            Some(Kind::Noop) => Some(Patch::Noop),
            None => None,
        };
        let fragment = Self {
            patch,
            reboot: table.choice("reboot", &REBOOTS).unwrap_or_default(),
            restart: table.choice("restart", &RESTARTS).unwrap_or_default(),
            kernel_fallback: table
                .choice("kernel_fallback", &KERNEL_FALLBACKS)
                .unwrap_or_default(),
            conffiles: match kind {
                Some(Kind::Packages) => conffiles::read(&mut table),
                Some(Kind::Config | Kind::Noop) | None => ConffilePolicies::new(),
            },
            one_way: table.flag("one_way").unwrap_or_default(),
        };
        refuse_foreign(&mut table, kind);
        table.finish(&NOT_BUILT, &settings_keys());
        fragment
    }
}

/// Refuses the keys of other kinds by name; without a kind they may all be right.
fn refuse_foreign(table: &mut Table<'_, Refusal>, kind: Option<Kind>) {
    let Some(kind) = kind else {
        table.know(&PACKAGE_KEYS);
        table.know(&CONFIG_KEYS);
        return;
    };
    for key in kind.foreign_keys() {
        table.know(&[key]);
        if table.has(key) {
            let kind = kind.name();
            table.refuse(key, Refusal::OtherKind { kind });
        }
    }
}

fn packages(table: &mut Table<'_, Refusal>) -> Option<Patch> {
    table.require("packages", "packages = { openssl = \"latest\" }");
    let listed = table.table("packages", "packages")?;
    if listed.is_empty() {
        table.refuse("packages", Refusal::NoPackages);
        return None;
    }
    let mut packages = BTreeMap::new();
    for (name, version) in listed.all_texts() {
        let wish = VersionWish::from(version.text.to_owned());
        let checked = package::check_name(name).and_then(|()| match &wish {
            VersionWish::Latest => Ok(()),
            VersionWish::Exactly(version) => package::check_version(version),
        });
        match checked {
            Ok(()) => drop(packages.insert(name.to_owned(), wish)),
            Err(why) => listed.refuse_at(version.span.start, name, why),
        }
    }
    Some(Patch::Packages { packages })
}
