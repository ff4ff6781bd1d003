//! One question to the application, with a deadline over all of it.

use crate::checks::{
    probe::Probe,
    verdict::{Reading, Verdict},
};
use std::{
    io::{self, Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    time::{Duration, Instant},
};

/// The most bytes of an answer that are read, head included (guess: a health page is a few KB).
const MAX_ANSWER: usize = 64 * 1024;

/// Makes a probe once: its reading, and the JSON that it was answered, if any.
pub(super) fn ask(probe: &Probe) -> (Reading, Option<Vec<u8>>) {
    let reading = |verdict, said: &str| Reading::new(&probe.name, verdict, said);
    let answer = match exchange(probe, Instant::now() + probe.deadline) {
        Ok(answer) => answer,
        Err(error) if is_late(&error) => return (probe.late(), None),
        Err(error) => {
            let said = format!("{}: {error}", probe.address);
            return (reading(Verdict::Fail, &said), None);
        }
    };
    match probe.judge(&answer) {
        Ok(()) => (reading(Verdict::Pass, ""), json_of(&answer)),
        Err(wrong) => (reading(Verdict::Fail, &wrong), json_of(&answer)),
    }
}

fn is_late(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    )
}

/// What is answered: as much as is needed of it. Nothing to a probe that only connects.
fn exchange(probe: &Probe, deadline: Instant) -> io::Result<Vec<u8>> {
    let mut stream = connect(&probe.address, deadline)?;
    let Some(request) = probe.request() else {
        return Ok(Vec::new());
    };
    stream.set_write_timeout(Some(left(deadline)?))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    while answer.len() < MAX_ANSWER && !is_whole(&answer) {
        // What is there when time is up counts: its first line has the verdict.
        let read = left(deadline)
            .and_then(|left| stream.set_read_timeout(Some(left)))
            .and_then(|()| stream.read(&mut part));
        match read {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&part[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if answer.contains(&b'\n') => break,
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}

fn connect(address: &str, deadline: Instant) -> io::Result<TcpStream> {
    let mut refused = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left(deadline)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// The time that is left, which is never none: a timeout of zero would mean for ever.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(left)
}

/// Whether more of an answer would tell nothing more.
fn is_whole(answer: &[u8]) -> bool {
    let Some((head, body)) = parts(answer) else {
        return false;
    };
    if !is_json(&head) {
        return true;
    }
    let length = header(&head, "content-length").and_then(|length| length.parse().ok());
    match length {
        Some(length) => body.len() >= length,
        None => is_chunked(&head) && unchunk(body).is_some(),
    }
}

/// The JSON of an answer. Absent: it has none, or not all of it came.
fn json_of(answer: &[u8]) -> Option<Vec<u8>> {
    let (head, body) = parts(answer)?;
    if !is_json(&head) {
        return None;
    }
    if is_chunked(&head) {
        return unchunk(body);
    }
    Some(body.to_vec())
}

/// Head, as text in lower case, and body.
fn parts(answer: &[u8]) -> Option<(String, &[u8])> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    Some((head, &answer[end + 4..]))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let found = fields.find(|(key, _)| *key == name);
    found.map(|(_, value)| value.trim())
}

fn is_json(head: &str) -> bool {
    header(head, "content-type").is_some_and(|media| media.contains("json"))
}

fn is_chunked(head: &str) -> bool {
    header(head, "transfer-encoding").is_some_and(|coding| coding.contains("chunked"))
}

/// The body that came in chunks (RFC 9112, 7.1). Absent: its end has not come, or it is garbled.
fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let chunk = rest.get(end + 2..)?;
        body.extend_from_slice(chunk.get(..size)?);
        rest = chunk.get(size.checked_add(2)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::probe::Question;
    use std::{net::TcpListener, thread};

    /// Answers one connection, and keeps it open for as long as the other side does.
    fn asked(answer: &'static [u8], deadline: Duration) -> (Reading, Option<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(answer).unwrap();
            while stream.read(&mut [0; 1024]).is_ok_and(|length| length > 0) {}
        });
        let probe = Probe {
            name: "app".to_owned(),
            address,
            deadline,
            question: Question::Http {
                path: "/".to_owned(),
                statuses: 200..=299,
            },
        };
        let said = ask(&probe);
        server.join().unwrap();
        said
    }

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(50);

    #[test]
    fn json_is_read_to_its_end_and_no_further() {
        for answer in [
            &b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"[..],
            b"HTTP/1.1 200 OK\r\nContent-TYPE: application/health+json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n",
        ] {
            let (reading, body) = asked(answer, LONG);
            assert_eq!((reading.verdict, body.as_deref()), (Verdict::Pass, Some(&b"{}"[..])));
        }
    }

    #[test]
    fn a_page_that_is_no_json_is_not_waited_for() {
        let (reading, body) = asked(b"HTTP/1.1 503 No\r\nContent-Length: 99999\r\n\r\n", LONG);
        assert_eq!((reading.verdict, body), (Verdict::Fail, None));
    }

    #[test]
    fn an_answer_that_stays_away_is_no_data_and_half_a_page_is_none() {
        assert_eq!(asked(b"", SHORT).0.verdict, Verdict::NoData);
        let half = b"HTTP/1.1 200 OK\r\nContent-Type: text/json\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{";
        let (reading, body) = asked(half, SHORT);
        assert_eq!((reading.verdict, body), (Verdict::Pass, None));
    }
}
