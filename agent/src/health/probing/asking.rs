//! One question to the application, with a deadline over all of it.

use crate::checks::{
    http::Answer,
    probe::{MAX_ANSWER, Probe},
    verdict::{Reading, Verdict},
};
use std::{
    io::{self, Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    time::{Duration, Instant},
};

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
    while answer.len() < MAX_ANSWER && (probe.needs_more(&answer) || tells_more(&answer)) {
        // What is there when time is up counts, if it has the verdict.
        let read = left(deadline)
            .and_then(|left| stream.set_read_timeout(Some(left)))
            .and_then(|()| stream.read(&mut part));
        match read {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&part[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if !probe.needs_more(&answer) => break,
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

/// Whether more of an answer would tell more than the verdict: the application's own page.
fn tells_more(answer: &[u8]) -> bool {
    Answer::of(answer).is_none_or(|answer| answer.is_json() && !answer.is_whole())
}

/// The JSON of an answer. Absent: it has none. One that is cut off is no JSON for its reader.
fn json_of(answer: &[u8]) -> Option<Vec<u8>> {
    let answer = Answer::of(answer)?;
    answer.is_json().then(|| answer.body())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{checks::probe::Question, health::application::Folded};
    use std::{net::TcpListener, thread};

    /// Answers one connection, and keeps it open for as long as the other side does.
    fn asked(answer: &'static [u8], deadline: Duration) -> (Reading, Option<Vec<u8>>) {
        asked_for(None, answer, deadline)
    }

    /// The same, of a probe that expects a body.
    fn asked_for(
        body: Option<String>,
        answer: &'static [u8],
        deadline: Duration,
    ) -> (Reading, Option<Vec<u8>>) {
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
                body,
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
        assert_eq!(reading.verdict, Verdict::Pass);
        assert!(Folded::read("app", &body.unwrap()).is_none());
    }

    #[test]
    fn a_body_that_is_expected_and_stays_away_is_no_data() {
        let well = Some("ready".to_owned());
        let begun = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nread";
        let (reading, _) = asked_for(well.clone(), begun, SHORT);
        assert_eq!(reading.verdict, Verdict::NoData);
        let come = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nready";
        assert_eq!(asked_for(well, come, LONG).0.verdict, Verdict::Pass);
    }
}
