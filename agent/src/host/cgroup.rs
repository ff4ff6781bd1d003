//! Which unit of the system a process belongs to, by its control group.

use std::fs;

/// The group of the first process ends so.
const FIRST: &str = "/init.scope";

/// Where the system's own units begin: empty but in a container that sees the groups of its machine.
pub fn system() -> String {
    let groups = fs::read_to_string("/proc/1/cgroup").unwrap_or_default();
    let first = path(&groups).unwrap_or_default();
    first.strip_suffix(FIRST).unwrap_or_default().to_owned()
}

/// The unit of the system: the outermost service or scope, since what a user's own manager runs is not the
/// system's to restart. Absent: it is in none.
pub fn unit(groups: &str, system: &str) -> Option<String> {
    let inner = path(groups)?.strip_prefix(system)?;
    let is_unit = |part: &&str| part.ends_with(".service") || part.ends_with(".scope");
    inner.split('/').find(is_unit).map(str::to_owned)
}

/// The path of `/proc/PID/cgroup` in systemd's tree, of version 1 or 2.
fn path(groups: &str) -> Option<&str> {
    let mut lines = groups.lines();
    let line = lines.find(|line| line.starts_with("0::") || line.contains(":name=systemd:"))?;
    line.splitn(3, ':').nth(2)
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
