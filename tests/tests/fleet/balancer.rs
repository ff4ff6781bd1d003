//! What a load balancer sees of a host, whatever becomes of its agent.

use cofferdam_engine::{id::HostId, identity::Identity};
use cofferdam_tests::{
    balancer::{Balancer, View},
    fleet::Fleet,
    machine::Machine,
    patience::eventually,
    pki::Validity,
    process::Process,
    rollout::{self, ALL_AT_ONCE},
    site::NO_RAMP,
    usage,
};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

const SOON: Duration = Duration::from_secs(40);

/// How long nothing must change, in whole seconds of HAProxy's own clock: some ten of its questions.
const LONG_ENOUGH_SECS: u64 = 2;

const WELL: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n\
                    {\"status\": \"pass\", \"version\": \"4.2\", \"checks\": {\"pool:used\": [{\"observedValue\": 3}]}}";
const ILL: &str = "HTTP/1.1 500 No\r\nConnection: close\r\n\r\n";

/// An application that answers as it was last told to.
struct Application {
    address: SocketAddr,
    answer: Arc<Mutex<&'static str>>,
}

impl Application {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = Self {
            address: listener.local_addr().unwrap(),
            answer: Arc::new(Mutex::new(WELL)),
        };
        let answer = Arc::clone(&own.answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                if stream.read(&mut [0; 1024]).is_err() {
                    continue;
                }
                stream.write_all(answer.lock().unwrap().as_bytes()).ok();
            }
        });
        own
    }

    fn says(&self, answer: &'static str) {
        *self.answer.lock().unwrap() = answer;
    }
}

/// A host with an application and a responder behind HAProxy, and another one beside it, since one that is
/// alone is not taken; no agent is started yet.
struct Scene {
    fleet: Fleet,
    host: HostId,
    application: Application,
    balancer: Balancer,
    _responder: Process,
}

impl Scene {
    fn set() -> Option<Self> {
        let fleet = Fleet::lay_out(Machine::neighbours(2));
        let host = fleet.hosts().remove(0);
        let application = Application::start();
        let address = application.address;
        let config = fleet.site.agent_config(&host);
        let text = fs::read_to_string(&config).unwrap();
        let probe = format!("[[probe]]\nname = \"web\"\nhttp = \"http://{address}/\"\n");
        let text = text.replace(NO_RAMP, "ramp = \"10s\"\n");
        fs::write(&config, text + &probe).unwrap();
        let site = &fleet.site;
        let responder = Process::start(site.health(&host), &site.path().join("health.log"));
        let balancer = Balancer::start(address, site.health_address, site.agent_check)?;
        Some(Self {
            fleet,
            host,
            application,
            balancer,
            _responder: responder,
        })
    }

    async fn until(&self, what: &str, is_so: impl Fn(&View) -> bool) -> View {
        eventually(what, SOON, async || {
            let view = self.balancer.view()?;
            let wanted = is_so(&view);
            wanted.then(|| view.clone()).ok_or(format!("{view:?}"))
        })
        .await
    }

    fn get(&self, path: &str) -> String {
        usage::page(self.fleet.site.health_address, path).unwrap()
    }

    /// Waits for HAProxy to ask some more, and to see nothing else than before.
    async fn stays(&self, what: &str, before: &View) {
        let page = self.get("/ready");
        let patience = before.unchanged_secs + LONG_ENOUGH_SECS;
        let after = self.until(what, |view| {
            assert_eq!(
                (view.downs, &view.status),
                (before.downs, &before.status),
                "{what}"
            );
            view.unchanged_secs >= patience
        });
        let after = after.await;
        assert_eq!(after.weight, before.weight, "{what}");
        // Of a host in traffic HAProxy says now and then that it is up, and mostly nothing.
        if before.status != "UP" {
            assert_eq!(after.reason, before.reason, "{what}");
        }
        assert_eq!(self.get("/ready"), page, "{what}");
    }
}

fn is_full(view: &View) -> bool {
    view.status == "UP" && view.weight == 100
}

#[tokio::test]
async fn what_a_load_balancer_sees_outlives_the_agent() {
    let Some(mut scene) = Scene::set() else {
        return;
    };
    let before = scene.until("the host to be down", |view| {
        view.status.starts_with("DOWN")
    });
    before.await;
    assert!(scene.get("/ready").starts_with("HTTP/1.1 503 "));
    assert!(scene.get("/healthz").contains("there is no state file"));

    scene.fleet.start_all().await;
    let part = scene.until("a part of the traffic", |view| {
        view.status == "UP" && view.weight < 100
    });
    part.await;
    let full = scene.until("all traffic", is_full).await;
    let page = scene.get("/healthz");
    assert!(
        page.contains("\"web.pool:used\":[{\"observedValue\": 3}]"),
        "{page}"
    );

    let host = scene.host.clone();
    scene.fleet.agent(&host).freeze();
    scene.stays("an agent that hangs", &full).await;
    scene.fleet.agent(&host).thaw();
    scene.fleet.kill_agent(&host);
    let full = scene.balancer.view().unwrap();
    scene.stays("an agent that was killed", &full).await;
    scene.fleet.start_agent(&host, None);
    scene.fleet.in_service().await;
    let full = scene.balancer.view().unwrap();
    scene.stays("an agent that is back", &full).await;

    scene.fleet.kill_agent(&host);
    let identity = Identity::Agent(host.clone());
    let site = &scene.fleet.site;
    site.authority.issue_with(&identity, Validity::Expired);
    scene.fleet.start_agent(&host, None);
    let full = scene.balancer.view().unwrap();
    scene
        .stays("an agent whose certificate expired", &full)
        .await;

    scene.application.says(ILL);
    let ill = scene.until("an ill application to be down", |view| {
        view.status.starts_with("DOWN")
    });
    ill.await;
    scene.application.says(WELL);
    scene.until("the application to be back", is_full).await;
}

#[tokio::test]
async fn a_rollout_is_seen_as_stopped_whatever_becomes_of_its_agent_and_ends_in_full_traffic() {
    let Some(mut scene) = Scene::set() else {
        return;
    };
    scene.fleet.start_all().await;
    scene.until("all traffic", is_full).await;

    let text =
        rollout::noop("seen", "stable_for = \"8s\"").replacen("stable_for = \"10ms\"\n", "", 1);
    let rollout = scene
        .fleet
        .start_rollout("seen", &(text + ALL_AT_ONCE))
        .await;
    // The check of health may be first to take it out; the reason comes with the agent-check.
    let stopped = scene.until("the host to be stopped", |view| {
        view.status.starts_with("DOWN") && view.reason.contains("patching seen")
    });
    let stopped = stopped.await;
    let host = scene.host.clone();
    scene.fleet.kill_agent(&host);
    scene
        .stays("an agent that was killed in its run", &stopped)
        .await;
    scene.fleet.start_agent(&host, None);
    scene.fleet.end_of(&rollout, SOON).await;
    scene.until("all traffic again", is_full).await;
    scene.fleet.finish();
}
