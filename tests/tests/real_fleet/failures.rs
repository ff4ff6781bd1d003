//! Packages that go wrong on real hosts, each in its own way: the failure has its kind and says what it
//! was, and the host is as it was and in service.

use super::asked::{READY, eventually_says, patch_of, said, start, until_failed};
use cofferdam_engine::digest::Digest;
use cofferdam_tests::{
    machine::Machine,
    real_fleet::{RealFleet, host::Host, repository::Package},
};
use std::{fs, rc::Rc};
use tokio::task::{JoinSet, LocalSet};

/// One way to go wrong: the package's name, what is done to its two versions and to the host, and what an
/// operator is told.
struct Case {
    name: &'static str,
    first: fn(Package) -> Package,
    second: fn(Package) -> Package,
    /// What happens on the host before the patch.
    before: &'static str,
    /// Further keys of the rollout.
    more: &'static str,
    told: &'static [&'static str],
}

/// Bytes that no compression makes fewer.
fn random(many: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(many);
    while bytes.len() < many {
        bytes.extend_from_slice(Digest::of(bytes.len().to_string()).as_bytes());
    }
    bytes.truncate(many);
    bytes
}

fn same(package: Package) -> Package {
    package
}

/// Leaves its group, and hangs in both.
const HANGS: &str = "setsid sh -c 'echo $$ >/run/left; sleep 600' & sleep 600";

/// Hangs once the agent that runs it is dead, and no other.
const OUTLIVES: &str = "test -e /run/dead || {\n\
    touch /run/dead; systemctl kill --kill-whom=main --signal=SIGKILL cofferdam-agent; }\n\
    sleep 600";

/// Asks a question as packages should, which nobody is there to answer.
const ASKS: &str = "test \"$DEBIAN_FRONTEND\" = noninteractive\n\
    . /usr/share/debconf/confmodule\n\
    db_input critical asks/colour || true\ndb_go || true\ndb_get asks/colour\n\
    echo \"$RET\" >/run/answered";

/// Asks one at the terminal, and insists.
const INSISTS: &str = "read answer </dev/tty || read answer";

const TEMPLATES: &str = "Template: asks/colour\nType: string\nDefault: green\n\
    Description: Which colour?\n It is all the same.\n";

/// Holds the lock as another package manager does: the child of a shell that a unit runs.
const HOLDER: &str = r#"
cat >/root/holder <<'END'
use Fcntl;
open(F, '+>>', '/var/lib/dpkg/lock-frontend') or die;
my $lock = pack('s s x4 q q i x4', F_WRLCK, 0, 0, 0, 0);
fcntl(F, F_SETLK, $lock) or die;
open(G, '>', '/run/held') or die;
close(G);
sleep 600;
END
systemd-run --quiet --unit=holder bash -c 'perl /root/holder; true'
while ! test -e /run/held; do sleep 0.1; done"#;

/// Gives dpkg's database, the agent's state and the package's folder a small disk together.
const ON_SMALL_DISK: &str = r#"
systemctl stop cofferdam-agent
mkdir /small
used=$(du --summarize --total --block-size=1K /var/lib/dpkg /var/lib/cofferdam-agent | tail -1 | cut -f1)
mount -t tmpfs -o size=$((used * 5 / 4 + 65536))k tmpfs /small
for folder in /var/lib/dpkg /var/lib/cofferdam-agent /usr/share/full; do
    mkdir -p /small$folder
    cp -a $folder/. /small$folder
    mount --bind /small$folder $folder
done
systemctl start cofferdam-agent"#;

/// Fills it to the last byte, and stays so.
const FILLS_ALL: &str = "cat /dev/zero >/small/ballast 2>/dev/null; echo x >>/small/ballast";

