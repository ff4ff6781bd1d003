//! The kernel's log: what is trouble, and since when.

use super::*;

/// In the form in which `/dev/kmsg` of Linux 6.1 of Debian 12 gives them; the messages are those of the
/// kernel's sources.
const SAMPLES: [(&str, Option<&str>); 16] = [
    (
        "6,2002,77079045317,-;vb-h1: entered allmulticast mode\n",
        None,
    ),
    (
        "6,1,0,-;Command line: BOOT_IMAGE=/vmlinuz oops=panic panic=10\n",
        None,
    ),
    (
        "4,812,9000,-;WARNING: CPU: 0 PID: 77 at kernel/x.c:5 f+0x1/0x2\n",
        None,
    ),
    (
        "1,900,9001,-;BUG: kernel NULL pointer dereference, address: 0000000000000000\n",
        Some("bug"),
    ),
    (
        "4,901,9002,-;Oops: 0002 [#1] PREEMPT SMP PTI\n",
        Some("oops"),
    ),
    (
        "0,902,9003,-;Internal error: Oops: 96000004 [#1] SMP\n",
        Some("oops"),
    ),
    (
        "2,903,9004,-;kernel BUG at fs/ext4/inode.c:2721!\n",
        Some("bug"),
    ),
    (
        "0,904,9005,-;Kernel panic - not syncing: Fatal exception\n",
        Some("oops"),
    ),
    (
        "3,905,9006,-;Out of memory: Killed process 4242 (java) total-vm:9000000kB, anon-rss:1kB\n",
        Some("out of memory"),
    ),
    (
        "3,906,9007,-;Memory cgroup out of memory: Killed process 7 (app) total-vm:1kB\n",
        Some("out of memory"),
    ),
    (
        "3,907,9008,-;I/O error, dev sda, sector 2048 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2\n SUBSYSTEM=block\n DEVICE=b8:0\n",
        Some("I/O error"),
    ),
    (
        "3,908,9009,-;Buffer I/O error on dev fd0, logical block 0, async page read\n",
        Some("I/O error"),
    ),
    (
        "2,909,9010,-;EXT4-fs error (device vda1): ext4_lookup:1855: inode #2: comm ls: deleted inode\n",
        Some("I/O error"),
    ),
    (
        "3,910,9011,-;INFO: task kworker/u8:1:77 blocked for more than 120 seconds.\n",
        Some("hung task"),
    ),
    (
        "3,911,9012,-;rcu: INFO: rcu_preempt self-detected stall on CPU\n",
        Some("hung task"),
    ),
    // A program that writes to the log is not the kernel.
    (
        "12,912,9013,-;Out of memory: Killed process 1 (nobody)\n",
        None,
    ),
];

fn looked(records: &[&str]) -> Looked {
    let mut looked = Looked::default();
    records.iter().for_each(|record| looked.take(record));
    looked
}

#[test]
fn trouble_is_known_by_what_the_kernel_says() {
    for (sample, kind) in SAMPLES {
        let record = parse(sample).unwrap();
        assert_eq!(trouble(&record), kind, "{sample}");
        assert!(!record.message.contains('\n'));
    }
}

#[test]
fn only_what_came_after_the_mark_counts() {
    let old = "3,7,0,-;I/O error, dev sda, sector 1\n";
    let quiet = "6,8,0,-;eth0: link up\n";
    let new = "3,9,0,-;I/O error, dev sda, sector 99\n";
    let mark = looked(&[old, quiet]).mark("a".to_owned());
    assert_eq!(mark.up_to, Some(8));
    for (records, says) in [
        (&[old, quiet][..], "kernel-log: pass: 0, at most 0"),
        (
            &[old, quiet, new],
            "kernel-log: fail: 1, at most 0: I/O error: I/O error, dev sda, sector 99",
        ),
        (&[], "kernel-log: pass: 0, at most 0"),
    ] {
        assert_eq!(looked(records).judge(&mark, "a").to_string(), says);
    }
    let empty = looked(&[]).mark("a".to_owned());
    assert_eq!(looked(&[old]).judge(&empty, "a").verdict, Verdict::Fail);
}

#[test]
fn after_a_reboot_what_the_old_log_said_is_no_news() {
    let floppy = "3,400,0,-;blk_update_request: I/O error, dev fd0, sector 0\n";
    let again = "3,2,0,-;blk_update_request: I/O error, dev fd1, sector 8\n";
    let disk = "3,3,0,-;blk_update_request: I/O error, dev sda, sector 8\n";
    let mark = looked(&[floppy]).mark("a".to_owned());
    assert_eq!(looked(&[again]).judge(&mark, "b").verdict, Verdict::Pass);
    assert_eq!(
        looked(&[again, disk]).judge(&mark, "b").verdict,
        Verdict::Fail
    );
}

#[test]
fn a_flood_leaves_the_newest() {
    let flood: Vec<String> = (0..1000)
        .map(|number| format!("3,{number},0,-;I/O error, dev sda\n"))
        .collect();
    let mut looked = Looked::default();
    flood.iter().for_each(|record| looked.take(record));
    assert_eq!(looked.troubles.len(), MOST_TROUBLES);
    assert_eq!((looked.last, looked.troubles[0].number), (Some(999), 800));
}

#[test]
fn garbage_is_no_record() {
    for garbage in [
        "",
        ";",
        "Oops: ",
        "3;Oops: ",
        "3,x,0,-;Oops: ",
        "-3,1,0,-;Oops: ",
        "3,1,0,-;",
        "99999999999,1,0,-;Oops: ",
        "3,99999999999999999999999,0,-;Oops: ",
        "\u{0},\u{fffd};\n\n",
    ] {
        assert_eq!(parse(garbage), None, "{garbage:?}");
        assert_eq!(looked(&[garbage]), Looked::default());
    }
}

#[test]
fn this_machines_own_log_is_read_to_its_end() {
    // A container has none.
    let Some(mark) = mark() else { return };
    let readings = read(&mark);
    assert!(readings[0].verdict != Verdict::NoData || mark.up_to.is_none());
}
