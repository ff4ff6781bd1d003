//! The responder's one loop: waits for sockets and for answers of the application, never for a client.

use super::{
    connection::{Connection, Port, Question},
    line,
    listening::Listeners,
    page::Page,
    probing::Prober,
    seen::Seen,
};
use crate::{clock, config::Basis, flag::State};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use std::{
    io::{self, Read as _},
    net::TcpListener,
    os::fd::{AsFd as _, OwnedFd},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

/// What keeps the responder small, whoever connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at a time. Default 64 (guess: some load balancers with some processes each).
    pub connections: usize,
    /// How long a connection may last. Default 2 s, what HAProxy gives a check.
    pub deadline: Duration,
    /// How long a question may wait for the application. Then the last answer that is not too old counts.
    /// Default 400 ms: under the shortest interval at which load balancers ask (guess: 500 ms).
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            deadline: Duration::from_secs(2),
            patience: Duration::from_millis(400),
        }
    }
}

/// The wait after the kernel refused a connection, as it does without free file descriptors.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// The most clients that are taken in at once, so that those inside get on.
const AT_ONCE: usize = 16;

/// How long a responder that is told to stop stays for those inside: longer than any question waits for the
/// application ([`Limits::patience`]), and shorter than load balancers wait for who comes next.
const LEAVES_WITHIN: Duration = Duration::from_millis(500);

/// What a responder is told of its host, beside its ports and the application.
#[derive(Debug)]
pub struct Told {
    /// Where the state file is.
    pub state_file: PathBuf,
    /// What its config was read from.
    pub basis: Basis,
}

/// Everything that the loop has.
#[derive(Debug)]
pub struct Server {
    listeners: Listeners,
    prober: Prober,
    told: Told,
    limits: Limits,
    connections: Vec<Connection>,
    /// Can be read once the responder is to stop.
    stop: OwnedFd,
    /// Since when it leaves: who comes now is the next responder's to answer.
    leaving: Option<Instant>,
}

/// What the kernel said after a wait.
struct Happened {
    stop: bool,
    health: bool,
    agent_check: bool,
    /// In the order of the connections.
    connections: Vec<PollFlags>,
}

impl Server {
    /// A loop that has served nobody, and serves until `stop` can be read.
    pub fn new(
        listeners: Listeners,
        prober: Prober,
        told: Told,
        limits: Limits,
        stop: OwnedFd,
    ) -> Self {
        let connections = Vec::with_capacity(limits.connections);
        Self {
            listeners,
            prober,
            told,
            limits,
            connections,
            stop,
            leaving: None,
        }
    }

    /// Answers until it is told to stop and those inside have their answers.
    ///
    /// # Errors
    /// When the kernel cannot say what happens on the sockets.
    pub fn serve(mut self) -> io::Result<()> {
        while !self.has_left() {
            let happened = self.wait()?;
            // Whoever is inside goes on before others come in and change the order.
            for (connection, can) in self.connections.iter_mut().zip(&happened.connections) {
                connection.go_on(*can);
            }
            if happened.stop {
                self.leaving = Some(Instant::now());
            } else {
                self.take_in(&happened);
            }
            self.answer();
            let now = Instant::now();
            let deadline = self.limits.deadline;
            let is_late =
                |connection: &Connection| now.duration_since(connection.began()) >= deadline;
            // Late or broken: the connection is closed, and the client tries again.
            self.connections
                .retain(|connection| !connection.is_over() && !is_late(connection));
        }
        Ok(())
    }

    fn has_left(&self) -> bool {
        let is_late = |since: Instant| since.elapsed() >= LEAVES_WITHIN;
        self.leaving
            .is_some_and(|since| self.connections.is_empty() || is_late(since))
    }

