mod guard;
mod keys;
mod queries;
mod reserve;

use super::*;
use crate::{
    sessions::{SessionNumber, ends},
    store::{Loaded, MemoryStore, Record, memory::MemoryDisk},
    tasks::StopSign,
    view::Situation,
};
use cofferdam_engine::{
    calendar::Calendar,
    digest::Digest,
    fleet::{FleetError, Form},
    id::{HostId, Incarnation, OperatorId, OwnerEpoch, ReportSequence, RolloutId},
    inventory::{Facts, PackageSet, Platform},
    patch::{LockFile, Locked},
    plan::{Plan, PlanInput},
    report::{Report, ReportBody},
    spec::Spec,
};
use cofferdam_proto::session::{HEARTBEAT, Heard, Hello, ToAgent};
use std::collections::BTreeMap;
use tokio::{task::JoinHandle, time::Instant};

/// Counts with tokio's time, which tests pause and skip.
#[derive(Debug)]
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(1_000_000).after(self.0.elapsed())
    }

    fn keep_after(&self, _: Timestamp) {}
}

struct Bench {
    handle: DriverHandle,
    sign: StopSign,
    driver: JoinHandle<Result<(), DriverError>>,
}

async fn start<S: Store>(store: S) -> Bench {
    let clock = Arc::new(TestClock(Instant::now()));
    let part = Part {
        form: Form::Whole,
        drawn: Incarnation(1),
        boot_id: None,
        ring: Ring::default(),
        answers: mpsc::channel(1).0,
        signer: None,
    };
    let (driver, handle) = Driver::take_over(store, clock, Metrics::default(), HEARTBEAT, part)
        .await
        .unwrap();
    let sign = StopSign::new();
    let driver = tokio::spawn(driver.run(sign.watch()));
    Bench {
        handle,
        sign,
        driver,
    }
}

async fn start_on(disk: &MemoryDisk) -> Bench {
    start(MemoryStore::on(disk)).await
}

impl Bench {
    async fn connect(&self, name: &str) -> (SessionNumber, mpsc::Receiver<ToAgent>) {
        let (outbound, _, messages) = ends();
        let number = self.handle.next_session();
        let opened = self.handle.opened(hello(name), number, outbound).await;
        opened.unwrap().unwrap();
        (number, messages)
    }

    async fn report(&self, name: &str, number: SessionNumber, sequence: u64) {
        let report = Report {
            incarnation: Incarnation(7),
            sequence: ReportSequence(sequence),
            body: ReportBody::Service {
                in_service: true,
                detail: String::new(),
            },
        };
        let said = Said::Report(report);
        self.handle.said(&host(name), number, said).await.unwrap();
    }

    async fn start_rollout(&self, name: &str) -> Result<(), FleetError> {
        let file = format!(
            "name = \"{name}\"\n[patch]\nkind = \"noop\"\n[select]\nmatch = 'service == \"web\"'\n\
             [[limits]]\nfloor = [{{ group_by = [\"service\", \"zone\"], min_in_service = \"0%\" }}]\n\
             [[wave]]\nname = \"all\"\nto = \"100%\"\n"
        );
        let spec = Spec::parse("rollout.toml", &file).unwrap();
        let lock = LockFile {
            rollout: name.to_owned(),
            content: Locked::Noop,
        };
        let plan = self.handle.ask(move |situation| {
            let input = PlanInput {
                hosts: &situation.fleet.inventory(),
                cells: situation.fleet.homes(),
                package_sets: situation.fleet.package_sets(),
                denials: situation.fleet.denials(),
                casualties: &situation.fleet.casualties(),
                unready: &situation.fleet.unready(),
                now: situation.now,
                services: situation.fleet.services(),
                calendar: &Calendar::default(),
            };
            Plan::make(&spec, &lock, &input).unwrap()
        });
        let plan = Box::new(plan.await.unwrap());
        let by = OperatorId::new("ana").unwrap();
        let event = FleetEvent::RolloutStarted { plan, by };
        self.handle.act(event).await.unwrap()
    }

    /// Stops the driver as a crash would: nothing more is written.
    async fn stop(self) -> Result<(), DriverError> {
        self.sign.give();
        self.driver.await.unwrap()
    }
}

