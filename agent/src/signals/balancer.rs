//! What HAProxy sees of this host: its statistics as CSV (management guide 9.1), from its page over
//! HTTP or from its socket.

use super::settings::{Balancer, Statistics};
use crate::checks::{
    http::{self, Answer},
    verdict::{Limit, Measure, Reading, Verdict},
};
use cofferdam_engine::id::HostId;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    time::timeout,
};

/// How long HAProxy may take to answer (guess: it takes a millisecond a thousand servers).
const DEADLINE: Duration = Duration::from_secs(2);

/// The most bytes of an answer (guess: ten thousand servers; more are told by `backend` of no less).
const MAX_ANSWER: u64 = 8 << 20;

/// What its socket is told.
const COMMAND: &str = "show stat\n";

/// A server as one line of the statistics has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen<'a> {
    backend: &'a str,
    status: &'a str,
    /// Its weight, also while it drains or is down and is given nothing.
    weight: u32,
}

/// Reads what one load balancer sees.
pub(super) async fn read(balancer: &Balancer, host: &HostId) -> Reading {
    let unknown = |why: &str| Reading::new(signal(balancer), Verdict::NoData, why);
    match timeout(DEADLINE, ask(&balancer.statistics)).await {
        Ok(Ok(csv)) => judge(balancer, host, &csv),
        Ok(Err(error)) => unknown(&error.to_string()),
        Err(_) => unknown(&format!("no answer in {} ms", DEADLINE.as_millis())),
    }
}

fn signal(balancer: &Balancer) -> String {
    format!("haproxy:{}", balancer.name)
}

pub(super) fn judge(balancer: &Balancer, host: &HostId, csv: &str) -> Reading {
    let server = balancer.server.as_deref().unwrap_or(host.as_str());
    let reading = |verdict, why: &str| Reading::new(signal(balancer), verdict, why);
    let Some(seen) = servers(csv, server) else {
        return reading(Verdict::NoData, "its answer is no statistics");
    };
    let is_asked_for = |one: &&Seen<'_>| match &balancer.backend {
        Some(backend) => one.backend == backend,
        None => true,
    };
    let seen: Vec<&Seen<'_>> = seen.iter().filter(is_asked_for).collect();
    let Some(least) = seen.iter().map(|one| one.weight).min() else {
        let why = format!("it knows no server {server}");
        return reading(Verdict::Fail, &why);
    };
    if let Some(down) = seen.iter().find(|one| !is_up(one.status)) {
        let why = format!("{}/{server} is {}", down.backend, down.status);
        return reading(Verdict::Fail, &why);
    }
    let measure = Measure::new(least.into(), "weight", Limit::AtLeast(1.0));
    Reading::measured(signal(balancer), measure, "")
}

/// Whether HAProxy sends traffic to a server of this status: also to one whose last check failed and
/// that has others left (`UP 1/3`), and to one that it does not look at.
fn is_up(status: &str) -> bool {
    status == "UP" || status.starts_with("UP ") || status == "no check"
}

/// The servers of a name. Absent: these are no statistics.
fn servers<'a>(csv: &'a str, server: &str) -> Option<Vec<Seen<'a>>> {
    let mut lines = csv.lines();
    let head = lines.next()?.strip_prefix("# ")?;
    let column = |name| head.split(',').position(|column| column == name);
    let (backend, name) = (column("pxname")?, column("svname")?);
    let (status, weight) = (column("status")?, column("weight")?);
    let seen = lines.filter_map(|line| {
        // None of these columns, nor one before them, is text that could hold a comma.
        let columns: Vec<&str> = line.split(',').collect();
        let is_it = *columns.get(name)? == server;
        let seen = Seen {
            backend: columns.get(backend)?,
            status: columns.get(status)?,
            weight: columns.get(weight)?.parse().ok()?,
        };
        is_it.then_some(seen)
    });
    Some(seen.collect())
}

