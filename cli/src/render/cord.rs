//! The cord.

use crate::render::{
    View,
    first::first,
    table::{ago, counted, short},
};
use cofferdam_engine::{cord::Span, id::Region, time::Timestamp};
use cofferdam_proto::operator::{CordView, PulledCord, UntoldRegion};
use serde::Serialize;

/// The most hosts that are named; JSON has all.
const NAMED: usize = 10;

/// Who pulled the cord, and who has not heard of it.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Cord {
    /// What the coordinator says of it.
    pub cord: CordView,
    /// The moment at which it is looked at, by this machine's clock, which counts where the coordinator says none.
    #[serde(skip)]
    pub now: Timestamp,
}

impl View for Cord {
    fn text(&self) -> String {
        let CordView {
            pulled,
            untold,
            away,
            now_ms,
        } = &self.cord;
        let now = now_ms.unwrap_or(self.now);
        if pulled.is_empty() {
            return "the cord is not pulled\n".to_owned();
        }
        let mut text: String = pulled.iter().map(|cord| line(cord, now)).collect();
        text.extend(untold.iter().map(|region| at_risk(region, now)));
        if untold.len() > 1 {
            let hosts: u64 = untold.iter().map(|region| region.hosts_at_risk).sum();
            text += &format!("at risk: {}\n", hosts_of(hosts));
        }
        if !away.is_empty() {
            let hosts = first(NAMED, away, ", ");
            text += &format!("no session: {hosts}; without an answer they start nothing\n");
        }
        text
    }
}

fn line(cord: &PulledCord, now: Timestamp) -> String {
    let what = match (cord.span, &cord.region) {
        (Span::Fleet, _) => "the cord is pulled".to_owned(),
        (Span::Region, None) => "the region's own cord is pulled".to_owned(),
        (Span::Region, Some(region)) => format!("region {region} has pulled its own cord"),
    };
    let why = match cord.reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    format!("{what}, by {}, {}{why}\n", cord.by, ago(cord.at_ms, now))
}

fn at_risk(untold: &UntoldRegion, now: Timestamp) -> String {
    let region: &Region = &untold.region;
    let silence = match untold.silent_since_ms {
        Some(since) => format!("nothing is heard of it since {}", ago(since, now)),
        None => "it has not answered yet".to_owned(),
    };
    let risk = match untold.until_ms {
        Some(until) => {
            let (hosts, left) = (hosts_of(untold.hosts_at_risk), short(until.since(now)));
            format!("it may start {hosts}, for {left} more")
        }
        None => "it has no leave to start any host".to_owned(),
    };
    format!("not told: region {region}, {silence}; {risk}\n")
}

fn hosts_of(number: u64) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), "host")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::id::{HostId, OperatorId};

    fn shown(cord: CordView) -> String {
        // This machine's clock is hours ahead of the coordinator's.
        let now = Timestamp(9_999_999);
        Cord { cord, now }.text()
    }

    #[test]
    fn who_could_not_be_told_is_listed_with_the_number_at_risk() {
        let region = |name: &str| Region::new(name).unwrap();
        let pulled = PulledCord {
            by: OperatorId::new("anna").unwrap(),
            at_ms: Timestamp(3_599_000),
            reason: "errors in r1".to_owned(),
            span: Span::Fleet,
            region: None,
        };
        let own = PulledCord {
            reason: String::new(),
            span: Span::Region,
            region: Some(region("r3")),
            ..pulled.clone()
        };
        let silent = UntoldRegion {
            region: region("r1"),
            silent_since_ms: Some(Timestamp(3_000_000)),
            hosts_at_risk: 24,
            until_ms: Some(Timestamp(4_800_000)),
        };
        let late = UntoldRegion {
            region: region("r2"),
            silent_since_ms: None,
            hosts_at_risk: 0,
            until_ms: None,
        };
        let text = shown(CordView {
            pulled: vec![pulled, own],
            untold: vec![silent, late],
            away: vec![HostId::new("web-1").unwrap()],
            now_ms: Some(Timestamp(3_600_000)),
        });
        insta::assert_snapshot!(text, @r"
        the cord is pulled, by anna, 1s ago: errors in r1
        region r3 has pulled its own cord, by anna, 1s ago
        not told: region r1, nothing is heard of it since 10m ago; it may start 24 hosts, for 20m more
        not told: region r2, it has not answered yet; it has no leave to start any host
        at risk: 24 hosts
        no session: web-1; without an answer they start nothing
        ");
    }

    #[test]
    fn a_cord_that_is_not_pulled_says_so() {
        let text = shown(CordView {
            pulled: Vec::new(),
            untold: Vec::new(),
            away: Vec::new(),
            now_ms: None,
        });
        assert_eq!(text, "the cord is not pulled\n");
    }
}