fn host(name: &str) -> HostId {
    HostId::new(name).unwrap()
}

fn packages() -> PackageSet {
    let package = |i: u32| (format!("package-{i}"), "1.0".to_owned());
    PackageSet((0..2500).map(package).collect())
}

fn hello(name: &str) -> Hello {
    let labels = [("region", "r1"), ("zone", "a"), ("service", "web")];
    Hello {
        host: host(name),
        incarnation: Incarnation(7),
        boot_id: "boot-1".to_owned(),
        version: "1.0".to_owned(),
        labels: labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        facts: Facts {
            platform: Platform {
                os_release: "debian-12".to_owned(),
                architecture: "amd64".to_owned(),
            },
            kernel: "6.1".to_owned(),
            packages: packages().digest(),
        },
        in_service: true,
        detail: String::new(),
        takes_reservations: false,
        open: None,
        newest: None,
    }
}

fn welcome(epoch: u64, want_packages: bool) -> ToAgent {
    ToAgent::Welcome {
        epoch: OwnerEpoch(epoch),
        heartbeat: HEARTBEAT,
        want_packages,
        heard: Some(Heard {
            takes_effect: true,
            ..Heard::default()
        }),
    }
}

fn acknowledge(up_to: u64) -> ToAgent {
    let up_to = ReportSequence(up_to);
    ToAgent::Acknowledge { up_to }
}

#[tokio::test(start_paused = true)]
async fn a_host_is_welcomed_once_its_hello_is_stored() {
    let disk = MemoryDisk::default();
    let bench = start_on(&disk).await;

    let (_, mut messages) = bench.connect("web-1").await;

    assert_eq!(
        disk.content().records.len(),
        2,
        "the owner's start, the hello"
    );
    assert_eq!(messages.recv().await, Some(welcome(1, true)));
    assert_eq!(messages.recv().await, Some(acknowledge(0)));
}

#[tokio::test(start_paused = true)]
async fn a_report_that_comes_twice_is_acknowledged_twice_and_stored_once() {
    let disk = MemoryDisk::default();
    let bench = start_on(&disk).await;
    let (number, mut messages) = bench.connect("web-1").await;
    messages.recv().await;
    messages.recv().await;

    bench.report("web-1", number, 1).await;
    assert_eq!(messages.recv().await, Some(acknowledge(1)));
    let stored = disk.content().records.len();
    bench.report("web-1", number, 1).await;

    assert_eq!(messages.recv().await, Some(acknowledge(1)));
    assert_eq!(disk.content().records.len(), stored);
}

#[tokio::test(start_paused = true)]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let disk = MemoryDisk::default();
    let bench = start_on(&disk).await;
    let (number, mut messages) = bench.connect("web-1").await;
    bench.report("web-1", number, 1).await;
    while messages.recv().await != Some(acknowledge(1)) {}
    bench.stop().await.unwrap();

    let bench = start_on(&disk).await;
    let (_, mut messages) = bench.connect("web-1").await;

    assert_eq!(messages.recv().await, Some(welcome(2, true)));
    assert_eq!(messages.recv().await, Some(acknowledge(1)));
}

#[tokio::test(start_paused = true)]
async fn packages_are_asked_for_once() {
    let disk = MemoryDisk::default();
    let bench = start_on(&disk).await;
    let (number, _messages) = bench.connect("web-1").await;
    let said = Said::Packages(packages());
    bench
        .handle
        .said(&host("web-1"), number, said)
        .await
        .unwrap();

    let (_, mut messages) = bench.connect("web-2").await;

    assert_eq!(messages.recv().await, Some(welcome(1, false)));
}

