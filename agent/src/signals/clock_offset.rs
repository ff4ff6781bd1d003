//! How far this host's clock is from another one, asked over NTP (RFC 5905, as a client of one
//! question).
//!
//! The other clock is asked, and not the kernel what it believes: a daemon that has lost its servers
//! goes on believing for hours. Servers turn away who asks too often, so an answer holds a while.

use super::settings::Clock;
use crate::{
    checks::verdict::{Limit, Measure, Reading, Verdict},
    clock::since_1970,
};
use std::{
    cell::RefCell,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::{UdpSocket, lookup_host},
    time::{Instant, timeout},
};

const NAME: &str = "clock-offset";

/// How long an answer may take (guess: half of it is the error that a slow way may bring in).
const DEADLINE: Duration = Duration::from_secs(1);

/// How long an answer holds: the shortest time between two questions that NTP knows (minpoll 4).
const HOLDS: Duration = Duration::from_secs(16);

/// From NTP's beginning, 1900, to 1970, in seconds.
const EPOCH: u64 = 2_208_988_800;

/// The length of a packet without extensions.
const PACKET: usize = 48;

/// Version 4, and the mode of one who asks.
const QUESTION: u8 = 0x23;

/// The last answer.
#[derive(Debug, Default)]
pub(super) struct Memory(RefCell<Option<(Instant, Reading)>>);

impl Memory {
    /// Reads the offset, or says again what was read a moment ago.
    pub(super) async fn read(&self, source: &Clock) -> Vec<Reading> {
        if let Some((at, reading)) = &*self.0.borrow()
            && at.elapsed() < HOLDS
        {
            return vec![reading.clone()];
        }
        let reading = match timeout(DEADLINE, ask(&source.server)).await {
            Ok(Ok(offset)) => judge(offset, source.offset),
            Ok(Err(why)) => unknown(source, &why),
            Err(_) => unknown(source, &format!("no answer in {} ms", DEADLINE.as_millis())),
        };
        *self.0.borrow_mut() = Some((Instant::now(), reading.clone()));
        vec![reading]
    }
}

fn unknown(source: &Clock, why: &str) -> Reading {
    Reading::new(NAME, Verdict::NoData, &format!("{}: {why}", source.server))
}

fn judge(offset: Offset, most: Duration) -> Reading {
    let limit = Limit::AtMost(most.as_secs_f64() * 1000.0);
    let ahead = if offset.0 < 0 { "ahead" } else { "behind" };
    let millis = Duration::from_micros(offset.0.unsigned_abs()).as_secs_f64() * 1000.0;
    let measure = Measure::new((millis * 10.0).round() / 10.0, "ms", limit);
    Reading::measured(NAME, measure, ahead)
}

/// How far the other clock is ahead of this one, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Offset(i64);

/// Asks once. The error says what is wrong, for people.
async fn ask(server: &str) -> Result<Offset, String> {
    let text = |error: io::Error| error.to_string();
    let mut found = lookup_host(server).await.map_err(text)?;
    let address = found.next().ok_or("it has no address")?;
    let any: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await.map_err(text)?;
    socket.connect(address).await.map_err(text)?;
    let sent = NtpTime::from(since_1970());
    socket.send(&question(sent)).await.map_err(text)?;
    let mut answer = [0; PACKET];
    loop {
        let length = socket.recv(&mut answer).await.map_err(text)?;
        let received = NtpTime::from(since_1970());
        // An answer to another question is not waited for any less.
        if let Some(offset) = offset(&answer[..length], sent, received) {
            return offset;
        }
    }
}

fn question(sent: NtpTime) -> [u8; PACKET] {
    let mut packet = [0; PACKET];
    packet[0] = QUESTION;
    packet[40..].copy_from_slice(&sent.0.to_be_bytes());
    packet
}

/// A moment as NTP writes it: seconds since 1900, modulo 2^32, and 2^32 parts of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NtpTime(u64);

