//! What is installed on hosts, as operators are told: each set once, whoever has it.

use crate::{
    bench::{Bench, Session, hello},
    hosts,
};
use cofferdam_engine::inventory::PackageSet;
use cofferdam_proto::{
    session::{FromAgent, Hello, ToAgent},
    v1,
};
use cofferdam_tests::patience::eventually;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

fn with(host: &str, packages: &PackageSet) -> Hello {
    let mut hello = hello(host);
    hello.facts.packages = packages.digest();
    hello
}

#[tokio::test]
async fn what_hosts_have_installed_is_told_once_a_set_and_named_by_each_host() {
    let bench = Bench::start().await;
    let set = PackageSet([("openssl".to_owned(), "3.0.15-1".to_owned())].into());
    let mut sessions = Vec::new();
    for host in ["web-1", "web-2"] {
        let mut agent = bench.agent(host).await;
        let mut session = Session::open(&mut agent, with(host, &set)).await.unwrap();
        let welcome = session.next().await.expect("a welcome");
        if let ToAgent::Welcome {
            want_packages: true,
            ..
        } = welcome
        {
            session.send(FromAgent::Packages(set.clone())).await;
        }
        sessions.push(session);
    }
    let mut operator = bench.operator().await;
    let known = hosts(&mut operator).await;
    assert_eq!(known.len(), 2);
    assert!(known.iter().all(|view| view.packages == Some(set.digest())));

    let told = eventually("what is installed to be known", PATIENCE, async || {
        let asked = operator.package_sets(v1::PackageSetsRequest {}).await;
        let mut stream = asked.unwrap().into_inner();
        let mut told = Vec::new();
        while let Some(packages) = stream.message().await.unwrap() {
            told.push(PackageSet::try_from(packages).unwrap());
        }
        told.contains(&set).then_some(told).ok_or_else(String::new)
    });
    let told = told.await;
    assert_eq!(told.iter().filter(|one| **one == set).count(), 1);
    drop(sessions);
    bench.stop().await;
}