#[tokio::test(start_paused = true)]
async fn packages_that_changed_in_a_session_are_noted_and_asked_for_once() {
    let disk = MemoryDisk::default();
    let bench = start_on(&disk).await;
    let set = PackageSet(BTreeMap::from([("tool".to_owned(), "2".to_owned())]));
    let packages = set.digest();
    let mut heard = Vec::new();
    for name in ["web-1", "web-2"] {
        let (number, mut messages) = bench.connect(name).await;
        for said in [Said::PackagesChanged(packages), Said::Packages(set.clone())] {
            bench.handle.said(&host(name), number, said).await.unwrap();
        }
        while let Some(message) = messages.recv().await {
            if let ToAgent::PackagesNoted { want_packages } = message {
                heard.push(want_packages);
                break;
            }
        }
    }
    assert_eq!(heard, [true, false]);
    let facts = |situation: Situation<'_>| {
        let of = |name| {
            situation
                .fleet
                .host(&host(name))
                .unwrap()
                .1
                .host
                .facts
                .packages
        };
        let sets = situation.fleet.package_sets();
        (["web-1", "web-2"].map(of), sets.get(&of("web-1")).cloned())
    };
    let known = bench.handle.ask(facts).await.unwrap();
    assert_eq!(known, ([packages, packages], Some(set)));
    bench.stop().await.unwrap();
    let replayed = history::replay(&disk.content()).unwrap();
    let (_, member) = replayed.fleet.host(&host("web-1")).unwrap();
    assert_eq!(member.host.facts.packages, packages);
}

