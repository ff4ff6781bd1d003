//! Whatever HAProxy, systemd and the kernel say, a signal has a reading.

use super::{
    balancer, kernel_log, load, memory, route,
    settings::{Balancer, Statistics},
    systemd,
};
use crate::fuzz::printed;
use cofferdam_engine::id::HostId;
use proptest::prelude::*;

/// Pieces of the samples beside the readers.
const PIECES: [&str; 36] = [
    "# pxname,svname,status,weight,\n",
    "# weight,status,svname,pxname\n",
    "app,web-0,UP,10,",
    "web-0",
    "DRAIN",
    "-1",
    "18446744073709551616",
    ",",
    "\n",
    "\r\n",
    "\r\n\r\n",
    "HTTP/1.1 200 OK",
    "Transfer-Encoding: chunked\r\n",
    "ffffffffffffffff\r\n",
    "5\r\nabc",
    "Content-Length: 99999999999999999999",
    "4,1234,5678,-;",
    "3,",
    "Oops: general protection fault",
    "Out of memory: Killed process 42 (tool)",
    "I/O error, dev sda, sector 1",
    "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0",
    "00000000000000000000000000000000 00 ",
    "ffffffff eth0",
    "MemAvailable:   22087072 kB\n",
    "MemTotal:       0 kB\n",
    "NaN 1e999 -1",
    "8.59 7.14 6.00 12/152 19788",
    "● tool.service loaded failed failed\n",
    "* ",
    ".mount",
    "LoadState=loaded\n",
    "ActiveState=active\n",
    "SubState",
    "\0",
    "é",
];

proptest! {
    #[test]
    fn every_answer_is_some_reading(text in printed(&PIECES), other in printed(&PIECES)) {
        let host = HostId::new("web-0").unwrap();
        let balancer = Balancer {
            name: "lb".to_owned(),
            statistics: Statistics::Socket("/run/haproxy.sock".into()),
            backend: None,
            server: None,
        };
        let reading = balancer::judge(&balancer, &host, &text);
        prop_assert!(reading.name.starts_with("haproxy:"));
        balancer::body(text.as_bytes()).ok();

        let mut looked = kernel_log::Looked::default();
        looked.take(&text);
        looked.take(&other);
        kernel_log::parse(&text);

        route::judge(&text, &other);
        prop_assert!(memory::available(&text).is_none_or(|share| share >= 0.0));
        prop_assert!(load::per_core(&text, 0).is_none_or(|load| load.is_finite() && load >= 0.0));

        let units = ["tool.service".to_owned(), other];
        prop_assert!(!systemd::judge_failed(&text, &units).is_empty());
        prop_assert_eq!(systemd::judge_named(&text, &units).len(), units.len());
    }
}
