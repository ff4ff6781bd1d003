//! Asks DNS servers for an SRV record: over UDP, and over TCP where the answer is too long for it.

use super::srv::Target;
use crate::tls;
use rustls::crypto::ring;
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, TYPE, rdata::RData};
use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

/// How long one server may take (guess: a resolver that has to ask others takes well under a second).
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// How often all servers are asked: UDP may lose one question.
const TRIES: usize = 2;

/// The most targets that count (guess: a region has a handful of coordinators).
const MOST_TARGETS: usize = 64;

/// The longest answer over UDP; a longer one is cut and marked (RFC 1035, section 2.3.4).
const UDP_BYTES: usize = 512;

/// Why a name did not lead to an address.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// No server gave an answer that says anything.
    #[error("no DNS server says where {name} is")]
    Unanswered {
        /// The name.
        name: String,
        /// What came of asking the last server.
        #[source]
        source: QueryError,
    },
    /// There is no such record.
    #[error("there is no SRV record {0}")]
    Missing(String),
    /// The record says that the service is nowhere.
    #[error("the SRV record {0} names no target that could be dialled")]
    Nowhere(String),
}

/// What came of asking one server.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It took too long.
    #[error("{0} did not answer within {secs} s", secs = ANSWER_WITHIN.as_secs())]
    TooLate(SocketAddr),
    /// It could not be asked.
    #[error("{server} cannot be asked")]
    Io {
        /// The server.
        server: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It did not answer the question.
    #[error("{server} answered {code}")]
    Refused {
        /// The server.
        server: SocketAddr,
        /// Its answer's code.
        code: String,
    },
    /// It sent what is no answer.
    #[error("{0} sent what cannot be read")]
    Malformed(SocketAddr),
}

/// What a server answered.
#[derive(Debug)]
pub(super) struct Found {
    /// Not empty.
    pub(super) targets: Vec<Target>,
    /// How long the answer holds, by its own word.
    pub(super) ttl: Duration,
}

/// Asks the servers in turn until one knows.
///
/// # Errors
/// [`LookupError`].
pub(super) async fn ask(name: &str, servers: &[SocketAddr]) -> Result<Found, LookupError> {
    let mut last = None;
    for server in servers.iter().cycle().take(servers.len() * TRIES) {
        let asked = timeout(ANSWER_WITHIN, ask_one(name, *server)).await;
        match asked.unwrap_or(Err(QueryError::TooLate(*server))) {
            Ok(Answer::Found(found)) => return Ok(found),
            Ok(Answer::Missing) => return Err(LookupError::Missing(name.to_owned())),
            Ok(Answer::Nowhere) => return Err(LookupError::Nowhere(name.to_owned())),
            Err(error) => last = Some(error),
        }
    }
    let name = name.to_owned();
    Err(match last {
        Some(source) => LookupError::Unanswered { name, source },
        None => LookupError::Missing(name),
    })
}

enum Answer {
    Found(Found),
    Missing,
    Nowhere,
}

async fn ask_one(name: &str, server: SocketAddr) -> Result<Answer, QueryError> {
    let io = |source| QueryError::Io { server, source };
    let id = draw().map_err(io)?;
    let question = question(id, name).ok_or(QueryError::Malformed(server))?;
    let short = over_udp(&question, server, id, name).await.map_err(io)?;
    match read(&short, server, id, name)? {
        Some(answer) => Ok(answer),
        None => {
            let long = over_tcp(&question, server).await.map_err(io)?;
            read(&long, server, id, name)?.ok_or(QueryError::Malformed(server))
        }
    }
}

/// A number that nobody can guess, so that nobody elsewhere on the network can answer in the server's place.
fn draw() -> io::Result<u16> {
    let mut id = [0; 2];
    let random = ring::default_provider().secure_random;
    random
        .fill(&mut id)
        .map_err(|_| io::Error::other("the system has no random numbers"))?;
    Ok(u16::from_be_bytes(id))
}

fn question(id: u16, name: &str) -> Option<Vec<u8>> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name).ok()?;
    packet.questions.push(Question::new(
        name,
        TYPE::SRV.into(),
        CLASS::IN.into(),
        false,
    ));
    packet.build_bytes_vec().ok()
}

/// The first packet that answers this question. Others are passed over: they may be anybody's.
async fn over_udp(question: &[u8], server: SocketAddr, id: u16, name: &str) -> io::Result<Vec<u8>> {
    let own: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(own).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    loop {
        let mut buffer = vec![0; UDP_BYTES];
        let length = socket.recv(&mut buffer).await?;
        buffer.truncate(length);
        if Packet::parse(&buffer).is_ok_and(|packet| answers(&packet, id, name)) {
            return Ok(buffer);
        }
    }
}

/// Each message has its length before it (RFC 1035, section 4.2.2).
async fn over_tcp(question: &[u8], server: SocketAddr) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream
        .write_all(&[&length.to_be_bytes(), question].concat())
        .await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn answers(packet: &Packet<'_>, id: u16, name: &str) -> bool {
    let asked = |question: &Question<'_>| question.qname.to_string().eq_ignore_ascii_case(name);
    packet.id() == id
        && packet.has_flags(PacketFlag::RESPONSE)
        && matches!(packet.questions.as_slice(), [one] if asked(one))
}

/// What a packet says. Nothing where it was cut.
fn read(
    bytes: &[u8],
    server: SocketAddr,
    id: u16,
    name: &str,
) -> Result<Option<Answer>, QueryError> {
    let packet = Packet::parse(bytes).ok();
    let packet = packet.filter(|packet| answers(packet, id, name));
    let packet = packet.ok_or(QueryError::Malformed(server))?;
    if packet.has_flags(PacketFlag::TRUNCATION) {
        return Ok(None);
    }
    let code = packet.rcode();
    if matches!(code, RCODE::NoError) {
        return Ok(Some(targets(&packet)));
    }
    if matches!(code, RCODE::NameError) {
        return Ok(Some(Answer::Missing));
    }
    let code = format!("{code:?}");
    Err(QueryError::Refused { server, code })
}

/// The targets, whatever alias led to them: only the server that was asked can have written them.
fn targets(packet: &Packet<'_>) -> Answer {
    let mut targets = Vec::new();
    let mut ttl = u32::MAX;
    let mut any = false;
    for record in &packet.answers {
        let RData::SRV(srv) = &record.rdata else {
            continue;
        };
        any = true;
        ttl = ttl.min(record.ttl);
        let address = format!("{}:{}", srv.target, srv.port);
        // The root stands for "nowhere" (RFC 2782), and is no address.
        if srv.port != 0 && tls::uri(&address).is_ok() && targets.len() < MOST_TARGETS {
            let (priority, weight) = (srv.priority, srv.weight);
            targets.push(Target {
                priority,
                weight,
                address,
            });
        }
    }
    match (any, targets.is_empty()) {
        (false, _) => Answer::Missing,
        (true, true) => Answer::Nowhere,
        (true, false) => Answer::Found(Found {
            targets,
            ttl: Duration::from_secs(ttl.into()),
        }),
    }
}
