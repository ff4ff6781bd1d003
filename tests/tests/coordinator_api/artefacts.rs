//! The artefact store over the wire: ranges, damage, and who may bring what.

use crate::bench::{Bench, name};
use cofferdam_engine::{
    digest::Digest, identity::Identity, inventory::Platform, patch::LockedFile,
};
use cofferdam_proto::{
    artefact::{
        FetchArtefact, FindArtefacts, PackageFile, SuppliedArtefact, WantedArtefact, Whereabouts,
    },
    v1::{
        self, agent_client::AgentClient, operator_client::OperatorClient,
        supply_artefact_request::Message,
    },
};
use cofferdam_tests::patience::eventually;
use std::{collections::BTreeSet, fs, time::Duration};
use tonic::{Code, Status, transport::Channel};

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

type Agent = AgentClient<Channel>;

async fn put(operator: &mut OperatorClient<Channel>, content: &[u8]) -> Digest {
    let chunks = content.chunks(1000).map(|data| v1::Chunk {
        data: data.to_vec(),
    });
    let chunks: Vec<_> = chunks.collect();
    let stored = operator.put_artefact(tokio_stream::iter(chunks)).await;
    Digest::from_bytes(stored.unwrap().into_inner().digest.try_into().unwrap())
}

async fn fetch(agent: &mut Agent, digest: Digest, offset: u64) -> Result<Vec<u8>, Status> {
    let request = v1::FetchArtefactRequest::from(FetchArtefact { digest, offset });
    let mut chunks = agent.fetch_artefact(request).await?.into_inner();
    let mut all = Vec::new();
    while let Some(chunk) = chunks.message().await? {
        all.extend(chunk.data);
    }
    Ok(all)
}

fn tool() -> SuppliedArtefact {
    SuppliedArtefact {
        package: PackageFile {
            platform: Platform {
                os_release: "debian-12".to_owned(),
                architecture: "amd64".to_owned(),
            },
            name: "tool".to_owned(),
            version: "1".to_owned(),
        },
        file: LockedFile {
            sha256: Digest::of("tool 1"),
            size: 6,
        },
    }
}

async fn find(agent: &mut Agent) -> Whereabouts {
    let SuppliedArtefact { package, file } = tool();
    let asked = FindArtefacts {
        wanted: vec![WantedArtefact {
            package,
            locked: Some(file),
            has_it: false,
            refused: BTreeSet::new(),
        }],
        cannot: Vec::new(),
    };
    let request = v1::FindArtefactsRequest::from(asked);
    let reply = agent.find_artefacts(request).await.unwrap().into_inner();
    let mut found = Vec::<Whereabouts>::try_from(reply).unwrap();
    found.remove(0)
}

async fn supply(agent: &mut Agent, content: &[u8]) -> Result<(), Status> {
    let data = content.to_vec();
    let parts = [
        Message::Artefact(tool().into()),
        Message::Chunk(v1::Chunk { data }),
    ];
    let parts = parts.map(|message| v1::SupplyArtefactRequest {
        message: Some(message),
    });
    let answer = agent.supply_artefact(tokio_stream::iter(parts)).await;
    answer.map(|_| ())
}

#[tokio::test]
async fn an_artefact_is_served_from_any_byte_on_and_never_when_it_is_damaged() {
    let bench = Bench::start().await;
    let content: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    let digest = put(&mut bench.operator().await, &content).await;
    let mut agent = bench.agent("web-1").await;
    for offset in [0, 65_537, 199_999, 200_000] {
        let rest = fetch(&mut agent, digest, offset as u64).await.unwrap();
        assert!(rest == content[offset..], "from {offset}");
    }
    let unknown = fetch(&mut agent, Digest::of("unknown"), 0).await;
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
    let path = bench.artefacts().join(digest.to_string());
    fs::write(&path, &content[1..]).unwrap();
    for code in [Code::Internal, Code::NotFound] {
        let refused = fetch(&mut agent, digest, 5).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
    }
    let as_operator = bench.channel(&Identity::Operator(name("ana"))).await;
    let refused = fetch(&mut AgentClient::new(as_operator), digest, 0).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    bench.stop().await;
}

#[tokio::test]
async fn operators_fetch_artefacts_and_evidence_that_hosts_do_not_get_from_their_service() {
    let bench = Bench::start().await;
    let mut operator = bench.operator().await;
    let digest = put(&mut operator, b"workers = 4").await;
    let wanted = || v1::FetchArtefactRequest::from(FetchArtefact { digest, offset: 8 });
    let mut chunks = operator
        .fetch_artefact(wanted())
        .await
        .unwrap()
        .into_inner();
    let chunk = chunks.message().await.unwrap().unwrap();
    assert_eq!(chunk.data, b"= 4");
    assert_eq!(chunks.message().await.unwrap(), None);
    let rollout = || v1::EvidenceRequest {
        rollout: "unknown".to_owned(),
    };
    let unknown = operator.evidence(rollout()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    let as_agent = bench.channel(&Identity::Agent(name("web-1"))).await;
    let mut agent = OperatorClient::new(as_agent);
    let refused = agent.fetch_artefact(wanted()).await.err().unwrap();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    let refused = agent.evidence(rollout()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    bench.stop().await;
}

#[tokio::test]
async fn only_the_host_that_was_asked_brings_a_package_and_only_the_announced_bits() {
    let bench = Bench::start().await;
    let mut one = bench.agent("web-1").await;
    let mut other = bench.agent("web-2").await;
    assert_eq!(find(&mut one).await, Whereabouts::Bring);

    let refused = supply(&mut other, b"tool 1").await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    let refused = supply(&mut one, b"tool x").await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    assert_eq!(find(&mut other).await, Whereabouts::Bring, "in its place");
    supply(&mut other, b"tool 1").await.unwrap();

    assert_eq!(find(&mut one).await, Whereabouts::Stored(tool().file));
    let sha256 = tool().file.sha256;
    assert_eq!(fetch(&mut one, sha256, 0).await.unwrap(), b"tool 1");
    bench.stop().await;
}

#[tokio::test]
async fn who_waits_for_a_package_is_told_who_brings_it_and_hears_when_it_is_there() {
    let bench = Bench::start().await;
    let (_one, _other) = (bench.session("web-1").await, bench.session("web-2").await);
    let mut one = bench.agent("web-1").await;
    let mut other = bench.agent("web-2").await;
    assert_eq!(find(&mut one).await, Whereabouts::Bring);
    let waiting = tokio::spawn(async move { find(&mut other).await });

    let mut operator = bench.operator().await;
    let staging = eventually("the wait to be told", PATIENCE, async || {
        let subject = "web-2".to_owned();
        let explained = operator.explain(v1::ExplainRequest { subject }).await;
        let facts = explained.unwrap().into_inner().facts;
        let staging = facts.iter().find(|fact| fact.key == "staging");
        staging.cloned().ok_or_else(|| format!("{facts:?}"))
    })
    .await;
    assert!(
        staging.value.contains("host web-1 brings it"),
        "{staging:?}"
    );

    supply(&mut one, b"tool 1").await.unwrap();
    assert_eq!(waiting.await.unwrap(), Whereabouts::Stored(tool().file));
    bench.stop().await;
}
