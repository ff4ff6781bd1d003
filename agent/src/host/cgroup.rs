//! Which unit of the system a process belongs to, by its control group.

use std::fs;

/// The group of the first process ends so.
const FIRST: &str = "/init.scope";

/// Where the system's own units begin: empty but in a container that sees the groups of its machine.
pub fn system() -> String {
    let groups = fs::read_to_string("/proc/1/cgroup").unwrap_or_default();
    let first = paths(&groups).next().unwrap_or_default();
    first.strip_suffix(FIRST).unwrap_or_default().to_owned()
}

/// The unit of the system: the outermost service or scope, since what a user's own manager runs is not the
/// system's to restart. Absent: it is in none.
pub fn unit(groups: &str, system: &str) -> Option<String> {
    let inner = paths(groups).next()?.strip_prefix(system)?;
    inner.split('/').find(is_unit).map(str::to_owned)
}

/// The innermost unit, whoever runs it. Absent: none is named.
pub fn innermost_unit(groups: &str) -> Option<&str> {
    paths(groups)
        .flat_map(|path| path.rsplit('/'))
        .find(is_unit)
}

fn is_unit(part: &&str) -> bool {
    part.ends_with(".service") || part.ends_with(".scope")
}

/// The paths of `/proc/PID/cgroup` in systemd's tree, of version 1 or 2.
fn paths(groups: &str) -> impl Iterator<Item = &str> {
    let of_systemd = |line: &&str| line.starts_with("0::") || line.contains(":name=systemd:");
    let lines = groups.lines().filter(of_systemd);
    lines.filter_map(|line| line.splitn(3, ':').nth(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_unit_is_the_systems() {
        for (groups, system, expected) in [
            (
                "0::/system.slice/nginx.service\n",
                "",
                Some("nginx.service"),
            ),
            ("0::/init.scope\n", "", Some("init.scope")),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n",
                "",
                Some("user@1000.service"),
            ),
            (
                "0::/system.slice/system-getty.slice/getty@tty1.service\n",
                "",
                Some("getty@tty1.service"),
            ),
            (
                "12:cpu:/x\n1:name=systemd:/system.slice/a.service\n",
                "",
                Some("a.service"),
            ),
            (
                "0::/machine.slice/h.scope/payload/system.slice/a.service",
                "/machine.slice/h.scope/payload",
                Some("a.service"),
            ),
            ("0::/\n", "", None),
            ("", "", None),
            ("0:", "", None),
            ("0::/elsewhere/a.service", "/machine.slice", None),
        ] {
            assert_eq!(unit(groups, system).as_deref(), expected, "{groups}");
        }
    }
}
