//! What enrolment says of a host stands above what the host says.

use crate::{
    bench::{Bench, Session, hello},
    hosts,
};
use cofferdam_engine::inventory::{MARKED, PATCHER};
use cofferdam_proto::session::Hello;

/// What is known of a host's mark, as operators see it.
async fn mark(bench: &Bench, host: &str) -> Option<String> {
    let known = hosts(&mut bench.operator().await).await;
    let of_host = known.iter().find(|view| view.host.as_str() == host);
    of_host.unwrap().labels.get(PATCHER).cloned()
}

fn unmarked(host: &str) -> Hello {
    let mut hello = hello(host);
    hello.labels.insert(PATCHER.to_owned(), "false".to_owned());
    hello
}

#[tokio::test]
async fn a_host_that_was_enrolled_as_the_patchers_own_cannot_say_otherwise() {
    let bench = Bench::start().await;
    let mut enrolled = bench.patcher("repo-1").await;
    let mut other = bench.agent("web-1").await;

    let mut sessions = Vec::new();
    for (client, host) in [(&mut enrolled, "repo-1"), (&mut other, "web-1")] {
        let mut session = Session::open(client, unmarked(host)).await.unwrap();
        session.next().await.expect("a welcome");
        sessions.push(session);
    }

    assert_eq!(mark(&bench, "repo-1").await.as_deref(), Some(MARKED));
    assert_eq!(mark(&bench, "web-1").await.as_deref(), Some("false"));
    drop(sessions);
    bench.stop().await;
}
