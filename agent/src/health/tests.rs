//! The responder over real sockets.

use super::*;
use crate::{
    checks::probe::{Probe, Question},
    flag::{FILE_NAME, FlagState, StateFile},
    patience::{SOON, eventually},
};
use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    sync::mpsc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

struct Responder {
    folder: tempfile::TempDir,
    health: SocketAddr,
    agent_check: SocketAddr,
    stop: UnixStream,
    /// What systemd keeps: the queue of those who come while no responder serves.
    kept: TcpListener,
    served: JoinHandle<()>,
}

impl Responder {
    /// Serves until it is told to stop.
    fn start(probes: Vec<Probe>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let listeners = Listeners::open(any, any).unwrap();
        let health = listeners.health.local_addr().unwrap();
        let agent_check = listeners.agent_check.local_addr().unwrap();
        let limits = Limits {
            connections: 4,
            deadline: Duration::from_secs(1),
            patience: Duration::from_millis(200),
        };
        let prober = Prober::start(probes).unwrap();
        let kept = listeners.health.try_clone().unwrap();
        let (stop, stopped) = UnixStream::pair().unwrap();
        let told = Told {
            state_file: folder.path().join(FILE_NAME),
            basis: Basis::File,
        };
        let server = Server::new(listeners, prober, told, limits, stopped.into());
        Self {
            folder,
            health,
            agent_check,
            stop,
            kept,
            served: thread::spawn(move || server.serve().unwrap()),
        }
    }

    fn flag(&self, flag: FlagState) {
        let file = StateFile::open(self.folder.path(), "web-1", None);
        file.set(flag, "worked on").unwrap();
    }

    fn send(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.health).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        // The responder may answer and close before it has read all.
        stream.write_all(bytes).ok();
        stream.shutdown(Shutdown::Write).ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
        String::from_utf8(answer).unwrap()
    }

    fn get(&self, path: &str) -> String {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
    }

    fn is_ready(&self) -> bool {
        let answer = self.get("/ready");
        let ready = answer.starts_with("HTTP/1.1 200 ");
        assert!(ready || answer.starts_with("HTTP/1.1 503 "), "{answer}");
        ready
    }

    fn line(&self) -> String {
        let mut stream = TcpStream::connect(self.agent_check).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let mut line = String::new();
        stream.read_to_string(&mut line).unwrap();
        line
    }
}

/// An application that answers each connection with what was said last. Nothing: it hangs.
fn application(name: &str) -> (Probe, mpsc::Sender<&'static str>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let probe = Probe {
        name: name.to_owned(),
        address: listener.local_addr().unwrap().to_string(),
        deadline: Duration::from_millis(300),
        question: Question::Http {
            path: "/".to_owned(),
            statuses: 200..=299,
            body: None,
        },
    };
    let (say, said) = mpsc::channel();
    thread::spawn(move || {
        let mut answer = "";
        let mut open = Vec::new();
        for stream in listener.incoming() {
            answer = said.try_iter().last().unwrap_or(answer);
            let mut stream = stream.unwrap();
            if answer.is_empty() {
                open.push(stream);
                continue;
            }
            if stream.read(&mut [0; 1024]).is_err() {
                continue;
            }
            stream.write_all(answer.as_bytes()).ok();
        }
    });
    (probe, say)
}

const WELL: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"version\": \"7\"}";

#[test]
fn each_question_reads_the_file_anew() {
    let responder = Responder::start(Vec::new());
    assert!(!responder.is_ready());
    assert!(
        responder
            .line()
            .starts_with("stopped #there is no state file")
    );
    responder.flag(FlagState::Up);
    assert!(responder.is_ready());
    assert_eq!(responder.line(), "up ready 100%\n");
    responder.flag(FlagState::Draining);
    assert!(
        responder
            .get("/ready")
            .ends_with("not available: worked on\n")
    );
    assert_eq!(responder.line(), "drain\n");
    responder.flag(FlagState::Down);
    assert_eq!(responder.line(), "stopped #worked on\n");
    let file = responder.folder.path().join(FILE_NAME);
    for garbled in [b"\0garbled".to_vec(), vec![b'['; 1 << 20]] {
        fs::write(&file, garbled).unwrap();
        assert!(!responder.is_ready());
        assert!(responder.line().starts_with("stopped #"));
    }
}

#[test]
fn health_is_json_and_head_has_no_body() {
    let responder = Responder::start(Vec::new());
    responder.flag(FlagState::Up);
    let page = responder.get("/healthz");
    assert!(
        page.contains("Content-Type: application/health+json\r\n"),
        "{page}"
    );
    assert!(page.contains("\"status\":\"pass\""), "{page}");
    let head = responder.send(b"HEAD /healthz HTTP/1.1\r\n\r\n");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    assert!(responder.get("/other").starts_with("HTTP/1.1 404 "));
}

