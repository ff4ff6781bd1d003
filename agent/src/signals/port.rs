//! Whether something listens on the ports that were named.

use crate::{
    checks::verdict::{Reading, Verdict},
    host::connections,
};
use std::{collections::BTreeSet, io};

/// Reads whether something listens, one reading a port.
pub(super) fn read(ports: &BTreeSet<u16>) -> Vec<Reading> {
    if ports.is_empty() {
        return Vec::new();
    }
    judge(ports, connections::listening())
}

fn judge(ports: &BTreeSet<u16>, listening: io::Result<BTreeSet<u16>>) -> Vec<Reading> {
    let judged = ports.iter().map(|port| {
        let (verdict, why) = match &listening {
            Ok(listening) if listening.contains(port) => (Verdict::Pass, String::new()),
            Ok(_) => (Verdict::Fail, "nothing listens".to_owned()),
            Err(error) => (Verdict::NoData, format!("/proc/net/tcp: {error}")),
        };
        Reading::new(format!("port:{port}"), verdict, &why)
    });
    judged.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patience::eventually;
    use std::net::TcpListener;

    #[test]
    fn each_port_is_told_by_itself() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let say = |readings: Vec<Reading>| readings[0].to_string().replace(&port.to_string(), "P");
        let ports = BTreeSet::from([port]);
        assert_eq!(say(read(&ports)), "port:P: pass");
        drop(listener);
        // Programs that other tests start have it open until they have become those programs.
        eventually("the port to be closed", || {
            say(read(&ports)) != "port:P: pass"
        });
        assert_eq!(say(read(&ports)), "port:P: fail: nothing listens");
        let unknown = Err(io::Error::other("no"));
        assert_eq!(
            say(judge(&ports, unknown)),
            "port:P: no-data: /proc/net/tcp: no"
        );
        assert!(read(&BTreeSet::new()).is_empty());
    }
}