    fn wait(&self) -> io::Result<Happened> {
        let watched = |socket, flags| PollFd::new(socket, flags);
        let news = match self.leaving {
            None => PollFlags::POLLIN,
            Some(_) => PollFlags::empty(),
        };
        let mut sockets = vec![
            watched(self.prober.bell().as_fd(), PollFlags::POLLIN),
            watched(self.stop.as_fd(), news),
            watched(self.listeners.health.as_fd(), news),
            watched(self.listeners.agent_check.as_fd(), news),
        ];
        for connection in &self.connections {
            sockets.push(watched(connection.stream().as_fd(), connection.interest()));
        }
        match poll(&mut sockets, self.timeout()) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut seen = sockets
            .iter()
            .map(|socket| socket.revents().unwrap_or(PollFlags::empty()));
        let mut next = || seen.next().is_some_and(|flags| !flags.is_empty());
        let (rang, stop, health, agent_check) = (next(), next(), next(), next());
        if rang {
            self.silence();
        }
        Ok(Happened {
            stop,
            health,
            agent_check,
            connections: seen.collect(),
        })
    }

    /// Until the first of the connections has been here, or has waited, for long enough.
    fn timeout(&self) -> PollTimeout {
        let moments = self.connections.iter().map(|connection| {
            let end = connection.began() + self.limits.deadline;
            match connection.question() {
                Some((_, since)) => end.min(since + self.limits.patience),
                None => end,
            }
        });
        let left_at = self.leaving.map(|since| since + LEAVES_WITHIN);
        let Some(first) = moments.chain(left_at).min() else {
            return PollTimeout::NONE;
        };
        // One more, since what is left of a millisecond would be waited for in a hot loop.
        let left = first.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
        PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
    }

    fn silence(&self) {
        let mut bell = self.prober.bell();
        while bell.read(&mut [0; 64]).is_ok_and(|length| length > 0) {}
    }

    fn take_in(&mut self, happened: &Happened) {
        if happened.health {
            self.take_in_at(Port::Health);
        }
        if happened.agent_check {
            self.take_in_at(Port::AgentCheck);
        }
    }

    fn take_in_at(&mut self, port: Port) {
        for _ in 0..AT_ONCE {
            match self.listener(port).accept() {
                Ok((stream, _peer)) => {
                    self.make_room();
                    // A socket that fails at once is one that its client has closed.
                    self.connections.extend(Connection::new(stream, port));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => {
                    thread::sleep(AFTER_REFUSAL);
                    return;
                }
            }
        }
    }

    fn listener(&self, port: Port) -> &TcpListener {
        match port {
            Port::Health => &self.listeners.health,
            Port::AgentCheck => &self.listeners.agent_check,
        }
    }

    /// Lets the one go that has kept its place longest without a question, or else the oldest.
    fn make_room(&mut self) {
        if self.connections.len() < self.limits.connections {
            return;
        }
        let idle = self.connections.iter().position(Connection::is_idle);
        self.connections.remove(idle.unwrap_or(0));
    }

    /// Answers every question that has waited for the application long enough.
    fn answer(&mut self) {
        if self.connections.iter().all(|one| one.question().is_none()) {
            return;
        }
        let all_fresh = self.prober.want();
        let now = Instant::now();
        for index in 0..self.connections.len() {
            let connection = &self.connections[index];
            let Some((question, since)) = connection.question() else {
                continue;
            };
            if all_fresh || now.duration_since(since) >= self.limits.patience {
                let answer = said(question, &self.seen(connection));
                self.connections[index].answer(answer);
            }
        }
    }

    fn seen(&self, connection: &Connection) -> Seen {
        Seen {
            state: State::read(&self.told.state_file),
            basis: self.told.basis.clone(),
            application: self.prober.answers(),
            address: connection.host_address(),
            uptime_ms: clock::uptime(),
            wall: clock::wall(),
        }
    }
}

fn said(question: &Question, seen: &Seen) -> Vec<u8> {
    match question {
        Question::Line => line::of(&seen.standing()).into_bytes(),
        Question::Page(wanted) => Page::of(&wanted.path, seen).to_http(wanted.with_body),
    }
}