#[test]
fn an_application_that_falls_or_hangs_takes_no_traffic_until_it_is_back() {
    let (probe, say) = application("web");
    say.send(WELL).unwrap();
    let responder = Responder::start(vec![probe]);
    responder.flag(FlagState::Up);
    eventually("the application to be well", || responder.is_ready());
    assert!(responder.get("/healthz").contains("\"web:version\""));
    for ill in ["HTTP/1.1 500 No\r\n\r\n", ""] {
        say.send(ill).unwrap();
        eventually("the application to be ill", || !responder.is_ready());
        let line = responder.line();
        assert!(line.starts_with("down #web: "), "{line}");
        say.send(WELL).unwrap();
        eventually("the application to be back", || responder.is_ready());
    }
}

#[test]
fn an_application_that_hangs_keeps_nobody_waiting() {
    let (hanging, _say) = application("hangs");
    let responder = Responder::start(vec![
        hanging.clone(),
        hanging.clone(),
        hanging.clone(),
        hanging,
    ]);
    for _ in 0..20 {
        let began = Instant::now();
        assert!(!responder.is_ready());
        // The patience is 200 ms; the rest is a busy machine.
        assert!(
            began.elapsed() < Duration::from_millis(900),
            "{:?}",
            began.elapsed()
        );
    }
}

#[test]
fn a_page_that_lies_deep_in_itself_ends_no_thread() {
    let (probe, say) = application("web");
    let deep = format!("{}{}", "[".repeat(120), "]".repeat(120));
    let page =
        format!(r#"{{"version": "7", "checks": {{"a:b": {deep}, "c:d": [{{"x": {deep}}}]}}}}"#);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{page}");
    say.send(String::leak(answer)).unwrap();
    let responder = Responder::start(vec![probe]);
    responder.flag(FlagState::Up);
    eventually("the application to be well", || responder.is_ready());
    let page = responder.get("/healthz");
    assert!(
        page.contains("\"web:version\"") && !page.contains("[[["),
        "{page}"
    );
}

#[test]
fn garbage_gets_a_400_and_stops_nothing() {
    let responder = Responder::start(Vec::new());
    responder.flag(FlagState::Up);
    for garbage in [&b"\x16\x03\x01\n\n"[..], b"hello", b"\n", &[0xff; 100_000]] {
        let answer = responder.send(garbage);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
    let mut loud = TcpStream::connect(responder.agent_check).unwrap();
    loud.write_all(&[b'x'; 100_000]).ok();
    assert!(responder.is_ready());
    assert_eq!(responder.line(), "up ready 100%\n");
}

#[test]
fn idle_and_slow_clients_keep_nobody_out() {
    let responder = Responder::start(Vec::new());
    responder.flag(FlagState::Up);
    let connect = || TcpStream::connect(responder.health).unwrap();
    let mut idle: Vec<TcpStream> = (0..50).map(|_| connect()).collect();
    let began = Instant::now();
    for _ in 0..10 {
        for stream in &mut idle {
            stream.write_all(b"G").ok();
        }
        assert!(responder.is_ready());
        assert_eq!(responder.line(), "up ready 100%\n");
    }
    assert!(
        began.elapsed() < Duration::from_millis(900),
        "{:?}",
        began.elapsed()
    );
    // Whoever still has a place loses it in time.
    let mut slow = connect();
    slow.set_read_timeout(Some(SOON)).unwrap();
    while slow.write_all(b"G").is_ok() {
        thread::yield_now();
    }
}

#[test]
fn a_responder_that_stops_answers_those_inside_and_leaves_the_others_to_the_next_one() {
    let (hanging, _say) = application("hangs");
    let mut responder = Responder::start(vec![hanging]);
    let _idle = TcpStream::connect(responder.health).unwrap();
    let mut clients: Vec<TcpStream> = (0..3)
        .map(|_| {
            let mut stream = TcpStream::connect(responder.health).unwrap();
            stream.write_all(b"GET /ready HTTP/1.1\r\n\r\n").unwrap();
            stream.set_read_timeout(Some(SOON)).unwrap();
            stream
        })
        .collect();
    responder.stop.write_all(b"!").unwrap();
    responder.served.join().unwrap();

    let queued = responder.kept.incoming().map_while(Result::ok);
    let queued: Vec<SocketAddr> = queued.map(|one| one.peer_addr().unwrap()).collect();
    for client in &mut clients {
        if queued.contains(&client.local_addr().unwrap()) {
            continue;
        }
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer:?}");
    }
}