async fn ask(statistics: &Statistics) -> io::Result<String> {
    match statistics {
        Statistics::Socket(path) => {
            let stream = UnixStream::connect(path).await?;
            Ok(String::from_utf8_lossy(&exchange(stream, COMMAND).await?).into_owned())
        }
        Statistics::Http { address, path } => {
            let stream = TcpStream::connect(address).await?;
            let answer = exchange(stream, &http::get(path, address)).await?;
            body(&answer).map_err(io::Error::other)
        }
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    say: &str,
) -> io::Result<Vec<u8>> {
    stream.write_all(say.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    Ok(answer)
}

pub(super) fn body(answer: &[u8]) -> Result<String, String> {
    match http::status(answer) {
        Some(200) => {}
        Some(status) => return Err(format!("its page is answered {status}")),
        None => return Err("its page is not answered in HTTP".to_owned()),
    }
    let body = Answer::of(answer).map(|answer| answer.body());
    Ok(String::from_utf8_lossy(&body.unwrap_or_default()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use std::{
        io::{Read, Write},
        net::TcpListener,
        os::unix::net::UnixListener,
        thread,
    };

    /// The first 24 columns of `show stat` of HAProxy 2.6.12-1+deb12u4, as it printed them: servers of `app`
    /// that are up, down, not looked at and in maintenance, and one of `api` after `set server api/web-0
    /// state drain`, which has the weight that it had.
    const CSV: &str = "\
# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,act,bck,chkfail,chkdown,lastchg,
web,FRONTEND,,,0,0,9983,0,0,0,0,0,0,,,,,OPEN,,,,,,,
app,web-0,0,0,0,0,,0,0,0,,0,,0,0,0,0,UP,10,1,0,1,1,4,
app,web-1,0,0,0,0,,0,0,0,,0,,0,0,0,0,DOWN,100,1,0,1,1,5,
app,web-2,0,0,0,0,,0,0,0,,0,,0,0,0,0,no check,100,1,0,,,6,
app,web-3,0,0,0,0,,0,0,0,,0,,0,0,0,0,MAINT,100,1,0,0,0,6,
app,BACKEND,0,0,0,0,999,0,0,0,0,0,,0,0,0,0,UP,110,2,0,,0,6,
api,web-0,0,0,0,0,,0,0,0,,0,,0,0,0,0,DRAIN,100,1,0,1,1,2,
api,BACKEND,0,0,0,0,1,0,0,0,0,0,,0,0,0,0,DOWN,0,0,0,,2,2,

";

    fn balancer(server: &str, backend: Option<&str>) -> Balancer {
        Balancer {
            name: "lb".to_owned(),
            statistics: Statistics::Socket("/run/haproxy/admin.sock".into()),
            backend: backend.map(str::to_owned),
            server: Some(server.to_owned()),
        }
    }

    fn judge(balancer: &Balancer, csv: &str) -> Reading {
        super::judge(balancer, &sample::host(), csv)
    }

    #[test]
    fn a_server_must_be_up_with_a_weight_wherever_it_is_asked_for() {
        for (server, backend, says) in [
            (
                "web-0",
                Some("app"),
                "haproxy:lb: pass: 10 weight, at least 1 weight",
            ),
            ("web-0", None, "haproxy:lb: fail: api/web-0 is DRAIN"),
            ("web-1", None, "haproxy:lb: fail: app/web-1 is DOWN"),
            (
                "web-2",
                None,
                "haproxy:lb: pass: 100 weight, at least 1 weight",
            ),
            ("web-3", None, "haproxy:lb: fail: app/web-3 is MAINT"),
            ("web-4", None, "haproxy:lb: fail: it knows no server web-4"),
            (
                "web-1",
                Some("api"),
                "haproxy:lb: fail: it knows no server web-1",
            ),
        ] {
            assert_eq!(judge(&balancer(server, backend), CSV).to_string(), says);
        }
        for (status, is_up) in [
            ("UP 1/3", true),
            ("DOWN 1/2", false),
            ("NOLB", false),
            ("", false),
        ] {
            assert_eq!(super::is_up(status), is_up, "{status}");
        }
        let mut by_its_name = balancer("web-0", Some("app"));
        by_its_name.server = None;
        let reading = judge(&by_its_name, CSV);
        assert!(
            reading.to_string().ends_with("app/web-1 is DOWN"),
            "{reading}"
        );
        let no_weight = CSV.replace("UP,10,", "UP,0,");
        let reading = judge(&balancer("web-0", Some("app")), &no_weight);
        assert_eq!(reading.verdict, Verdict::Fail);
    }

    #[test]
    fn garbage_is_no_data() {
        for garbage in [
            "",
            "\n",
            "# ",
            "# pxname,svname\n",
            "<html>",
            "\u{0}",
            "Permission denied\n",
        ] {
            let reading = judge(&balancer("web-0", None), garbage);
            assert_eq!(reading.verdict, Verdict::NoData, "{garbage}");
        }
        let cut = &CSV[..CSV.len() - 60];
        assert_eq!(judge(&balancer("web-1", None), cut).verdict, Verdict::Fail);
        let headless = CSV.lines().next().unwrap().to_owned() + "\napp,web-0,UP\n,,,\n";
        let reading = judge(&balancer("web-0", None), &headless);
        assert_eq!(reading.verdict, Verdict::Fail, "{reading}");
    }

    #[tokio::test]
    async fn statistics_come_over_http_and_from_a_socket() {
        let pass = "haproxy:lb: pass: 10 weight, at least 1 weight";
        let mut asked = balancer("web-0", Some("app"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let page = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            write!(stream, "{head}{:x}\r\n{CSV}\r\n0\r\n\r\n", CSV.len()).unwrap();
        });
        asked.statistics = Statistics::Http {
            address,
            path: "/stats;csv".to_owned(),
        };
        assert_eq!(read(&asked, &sample::host()).await.to_string(), pass);
        page.join().unwrap();
        assert_eq!(
            read(&asked, &sample::host()).await.verdict,
            Verdict::NoData,
            "it is gone"
        );

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let socket = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut said = [0; 1024];
            let length = stream.read(&mut said).unwrap();
            stream.write_all(CSV.as_bytes()).unwrap();
            String::from_utf8_lossy(&said[..length]).into_owned()
        });
        asked.statistics = Statistics::Socket(path);
        assert_eq!(read(&asked, &sample::host()).await.to_string(), pass);
        assert_eq!(socket.join().unwrap(), COMMAND);
    }
}