impl From<Duration> for NtpTime {
    fn from(since_1970: Duration) -> Self {
        let seconds = since_1970.as_secs().wrapping_add(EPOCH);
        let fraction = (u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000;
        Self(seconds << 32 | fraction)
    }
}

impl NtpTime {
    /// How much later it is than another one that is less than 68 years away, in 2^32 parts of a second.
    fn since(self, other: Self) -> i64 {
        self.0.wrapping_sub(other.0).cast_signed()
    }
}

/// What an answer says. Nothing: it is none to this question. The error: its server does not know the
/// time either.
fn offset(answer: &[u8], sent: NtpTime, received: NtpTime) -> Option<Result<Offset, String>> {
    /// The mode of one who answers.
    const SERVER: u8 = 4;
    /// The highest stratum of a server that knows the time.
    const LAST_STRATUM: u8 = 15;
    let moment = |at: usize| {
        Some(NtpTime(u64::from_be_bytes(
            *answer.get(at..)?.first_chunk()?,
        )))
    };
    let (flags, stratum) = (*answer.first()?, *answer.get(1)?);
    let (origin, heard, said) = (moment(24)?, moment(32)?, moment(40)?);
    if flags & 7 != SERVER || origin != sent {
        return None;
    }
    if flags >> 6 == 3 || !(1..=LAST_STRATUM).contains(&stratum) {
        return Some(Err("it does not know the time itself".to_owned()));
    }
    let ahead = i128::from(heard.since(sent)) + i128::from(said.since(received));
    let micros = (ahead * 1_000_000) >> 33;
    Some(
        i64::try_from(micros)
            .map(Offset)
            .map_err(|error| error.to_string()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> NtpTime {
        NtpTime::from(Duration::from_millis(1_700_000_000_000 + millis))
    }

    fn answer(flags: u8, stratum: u8, times: [NtpTime; 3]) -> Vec<u8> {
        let mut packet = vec![0; 24];
        (packet[0], packet[1]) = (flags, stratum);
        times
            .iter()
            .for_each(|time| packet.extend(time.0.to_be_bytes()));
        packet
    }

    /// A question at 0, received again at 20 ms.
    fn said(packet: &[u8]) -> Option<Result<Offset, String>> {
        offset(packet, at(0), at(20))
    }

    #[test]
    fn the_offset_is_what_is_left_when_the_way_is_taken_out() {
        for (heard, answered, millis) in [(10, 10, 0), (1_010, 1_010, 1_000), (510, 514, 502)] {
            let packet = answer(0x24, 2, [at(0), at(heard), at(answered)]);
            let Some(Ok(Offset(micros))) = said(&packet) else {
                panic!("no offset of {heard}")
            };
            assert!((micros - millis * 1000).abs() <= 1, "{micros} {millis}");
        }
        let behind = answer(0x24, 2, [at(2_000), at(0), at(0)]);
        let Some(Ok(Offset(micros))) = offset(&behind, at(2_000), at(2_000)) else {
            panic!("no offset")
        };
        assert!((micros + 2_000_000).abs() <= 1, "{micros}");
    }

    #[test]
    fn a_server_that_does_not_know_the_time_is_no_answer_and_others_are_passed_over() {
        let times = [at(0), at(10), at(10)];
        for (flags, stratum) in [(0xe4, 2), (0x24, 0), (0x24, 16)] {
            assert!(said(&answer(flags, stratum, times)).unwrap().is_err());
        }
        let other = [at(1), at(10), at(10)];
        for packet in [
            answer(0x24, 2, other),
            answer(0x23, 2, times),
            answer(0x24, 2, times)[..47].to_vec(),
            Vec::new(),
            vec![0xff; 3],
        ] {
            assert_eq!(said(&packet), None);
        }
        let wild = answer(0x24, 1, [at(0), NtpTime(u64::MAX / 2), NtpTime(0)]);
        assert!(said(&wild).is_some());
    }

    #[test]
    fn both_directions_are_judged() {
        let most = Duration::from_millis(500);
        for (micros, says) in [
            (1_200, "clock-offset: pass: 1.2 ms, at most 500 ms: behind"),
            (
                -600_000,
                "clock-offset: fail: 600 ms, at most 500 ms: ahead",
            ),
            (
                i64::MIN,
                "clock-offset: fail: 9223372036854776 ms, at most 500 ms: ahead",
            ),
        ] {
            assert_eq!(judge(Offset(micros), most).to_string(), says);
        }
    }

    #[tokio::test]
    async fn a_server_is_asked_once_in_a_while() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let source = Clock {
            server: server.local_addr().unwrap().to_string(),
            offset: Duration::from_secs(60),
        };
        let memory = Memory::default();
        let serve = async {
            let mut packet = [0; PACKET];
            let (_, client) = server.recv_from(&mut packet).await.unwrap();
            let sent = NtpTime(u64::from_be_bytes(packet[40..].try_into().unwrap()));
            let answer = answer(0x24, 1, [sent, sent, sent]);
            server.send_to(&answer, client).await.unwrap();
        };
        let (readings, ()) = tokio::join!(memory.read(&source), serve);
        assert_eq!(readings[0].verdict, Verdict::Pass, "{}", readings[0]);
        drop(server);
        assert_eq!(memory.read(&source).await, readings);
    }
}
