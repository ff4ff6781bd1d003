//! A rollout as a file that says everything, defaults too: what its digest is of.

use super::{
    Limit, Spec, WaveSize, WindowRule,
    patch::{CONFFILE_POLICIES, KERNEL_FALLBACKS, REBOOTS, RESTARTS},
    settings::Settings,
    waiver,
};
use crate::{
    digest::Digest,
    document::quote,
    duration,
    patch::{
        AdvisoryPatch, ConffilePolicies, ConfigFile, ConfigPatch, KernelFallback, Patch,
        RebootPolicy, RestartPolicy, Rights,
    },
    policy::{FloorRule, Profile},
    select::Selection,
};
use std::fmt;

impl Spec {
    /// The digest of what the rollout means: of its canonical text, in which defaults stand as if
    /// the file said them. Layout and comments of the file do not change it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_string())
    }
}

/// Writes the canonical text: a rollout file that reads back as the same rollout.
impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "name = {}", quote(self.name.as_str()))?;
        for (key, value) in self.settings.entries() {
            writeln!(f, "{key} = {value}")?;
        }
        writeln!(f, "\n[patch]")?;
        write_patch(f, &self.patch)?;
        writeln!(f, "reboot = {}", quote(reboot(self.reboot)))?;
        writeln!(f, "restart = {}", quote(restart(self.restart)))?;
        write_kernel_fallback(f, self.kernel_fallback)?;
        write_conffiles(f, &self.conffiles)?;
        writeln!(f, "one_way = {}", self.one_way)?;
        writeln!(f, "\n[select]")?;
        write_match(f, Some(&self.selection))?;
        for wave in &self.waves {
            writeln!(f, "\n[[wave]]\nname = {}", quote(wave.name.as_str()))?;
            match wave.size {
                WaveSize::To(share) => writeln!(f, "to = \"{share}\"")?,
                WaveSize::Hosts(count) => writeln!(f, "hosts = {count}")?,
                WaveSize::CellsPerRegion(count) => writeln!(f, "cells_per_region = {count}")?,
            }
            write_match(f, wave.selection.as_ref())?;
            writeln!(f, "bake = \"{}\"", duration::format(wave.bake))?;
            writeln!(f, "cells_at_once = {}", wave.cells_at_once)?;
            writeln!(f, "gap = \"{}\"", duration::format(wave.gap))?;
            writeln!(f, "zone_bake = \"{}\"", duration::format(wave.zone_bake))?;
            writeln!(f, "unknown_share = \"{}\"", wave.unknown_share)?;
            if let Some(fan) = &wave.fan {
                writeln!(f, "fan = {fan}")?;
            }
        }
        for rule in &self.windows {
            write_window(f, rule)?;
        }
        for limit in &self.limits {
            writeln!(f, "\n[[limits]]")?;
            write_match(f, limit.selection.as_ref())?;
            writeln!(f, "at_once_per_cell = {}", limit.at_once_per_cell)?;
            writeln!(f, "floor = {}", floors(&limit.floors))?;
        }
        f.write_str(&waiver::text(&self.waivers))
    }
}

fn write_patch(f: &mut fmt::Formatter<'_>, patch: &Patch) -> fmt::Result {
    match patch {
        Patch::Packages { packages } => {
            let wishes: Vec<_> = packages
                .iter()
                .map(|(name, wish)| format!("{} = {}", quote(name), quote(&wish.to_string())))
                .collect();
            writeln!(f, "kind = \"packages\"")?;
            writeln!(f, "packages = {{ {} }}", wishes.join(", "))
        }
        Patch::Security => writeln!(f, "kind = \"packages\"\nsecurity = \"all\""),
        Patch::Advisory(AdvisoryPatch { id, file }) => {
            writeln!(f, "kind = \"packages\"\nadvisory = {}", quote(id))?;
            writeln!(f, "advisory_file = {}", quote(&file.to_string_lossy()))
        }
        Patch::Config(config) => {
            writeln!(f, "kind = \"config\"")?;
            write_files(f, config)
        }
        Patch::Noop => writeln!(f, "kind = \"noop\""),
    }
}

fn write_files(f: &mut fmt::Formatter<'_>, config: &ConfigPatch) -> fmt::Result {
    let names = [("validate", &config.validate), ("reload", &config.reload)];
    let named = |f: &mut fmt::Formatter<'_>| {
        let mut said = names
            .iter()
            .filter_map(|(key, name)| Some((key, name.as_ref()?)));
        said.try_for_each(|(key, name)| writeln!(f, "{key} = {}", quote(name)))
    };
    if config.files.count() == 1 {
        writeln!(f, "{}", file_keys(config.files.first()).join("\n"))?;
        return named(f);
    }
    // An array of inline tables, so that other keys of the table may follow.
    writeln!(f, "files = [")?;
    for file in config.files.iter() {
        writeln!(f, "  {{ {} }},", file_keys(file).join(", "))?;
    }
    writeln!(f, "]")?;
    named(f)
}

