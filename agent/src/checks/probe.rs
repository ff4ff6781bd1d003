//! Probes of the application: a TCP connection, or a GET over HTTP/1.1.
//!
//! Refused is a failure: nothing listens. No answer in time is no data.

use super::{
    http::{self, Answer},
    side_by_side,
    verdict::{Reading, Verdict},
};
use std::{io, ops::RangeInclusive, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// The most bytes of an answer that are read, head included (guess: a health page is a few KB).
pub const MAX_ANSWER: usize = 64 * 1024;

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
        /// What stands somewhere in the body of an answer that is well, byte for byte. Absent: the
        /// status says it all.
        body: Option<String>,
    },
}

impl Probe {
    /// What is sent. Absent: nothing, a connection says it all.
    pub fn request(&self) -> Option<String> {
        let Question::Http { path, .. } = &self.question else {
            return None;
        };
        Some(http::get(path, &self.address))
    }

    /// Whether more of the answer may change what is made of it: its first line has not come, or what
    /// its body has to hold.
    pub fn needs_more(&self, answer: &[u8]) -> bool {
        let Question::Http { statuses, body, .. } = &self.question else {
            return false;
        };
        if !answer.contains(&b'\n') {
            return true;
        }
        let is_well = http::status(answer).is_some_and(|status| statuses.contains(&status));
        match body {
            Some(body) if is_well => {
                let came = Answer::of(answer);
                came.is_none_or(|came| !came.is_whole() && !holds(&came.body(), body))
            }
            Some(_) | None => false,
        }
    }

    /// Judges what was answered to the request.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn judge(&self, answer: &[u8]) -> Result<(), String> {
        let Question::Http {
            path,
            statuses,
            body,
        } = &self.question
        else {
            return Ok(());
        };
        let asked = format!("GET {path} of {}", self.address);
        match http::status(answer) {
            Some(status) if statuses.contains(&status) => {}
            Some(status) => return Err(format!("{asked} is answered {status}")),
            None => return Err(format!("{asked} is not answered in HTTP")),
        }
        let Some(expected) = body else { return Ok(()) };
        if Answer::of(answer).is_some_and(|came| holds(&came.body(), expected)) {
            return Ok(());
        }
        Err(format!("the answer to {asked} does not hold {expected:?}"))
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
    let mut limited = stream.take(MAX_ANSWER as u64);
    while probe.needs_more(&answer) {
        if limited.read_buf(&mut answer).await.map_err(at)? == 0 {
            break;
        }
    }
    probe.judge(&answer)
}

fn holds(body: &[u8], expected: &str) -> bool {
    let expected = expected.as_bytes();
    body.windows(expected.len().max(1))
        .any(|part| part == expected)
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
            body: None,
        }
    }

    fn expecting(body: &str) -> Question {
        Question::Http {
            path: "/up".to_owned(),
            statuses: 200..=299,
            body: Some(body.to_owned()),
        }
    }

    #[tokio::test]
    async fn an_expected_body_must_come_in_whatever_pieces() {
        let wrong = r#"app: fail: the answer to GET /up of HOST does not hold "ready: 4""#;
        for (answer, says) in [
            (&b"HTTP/1.1 200 OK\r\n\r\nis ready: 4!"[..], "app: pass"),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n5\r\ndy: 4\r\n",
                "app: pass",
            ),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nready: 3",
                wrong,
            ),
            (b"HTTP/1.1 200 OK\r\nready: 4", wrong),
            (b"HTTP/1.1 200 OK\r\n\r\n", wrong),
            (
                b"HTTP/1.1 503 No\r\n\r\nready: 4",
                "app: fail: GET /up of HOST is answered 503",
            ),
        ] {
            assert_eq!(probe(server(answer), expecting("ready: 4")).await, says);
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