static CASES: [Case; 8] = [
    Case {
        name: "hangs",
        first: same,
        second: |package| package.script("postinst", HANGS),
        before: "true",
        more: "script_deadline = \"2s\"",
        told: &[
            "maintainer-script",
            "the postinst of hangs ran longer than 2 s and was ended",
        ],
    },
    Case {
        name: "outlives",
        first: same,
        second: |package| package.script("postinst", OUTLIVES),
        before: "true",
        more: "script_deadline = \"2s\"",
        told: &[
            "maintainer-script",
            "the postinst of outlives ran longer than 2 s and was ended",
        ],
    },
    Case {
        name: "asks",
        first: same,
        second: |package| {
            let asks = package.script("preinst", ASKS).script("postinst", INSISTS);
            asks.control("templates", TEMPLATES)
        },
        before: "true",
        more: "",
        told: &["maintainer-script", "post-installation script"],
    },
    Case {
        name: "fails",
        first: same,
        second: |package| package.script("postinst", "exit 3"),
        before: "true",
        more: "",
        told: &["maintainer-script", "exit status 3"],
    },
    Case {
        name: "prerm",
        first: |package| package.script("prerm", "test \"$1\" != upgrade"),
        second: |package| package.script("prerm", "test \"$1\" != failed-upgrade"),
        before: "true",
        more: "",
        told: &["maintainer-script", "pre-removal script"],
    },
    Case {
        name: "fills",
        first: same,
        second: |package| package.file("usr/share/fills/much", vec![7; 1 << 20]),
        before: "cp -a /usr/share/fills /root && \
                 mount -t tmpfs -o size=64k tmpfs /usr/share/fills && \
                 cp -a /root/fills/. /usr/share/fills",
        more: "",
        told: &["disk-full", "No space left on device"],
    },
    Case {
        name: "full",
        first: same,
        second: |package| {
            let package = package.file("usr/share/full/much", random(1 << 20));
            package.script("postinst", FILLS_ALL)
        },
        before: ON_SMALL_DISK,
        more: "",
        told: &["disk-full", "No space left on device"],
    },
    Case {
        name: "locked",
        first: same,
        second: same,
        before: HOLDER,
        more: "",
        told: &[
            "locked",
            "lock-frontend is locked by process",
            "(perl) of process",
            "(bash)",
        ],
    },
];

async fn installed(host: &Host, name: &str) -> String {
    let format = "${db:Status-Status} ${Version}";
    let query = format!("dpkg-query --show --showformat='{format}' {name}");
    said(host, &query).await
}

/// Gives a host its case's first version, little patience, and what stands in the patch's way.
async fn prepare(case: &'static Case, host: Host) {
    let name = case.name;
    let install = format!("apt-get --quiet update && apt-get --quiet --yes install {name}");
    said(&host, &install).await;
    let config = host.root().join("etc/cofferdam/agent.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("lock_wait = \"1s\"\n{text}")).unwrap();
    said(&host, "systemctl restart cofferdam-agent").await;
    said(&host, case.before).await;
}

/// Starts all patches side by side: each waits for its own host.
async fn start_all(fleet: &Rc<RealFleet>) {
    let mut starting = JoinSet::new();
    for (case, host) in CASES.iter().zip(fleet.hosts()) {
        let rollout = patch_of(host, case.name, case.more);
        let fleet = Rc::clone(fleet);
        starting.spawn_local(async move { start(&fleet, &rollout).await });
    }
    while let Some(started) = starting.join_next().await {
        started.unwrap();
    }
}

#[tokio::test]
async fn whatever_a_package_does_wrong_is_typed_and_said_and_leaves_the_host_as_it_was() {
    let Some(fleet) = RealFleet::boot(Machine::several(CASES.len())).await else {
        return;
    };
    let repository = &fleet.repository;
    for case in &CASES {
        let first = (case.first)(Package::new(case.name, "1"));
        repository.publish(&first).await.unwrap();
    }
    fleet.manage().await.unwrap();
    let hosts = fleet.hosts().iter().cloned();
    let preparing = CASES.iter().zip(hosts);
    let preparing: Vec<_> = preparing
        .map(|(case, host)| tokio::spawn(prepare(case, host)))
        .collect();
    for prepared in preparing {
        prepared.await.unwrap();
    }
    for case in &CASES {
        let second = (case.second)(Package::new(case.name, "2"));
        repository.publish(&second).await.unwrap();
    }

    let fleet = Rc::new(fleet);
    LocalSet::new().run_until(start_all(&fleet)).await;

    for (case, host) in CASES.iter().zip(fleet.hosts()) {
        let told = until_failed(&fleet, case.name).await;
        for part in case.told {
            let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                told.contains(part),
                "{}: {part} is not in:\n{told}",
                case.name
            );
        }
        assert_eq!(
            installed(host, case.name).await,
            "installed 1",
            "{}",
            case.name
        );
        let version = format!("cat /usr/share/{}/version", case.name);
        assert_eq!(said(host, &version).await, "1", "{}", case.name);
        eventually_says(host, READY, "200").await;
    }
    let [hangs, _, asks, ..] = fleet.hosts() else {
        panic!("there is a host for each case");
    };
    let left = "kill -0 $(cat /run/left)";
    assert_ne!(
        hangs.run(left).await.unwrap().code,
        Some(0),
        "what left the group is ended too"
    );
    assert_eq!(said(asks, "cat /run/answered").await, "green");
    Rc::into_inner(fleet).unwrap().take_down().unwrap();
}