fn file_keys(file: &ConfigFile) -> Vec<String> {
    let Rights { mode, owner, group } = &file.rights;
    let key = |key: &str, value: &str| format!("{key} = {}", quote(value));
    let mut keys = vec![
        key("path", &file.path.to_string_lossy()),
        key("source", &file.source.to_string()),
    ];
    keys.extend(mode.map(|mode| key("mode", &mode.to_string())));
    keys.extend(owner.iter().map(|name| key("owner", name.as_str())));
    keys.extend(group.iter().map(|name| key("group", name.as_str())));
    keys
}

fn write_conffiles(f: &mut fmt::Formatter<'_>, policies: &ConffilePolicies) -> fmt::Result {
    // Only patches of packages have any.
    if policies.is_empty() {
        return Ok(());
    }
    let policies: Vec<_> = policies
        .iter()
        .map(|(name, policy)| {
            format!(
                "{} = {}",
                quote(name),
                quote(word(&CONFFILE_POLICIES, *policy))
            )
        })
        .collect();
    writeln!(f, "conffiles = {{ {} }}", policies.join(", "))
}

fn write_window(f: &mut fmt::Formatter<'_>, rule: &WindowRule) -> fmt::Result {
    let window = &rule.window;
    let days: Vec<_> = window.days.iter().map(|day| quote(day.name())).collect();
    writeln!(f, "\n[[window]]")?;
    write_match(f, rule.selection.as_ref())?;
    writeln!(f, "days = [{}]", days.join(", "))?;
    writeln!(f, "start = \"{}\"\nend = \"{}\"", window.start, window.end)?;
    writeln!(f, "time_zone = {}", quote(window.time_zone.name()))?;
    writeln!(
        f,
        "last_start = \"{}\"",
        duration::format(window.last_start)
    )
}

fn write_match(f: &mut fmt::Formatter<'_>, selection: Option<&Selection>) -> fmt::Result {
    selection.map_or(Ok(()), |selection| {
        writeln!(f, "match = {}", quote(&selection.to_string()))
    })
}

fn floors(rules: &[FloorRule]) -> String {
    let rules: Vec<_> = rules
        .iter()
        .map(|rule| {
            let labels: Vec<_> = rule.group_by.iter().map(|label| quote(label)).collect();
            format!(
                "{{ group_by = [{}], min_in_service = \"{}\" }}",
                labels.join(", "),
                rule.min_in_service
            )
        })
        .collect();
    format!("[{}]", rules.join(", "))
}

/// Said where it is not the default: rollouts of earlier releases, which could not say it, keep their digest.
fn write_kernel_fallback(f: &mut fmt::Formatter<'_>, fallback: KernelFallback) -> fmt::Result {
    if fallback == KernelFallback::default() {
        return Ok(());
    }
    writeln!(f, "kernel_fallback = {}", quote(kernel_fallback(fallback)))
}

/// The word for a way back from kernels.
pub(super) fn kernel_fallback(fallback: KernelFallback) -> &'static str {
    word(&KERNEL_FALLBACKS, fallback)
}

/// The word for a reboot policy.
pub(super) fn reboot(policy: RebootPolicy) -> &'static str {
    word(&REBOOTS, policy)
}

/// The word for a restart policy.
pub(super) fn restart(policy: RestartPolicy) -> &'static str {
    word(&RESTARTS, policy)
}

/// The word for a policy.
pub(crate) fn word<T: Copy + PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    let word = words.iter().find(|(_, known)| *known == value);
    word.map(|(word, _)| *word)
        .expect("every policy has its word")
}

/// The waves of a file that has none and no severity, as a file says them.
pub(super) fn default_waves() -> String {
    let waves = Profile::default().waves();
    let waves: Vec<_> = waves
        .iter()
        .map(|(name, share)| format!("{{ name = \"{name}\", to = \"{share}\" }}"))
        .collect();
    format!("[{}]", waves.join(", "))
}

/// The limits of a file that has none, as a file says them.
pub(super) fn default_limits() -> String {
    let limit = Limit::default_of(&Settings::default());
    format!(
        "[{{ at_once_per_cell = {}, floor = {} }}]",
        limit.at_once_per_cell,
        floors(&limit.floors)
    )
}