#[tokio::test(start_paused = true)]
async fn packages_that_no_host_has_are_not_kept() {
    let disk = MemoryDisk::default();
    let bench = start_on(&disk).await;
    let set = |n: u32| PackageSet(BTreeMap::from([(format!("tool-{n}"), "1".to_owned())]));
    let sets = |situation: Situation<'_>| situation.fleet.package_sets().len();
    for n in 0..5 {
        let mut changed = hello("web-1");
        changed.facts.packages = set(n).digest();
        let (outbound, _inbound, _messages) = ends();
        let number = bench.handle.next_session();
        let opened = bench.handle.opened(changed, number, outbound).await;
        opened.unwrap().unwrap();
        for other in [n, n, n + 100] {
            let said = Said::Packages(set(other));
            bench
                .handle
                .said(&host("web-1"), number, said)
                .await
                .unwrap();
        }
        assert_eq!(bench.handle.ask(sets).await.unwrap(), 1);
    }
    let stored = disk.content().records;
    let sets = stored
        .iter()
        .filter(|r| r.0.windows(5).any(|w| w == b"tool-"));
    assert_eq!(sets.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_host_without_its_labels_is_refused_with_the_reason() {
    let bench = start_on(&MemoryDisk::default()).await;
    let (outbound, _, mut messages) = ends();
    let mut nameless = hello("web-1");
    nameless.labels.remove("zone");

    let number = bench.handle.next_session();
    let opened = bench.handle.opened(nameless, number, outbound).await;

    let refusal = cofferdam_proto::error_chain(&opened.unwrap().unwrap_err());
    assert!(refusal.contains("`zone`"), "{refusal}");
    assert_eq!(messages.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_replaced_says_nothing_any_more() {
    let disk = MemoryDisk::default();
    let bench = start_on(&disk).await;
    let (older, mut older_messages) = bench.connect("web-1").await;
    let (newer, mut messages) = bench.connect("web-1").await;
    let stored = disk.content().records.len();

    bench.report("web-1", older, 1).await;
    bench.handle.closed(host("web-1"), older).await;
    bench.report("web-1", newer, 2).await;

    while messages.recv().await != Some(acknowledge(2)) {}
    assert_eq!(disk.content().records.len(), stored + 1);
    while older_messages.recv().await.is_some() {}
}

#[tokio::test(start_paused = true)]
async fn a_rollout_is_replayed_with_all_that_was_decided() {
    let disk = MemoryDisk::default();
    let bench = start_on(&disk).await;
    let (_, mut messages) = bench.connect("web-1").await;
    bench.start_rollout("first").await.unwrap();
    loop {
        if let Some(ToAgent::Stage(..)) = messages.recv().await {
            break;
        }
    }
    let fleet = |situation: Situation<'_>| situation.fleet.clone();
    let before = bench.handle.ask(fleet).await.unwrap();
    bench.stop().await.unwrap();

    let replayed = history::replay(&disk.content()).unwrap();

    assert_eq!(replayed.fleet, before);
    let name = RolloutId::new("first").unwrap();
    assert!(replayed.fleet.rollouts().contains_key(&name));
}

#[tokio::test(start_paused = true)]
async fn a_name_is_used_once() {
    let bench = start_on(&MemoryDisk::default()).await;
    let (_, _messages) = bench.connect("web-1").await;
    bench.start_rollout("first").await.unwrap();

    let again = bench.start_rollout("first").await;

    assert!(
        matches!(again, Err(FleetError::RolloutExists(_))),
        "{again:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_takes_the_place_of_the_log() {
    let disk = MemoryDisk::default();
    let bench = start_on(&disk).await;
    let (number, mut messages) = bench.connect("web-1").await;
    tokio::time::sleep(CHECKPOINT_EVERY).await;
    bench.report("web-1", number, 1).await;
    while messages.recv().await != Some(acknowledge(1)) {}
    let fleet = |situation: Situation<'_>| situation.fleet.clone();
    let before = bench.handle.ask(fleet).await.unwrap();
    bench.stop().await.unwrap();

    let content = disk.content();
    assert!(content.checkpoint.is_some());
    assert_eq!(content.records, []);
    assert_eq!(history::replay(&content).unwrap().fleet, before);
}

/// A disk that fails when it is told to.
struct FailingStore {
    appends_left: usize,
}

impl Store for FailingStore {
    async fn load(&mut self) -> Result<Loaded, StoreError> {
        Ok(Loaded::default())
    }

    async fn append(&mut self, _: Vec<Record>) -> Result<(), StoreError> {
        if self.appends_left == 0 {
            return Err(StoreError::Io {
                action: "sync",
                path: "db".into(),
                source: std::io::Error::other("no space left"),
            });
        }
        self.appends_left -= 1;
        Ok(())
    }

    async fn checkpoint(&mut self, _: Vec<u8>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_acknowledged_that_could_not_be_stored() {
    let bench = start(FailingStore { appends_left: 2 }).await;
    let (number, mut messages) = bench.connect("web-1").await;
    bench.report("web-1", number, 1).await;

    let ended = bench.driver.await.unwrap();

    assert!(matches!(ended, Err(DriverError::Store(_))), "{ended:?}");
    assert_eq!(messages.recv().await, Some(welcome(1, true)));
    assert_eq!(messages.recv().await, Some(acknowledge(0)));
    assert_eq!(messages.recv().await, None);
}

/// What the first release wrote: an owner's start, and the checkpoint of an empty fleet.
const GOLDEN_EVENT: &str = r#"{"version":1,"at":1000,"event":{"fleet":"owner-started","epoch":3}}"#;

#[test]
fn an_event_of_the_first_release_is_replayed() {
    let loaded = Loaded {
        checkpoint: None,
        records: vec![Record(GOLDEN_EVENT.into())],
    };

    let replayed = history::replay(&loaded).unwrap();

    assert_eq!(replayed.fleet.epoch(), OwnerEpoch(3));
    assert_eq!(replayed.at, Timestamp(1000));
    let epoch = OwnerEpoch(3);
    let event = FleetEvent::OwnerStarted { epoch };
    let written = history::write_entry(Timestamp(1000), &event);
    assert_eq!(written, loaded.records[0]);
}

#[test]
fn what_cannot_be_replayed_is_named() {
    let cases = [
        ("{}", "record 2 after the checkpoint cannot be read"),
        (
            r#"{"version":2,"at":1,"event":{}}"#,
            "record 2 after the checkpoint has version 2",
        ),
        (GOLDEN_EVENT, "record 2 after the checkpoint does not fit"),
    ];
    for (text, expected) in cases {
        let loaded = Loaded {
            checkpoint: None,
            records: vec![Record(GOLDEN_EVENT.into()), Record(text.into())],
        };
        let error = history::replay(&loaded).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_package_set_of_any_size_comes_in_parts_that_make_it_whole() {
    for count in [0, 1, 1000, 1001, 50_000] {
        let package = |i: u32| (format!("package-{i}"), "1.0".to_owned());
        let set = PackageSet((0..count).map(package).collect::<BTreeMap<_, _>>());
        let digest: Digest = set.digest();
        let mut fleet = Fleet::default();
        for event in turn::package_events(&set) {
            fleet.apply(&event, Timestamp(0)).unwrap();
        }
        assert_eq!(fleet.package_sets().get(&digest), Some(&set), "{count}");
    }
}
