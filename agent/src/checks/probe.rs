//! Probes of the application: a TCP connection, or a GET over HTTP/1.1.
//!
//! Refused is a failure: nothing listens. No answer in time is no data.

use super::{
    side_by_side,
    verdict::{Reading, Verdict},
};
use std::{io, ops::RangeInclusive, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// The most bytes of an answer that are read: only its first line counts.
const MAX_ANSWER: u64 = 4096;

/// One probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Its name, beside those of the checks.
    pub name: String,
    /// `HOST:PORT`.
    pub address: String,
    /// How long it may take, from the connection on.
    pub deadline: Duration,
    /// What is asked.
    pub question: Question,
}

/// What a probe asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Whether something accepts connections.
    Tcp,
    /// Whether a GET of a path is answered with one of these statuses.
    Http {
        /// The path, beginning with `/`.
        path: String,
        /// The statuses that are well, as in 200 to 299.
        statuses: RangeInclusive<u16>,
    },
}

impl Probe {
    /// What is sent. Absent: nothing, a connection says it all.
    pub fn request(&self) -> Option<String> {
        let Question::Http { path, .. } = &self.question else {
            return None;
        };
        Some(format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: cofferdam-agent\r\nConnection: close\r\n\r\n",
            self.address
        ))
    }

    /// Judges what was answered to the request, of which the first line counts.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn judge(&self, answer: &[u8]) -> Result<(), String> {
        let Question::Http { path, statuses } = &self.question else {
            return Ok(());
        };
        let asked = format!("GET {path} of {}", self.address);
        match status(answer) {
            Some(status) if statuses.contains(&status) => Ok(()),
            Some(status) => Err(format!("{asked} is answered {status}")),
            None => Err(format!("{asked} is not answered in HTTP")),
        }
    }

    /// What a probe says that had no answer in time.
    pub fn late(&self) -> Reading {
        let late = format!(
            "no answer from {} in {} ms",
            self.address,
            self.deadline.as_millis()
        );
        Reading::new(&self.name, Verdict::NoData, &late)
    }
}

/// Makes all probes at once, in their order.
pub(super) async fn read_all(probes: &[Probe]) -> Vec<Reading> {
    side_by_side(probes.iter().map(read).collect()).await
}

async fn read(probe: &Probe) -> Reading {
    let reading = |verdict, output: &str| Reading::new(&probe.name, verdict, output);
    match timeout(probe.deadline, ask(probe)).await {
        Ok(Ok(())) => reading(Verdict::Pass, ""),
        Ok(Err(wrong)) => reading(Verdict::Fail, &wrong),
        Err(_) => probe.late(),
    }
}

/// Asks once. The error says what is wrong, for people.
async fn ask(probe: &Probe) -> Result<(), String> {
    let at = |error: io::Error| format!("{}: {error}", probe.address);
    let mut stream = TcpStream::connect(&probe.address).await.map_err(at)?;
    let Some(request) = probe.request() else {
        return Ok(());
    };
    stream.write_all(request.as_bytes()).await.map_err(at)?;
    let mut answer = Vec::new();
    let mut limited = stream.take(MAX_ANSWER);
    while !answer.contains(&b'\n') {
        if limited.read_buf(&mut answer).await.map_err(at)? == 0 {
            break;
        }
    }
    probe.judge(&answer)
}

/// The status of an HTTP/1 answer. Absent: it is none.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|&byte| byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let (_version, rest) = line.strip_prefix("HTTP/1.")?.split_once(' ')?;
    rest.get(..3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread,
    };

    /// Answers one connection with some bytes, and says where.
    fn server(answer: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            assert!(stream.read(&mut request).unwrap() > 0);
            stream.write_all(answer).unwrap();
        });
        address
    }

    async fn probe(address: String, question: Question) -> String {
        let probe = Probe {
            name: "app".to_owned(),
            address,
            deadline: Duration::from_secs(5),
            question,
        };
        let reading = read(&probe).await;
        reading.to_string().replace(&probe.address, "HOST")
    }

    fn http() -> Question {
        Question::Http {
            path: "/up".to_owned(),
            statuses: 200..=299,
        }
    }

    #[tokio::test]
    async fn the_status_of_the_answer_decides() {
        let good = server(b"HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(probe(good, http()).await, "app: pass");
        let bad = server(b"HTTP/1.1 503 Unavailable\r\n\r\nbody");
        assert_eq!(
            probe(bad, http()).await,
            "app: fail: GET /up of HOST is answered 503"
        );
    }

    #[tokio::test]
    async fn garbage_is_a_failure() {
        for garbage in [
            &b""[..],
            b"SSH-2.0-x\r\n",
            b"HTTP/1.1 2\n",
            b"\xff\xfe\n",
            b"HTTP/1.1 \xc3\xa9\xc3\xa9\n",
        ] {
            let said = probe(server(garbage), http()).await;
            assert_eq!(said, "app: fail: GET /up of HOST is not answered in HTTP");
        }
    }

    #[tokio::test]
    async fn a_port_on_which_nothing_listens_is_a_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert_eq!(probe(address.clone(), Question::Tcp).await, "app: pass");
        drop(listener);
        assert!(probe(address, Question::Tcp).await.starts_with("app: fail"));
    }

    #[tokio::test]
    async fn silence_is_no_data() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = Probe {
            name: "app".to_owned(),
            address: listener.local_addr().unwrap().to_string(),
            deadline: Duration::from_millis(50),
            question: http(),
        };
        assert_eq!(read(&silent).await.verdict, Verdict::NoData);
    }
}
