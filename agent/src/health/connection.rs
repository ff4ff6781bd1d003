//! One client of the responder, from its connection to its end, without ever waiting for it.
//!
//! ```text
//! HTTP        Reading --request--> Asking --answer--> Writing --> Leaving --> over
//! agent-check                      Asking --answer--> Writing --> Leaving --> over
//! ```

use super::{
    page::Page,
    request::{self, Answerable, Parsed},
};
use nix::poll::PollFlags;
use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Shutdown, TcpStream},
    time::Instant,
};

/// Which port the client came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// That of the pages.
    Health,
    /// That of HAProxy's agent-check, where nothing is asked aloud.
    AgentCheck,
}

/// What a client wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// A page.
    Page(Answerable),
    /// HAProxy's line.
    Line,
}

/// One client.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    began: Instant,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Reading(Vec<u8>),
    Asking { question: Question, since: Instant },
    Writing { bytes: Vec<u8>, sent: usize },
    Leaving,
    Over,
}

impl Connection {
    /// Takes a client in.
    ///
    /// # Errors
    /// When the kernel does not let its socket be used without waiting.
    pub fn new(stream: TcpStream, port: Port) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let began = Instant::now();
        let phase = match port {
            Port::Health => Phase::Reading(Vec::new()),
            Port::AgentCheck => Phase::Asking {
                question: Question::Line,
                since: began,
            },
        };
        Ok(Self {
            stream,
            began,
            phase,
        })
    }

    /// Its socket.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// When it came.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// What it waits to be told, and since when. Absent: it waits for nothing of ours.
    pub fn question(&self) -> Option<(&Question, Instant)> {
        match &self.phase {
            Phase::Asking { question, since } => Some((question, *since)),
            Phase::Reading(_) | Phase::Writing { .. } | Phase::Leaving | Phase::Over => None,
        }
    }

    /// Whether it keeps its place without asking anything.
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Reading(_) | Phase::Leaving)
    }

    /// Whether its socket can be closed.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// The host's address that it came to.
    pub fn host_address(&self) -> IpAddr {
        let local = self.stream.local_addr();
        local.map_or(Ipv4Addr::UNSPECIFIED.into(), |local| local.ip())
    }

    /// What it waits for on its socket.
    pub fn interest(&self) -> PollFlags {
        match self.phase {
            Phase::Reading(_) | Phase::Leaving => PollFlags::POLLIN,
            Phase::Writing { .. } => PollFlags::POLLOUT,
            Phase::Asking { .. } | Phase::Over => PollFlags::empty(),
        }
    }

    /// Goes on with what its socket can do now.
    pub fn go_on(&mut self, can: PollFlags) {
        let broken = PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL;
        let result = match &mut self.phase {
            // A client that hung up while it waits is told nothing.
            Phase::Asking { .. } if can.intersects(broken) => {
                Err(io::ErrorKind::NotConnected.into())
            }
            _ if can.is_empty() => return,
            Phase::Reading(head) => read(&mut self.stream, head),
            Phase::Writing { bytes, sent } => write(&mut self.stream, bytes, sent),
            Phase::Leaving => leave(&mut self.stream),
            Phase::Asking { .. } | Phase::Over => return,
        };
        match result {
            Ok(Some(next)) => self.phase = next,
            Ok(None) => {}
            Err(error) if is_passing(&error) => {}
            Err(_) => self.phase = Phase::Over,
        }
    }

    /// Tells it what it asked.
    pub fn answer(&mut self, bytes: Vec<u8>) {
        self.phase = Phase::Writing { bytes, sent: 0 };
        self.go_on(PollFlags::POLLOUT);
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

fn read(stream: &mut TcpStream, head: &mut Vec<u8>) -> io::Result<Option<Phase>> {
    let mut part = [0; 1024];
    let room = request::MAX_BYTES
        .saturating_sub(head.len())
        .min(part.len());
    let length = stream.read(&mut part[..room])?;
    head.extend_from_slice(&part[..length]);
    let refused = |page: &Page| Phase::Writing {
        bytes: page.to_http(true),
        sent: 0,
    };
    Ok(match request::parse(head) {
        Parsed::Incomplete if length > 0 => None,
        Parsed::Incomplete => Some(refused(&request::malformed())),
        Parsed::Complete(answerable) => Some(Phase::Asking {
            question: Question::Page(answerable),
            since: Instant::now(),
        }),
        Parsed::Refused(page) => Some(refused(&page)),
    })
}

fn write(stream: &mut TcpStream, bytes: &[u8], sent: &mut usize) -> io::Result<Option<Phase>> {
    while *sent < bytes.len() {
        match stream.write(&bytes[*sent..])? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            length => *sent += length,
        }
    }
    stream.shutdown(Shutdown::Write)?;
    Ok(Some(Phase::Leaving))
}

/// What the client still sends is read, or the kernel would cut off the answer.
fn leave(stream: &mut TcpStream) -> io::Result<Option<Phase>> {
    let length = stream.read(&mut [0; 1024])?;
    Ok((length == 0).then_some(Phase::Over))
}
