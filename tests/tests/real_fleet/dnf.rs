//! dnf on real hosts, by hand and by dnf-automatic.

use super::{
    asked::{said, until_shown},
    guarded::{FURTHER, by_a_session, enforce, written_down},
};
use cofferdam_tests::{
    machine::Machine,
    patience::eventually,
    process::run,
    real_fleet::{
        RealFleet,
        host::{BOOTED_WITHIN, Host},
    },
};
use std::{fs, path::Path, process::Command};

/// Where hosts have their repository, below the root.
const REPOSITORY: &str = "srv/rpm";

/// dnf's word on it.
const KNOWN: &str = "[fleet]\nname=fleet\nbaseurl=file:///srv/rpm\ngpgcheck=0\n";

/// What dnf-automatic's package has beyond the module that Debian ships: the program, the unit and its timer,
/// as Fedora has them, but soon.
const AUTOMATIC: [(&str, &str); 3] = [
    (
        "usr/bin/dnf-automatic",
        "#!/usr/bin/python3\nimport sys\nfrom dnf.automatic.main import main\nsys.exit(main(sys.argv[1:]))\n",
    ),
    (
        "etc/systemd/system/dnf-automatic-install.service",
        "[Service]\nType=oneshot\n\
         ExecStart=/usr/bin/dnf-automatic /etc/dnf/automatic.conf --timer --installupdates\n",
    ),
    (
        "etc/systemd/system/dnf-automatic-install.timer",
        "[Timer]\nOnActiveSec=1s\nAccuracySec=1ms\n",
    ),
];

/// Makes a repository of `tea 1` and `tea 2` in a folder. What is missing for that, if anything is.
fn publish(folder: &Path) -> Result<(), String> {
    for version in ["1", "2"] {
        let spec = folder.join("spec");
        let text = format!(
            "Name: tea\nVersion: {version}\nRelease: 1\nSummary: made for a test\nLicense: MIT\n\
             BuildArch: noarch\n%description\nMade for a test.\n%install\n\
             mkdir -p %{{buildroot}}/usr/share/tea\n\
             printf %s {version} >%{{buildroot}}/usr/share/tea/rpm\n%files\n/usr/share/tea\n"
        );
        fs::write(&spec, text).unwrap();
        let mut build = Command::new("rpmbuild");
        build.args(["-bb", "--quiet"]);
        for (name, place) in [
            ("_topdir", "top"),
            ("_tmppath", "top"),
            ("_rpmdir", REPOSITORY),
        ] {
            let place = folder.join(place);
            build.args(["--define", &format!("{name} {}", place.display())]);
        }
        build.args(["--define", "_rpmfilename %%{NAME}-%%{VERSION}.rpm"]);
        made(build.arg(&spec))?;
    }
    let mut index = Command::new("createrepo_c");
    made(index.arg("--quiet").arg(folder.join(REPOSITORY)))
}

fn made(command: &mut Command) -> Result<(), String> {
    let output = command.output();
    let output = output.map_err(|_| format!("{} is missing", command.get_program().display()))?;
    assert!(output.status.success(), "{output:?}");
    Ok(())
}

/// Gives a host dnf's repository, dnf-automatic, and `tea 1`.
async fn furnish(host: &Host, folder: &Path) {
    let mut copy = Command::new("cp");
    copy.arg("--recursive").arg(folder.join(REPOSITORY));
    copy.arg(host.root().join("srv"));
    assert_eq!(run(copy).0, 0);
    host.write("etc/yum.repos.d/fleet.repo", KNOWN).unwrap();
    // Debian's version is none that dnf finds out, and dnf-automatic breaks down without one.
    host.write("etc/dnf/vars/releasever", "12\n").unwrap();
    for (path, text) in AUTOMATIC {
        host.write(path, text).unwrap();
    }
    let install =
        "chmod +x /usr/bin/dnf-automatic && systemctl daemon-reload && dnf -qy install tea-1";
    said(host, install).await;
}

async fn installed(host: &Host) -> String {
    said(host, "cat /usr/share/tea/rpm").await
}

#[tokio::test]
async fn dnf_by_hand_by_its_timer_and_by_cron_is_refused_and_named_and_upgrades_without_the_guard()
{
    let folder = tempfile::tempdir().unwrap();
    if let Err(why) = publish(folder.path()) {
        eprintln!("left out: dnf on real hosts ({why})");
        return;
    }
    let two = Machine::several(2);
    let Some(fleet) = RealFleet::boot_with(Some(FURTHER), two).await else {
        return;
    };
    fleet.manage().await.unwrap();
    let [guarded, free] = fleet.hosts() else {
        panic!("two hosts are expected");
    };
    for host in [guarded, free] {
        furnish(host, folder.path()).await;
    }
    enforce(guarded).await;

    let upgrade = by_a_session("dnf -qy upgrade");
    let refused = guarded.run(&upgrade).await.unwrap();
    assert_ne!(refused.code, Some(0), "{}", refused.printed);
    for part in [
        "tried by   /usr/bin/python3 /usr/bin/dnf -qy upgrade",
        "started by bash",
        "packages   tea",
        "cofferdam-agent guard allow --for 30m",
    ] {
        assert!(refused.printed.contains(part), "{}", refused.printed);
    }

    for host in [guarded, free] {
        said(host, "systemctl start dnf-automatic-install.timer").await;
    }
    eventually("the free host to be upgraded", BOOTED_WITHIN, async || {
        let version = installed(free).await;
        (version == "2").then_some(()).ok_or(version)
    })
    .await;
    let skipped = "not started: dnf-automatic-install.service";
    written_down(guarded, &[skipped]).await;
    // Whoever calls it beside its unit meets what dnf itself asks.
    let by_cron = by_a_session("dnf-automatic --installupdates");
    assert_ne!(guarded.run(&by_cron).await.unwrap().code, Some(0));
    assert_eq!(installed(guarded).await, "1");
    let named = "refused: /usr/bin/python3 /usr/bin/dnf-automatic --installupdates (tea)";
    let unasked = ["hosts", "--guard=unasked", "--match", "service == \"web\""];
    let parts = [named, "started by bash", "1 of 2 hosts: 1 unasked"];
    until_shown(&fleet, &unasked, &parts).await;
    until_shown(&fleet, &["explain", guarded.name().as_str()], &[skipped]).await;

    let allow = "cofferdam-agent guard allow --for 30m --reason 'tea is out'";
    said(guarded, allow).await;
    said(guarded, &upgrade).await;
    assert_eq!(installed(guarded).await, "2");
    fleet.take_down().unwrap();
}
