//! Whether there is a way to everywhere: the kernel's tables of routes.

use crate::checks::verdict::{Reading, Verdict};
use std::{fs, io};

const NAME: &str = "default-route";
const TABLE: &str = "/proc/net/route";
const TABLE_6: &str = "/proc/net/ipv6_route";

/// The flags of a route that is in use, and of one that turns away (`include/uapi/linux/route.h`).
const UP: u32 = 0x1;
const REJECT: u32 = 0x200;

/// Reads whether there is a default route, of either family.
pub(super) fn read() -> Reading {
    let unknown = |file: &str, error: &io::Error| {
        Reading::new(NAME, Verdict::NoData, &format!("{file}: {error}"))
    };
    let table = match fs::read_to_string(TABLE) {
        Ok(table) => table,
        Err(error) => return unknown(TABLE, &error),
    };
    let table_6 = match fs::read_to_string(TABLE_6) {
        Ok(table) => table,
        // A kernel without IPv6.
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return unknown(TABLE_6, &error),
    };
    judge(&table, &table_6)
}

pub(super) fn judge(table: &str, table_6: &str) -> Reading {
    if table.lines().any(is_default) || table_6.lines().any(is_default_6) {
        return Reading::new(NAME, Verdict::Pass, "");
    }
    Reading::new(NAME, Verdict::Fail, "there is no default route")
}

/// Interface, destination, gateway, flags, three counts, mask.
fn is_default(line: &str) -> bool {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let [_, destination, _, flags, _, _, _, mask, ..] = columns[..] else {
        return false;
    };
    is_zero(destination) && is_zero(mask) && is_in_use(flags)
}

/// Destination and its length, source and its length, next hop, three numbers, flags, interface.
fn is_default_6(line: &str) -> bool {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let [destination, length, _, _, _, _, _, _, flags, interface] = columns[..] else {
        return false;
    };
    is_zero(destination) && is_zero(length) && is_in_use(flags) && interface != "lo"
}

fn is_zero(hex: &str) -> bool {
    !hex.is_empty() && hex.bytes().all(|byte| byte == b'0')
}

fn is_in_use(flags: &str) -> bool {
    u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & (UP | REJECT) == UP)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    /// Linux 6.18: the way out, and the local network.
    const OUT: &str = "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
    const LOCAL: &str = "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";

    /// In the form of Linux 6.1 (`net/ipv6/route.c`): a way out, and the one that turns away what has
    /// no other, which every host has.
    const OUT_6: &str = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n";
    const AWAY_6: &str = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n";

    #[test]
    fn a_default_route_of_either_family_will_do() {
        for (table, table_6, verdict) in [
            (format!("{HEAD}{OUT}{LOCAL}"), AWAY_6, Verdict::Pass),
            (format!("{HEAD}{LOCAL}"), OUT_6, Verdict::Pass),
            (format!("{HEAD}{LOCAL}"), AWAY_6, Verdict::Fail),
            (HEAD.to_owned(), "", Verdict::Fail),
            (OUT.replace("0003", "0002"), "", Verdict::Fail),
            (OUT.replace("0003", "0203"), "", Verdict::Fail),
            (OUT.replace("0003", "x"), "00 00\n\u{0}", Verdict::Fail),
            (String::new(), "\u{fffd} \u{fffd}", Verdict::Fail),
        ] {
            assert_eq!(judge(&table, table_6).verdict, verdict, "{table}{table_6}");
        }
    }
}
