//! A coordinator that was taken over tells a host to do what the control plane did not grant.

use super::*;
use crate::warrants::Warrants;
use cofferdam_engine::{
    id::{CellId, Generation, HostId, OrderKey, RolloutId, WaveIndex},
    identity::Identity,
    warrant::{Seal, SliceTree, Warrant, WarrantProof},
};
use cofferdam_proto::tls::{CredentialPem, Credentials};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose as Usage, IsCa, Issuer, KeyPair,
    SanType,
};

/// When the agent starts.
const NOW: Timestamp = Timestamp(1_796_000_000_000);

/// What an agent proves itself with.
pub(super) type Own = Credentials;

/// What an agent that proves itself with this demands. Absent: nothing.
pub(super) fn demand(own: Option<Own>) -> Warrants {
    own.map_or(Warrants::Off, |own| {
        Warrants::required(move || Ok(own.clone()))
    })
}

/// An authority, the control plane's key, and a host that looks.
struct Wary {
    stage: Stage,
    authority: Authority,
    control: Signer,
}

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key, as whoever has both signs with them.
struct Signer(Credentials);

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { pem, issuer }
    }

    /// A certificate in DER, and what its holder has.
    fn issue(&self, identity: &Identity, key: &KeyPair, last_year: i32) -> (Vec<u8>, Credentials) {
        let mut params = CertificateParams::default();
        let uri = identity.uri("example.org").try_into().unwrap();
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.extended_key_usages = vec![Usage::ServerAuth, Usage::ClientAuth];
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(last_year, 1, 1);
        let certificate = params.signed_by(key, &self.issuer).unwrap();
        let credentials = Credentials::from_pem(CredentialPem {
            certificate: certificate.pem().as_bytes(),
            key: key.serialize_pem().as_bytes(),
            authority: self.pem.as_bytes(),
        });
        (certificate.der().to_vec(), credentials.unwrap())
    }

    fn own(&self, identity: &Identity) -> Credentials {
        self.issue(identity, &KeyPair::generate().unwrap(), 2999).1
    }
}

impl Signer {
    fn new(authority: &Authority) -> Self {
        Self(authority.own(&Identity::Control))
    }

    /// The proof for our host of a warrant over some hosts.
    fn proof(&self, warrant: &Warrant, made: Timestamp) -> WarrantProof {
        let terms = warrant.terms(sample::order(1).grant.rollout_digest, made);
        let seal = self.0.seal(terms.to_string()).unwrap();
        let place = warrant
            .hosts
            .iter()
            .position(|host| *host == sample::host());
        let tree = SliceTree::of(&warrant.hosts);
        let path = tree.path(place.unwrap_or_default()).unwrap();
        WarrantProof { seal, path }
    }
}

impl Wary {
    fn new() -> Self {
        let authority = Authority::new();
        let own = authority.own(&Identity::Agent(sample::host()));
        let stage = Stage {
            clock: TokioClock::starting_at(NOW),
            own: Some(own),
            ..Stage::new()
        };
        Self {
            stage,
            control: Signer::new(&authority),
            authority,
        }
    }

    /// The proof of the warrant of an honest control plane, but for a change.
    fn proof(&self, change: impl FnOnce(&mut Warrant)) -> WarrantProof {
        let mut warrant = warrant();
        change(&mut warrant);
        self.control.proof(&warrant, NOW)
    }

    /// Hands over an order, and says why it was refused, or how it ended.
    async fn hand_over(
        &self,
        order: Order,
        warrant: Option<WarrantProof>,
    ) -> Result<Ending, String> {
        let papers = Papers {
            warrant: warrant.map(Box::new),
            ..Papers::default()
        };
        let (key, stage) = (order.key, &self.stage);
        stage.coordinator.order_with(order, papers);
        stage
            .live_until(|stage| refusal_of(stage, key).or(ending_of(stage, key)).is_some())
            .await;
        match refusal_of(stage, key) {
            Some(said) => Err(said),
            None => Ok(stage.coordinator.ending(key).unwrap()),
        }
    }
}

fn ending_of(stage: &Stage, key: OrderKey) -> Option<String> {
    stage.coordinator.ending(key).map(|_| String::new())
}

/// Why an order was refused for want of a warrant. Nothing: it was not, or not yet.
fn refusal_of(stage: &Stage, of: OrderKey) -> Option<String> {
    let bodies = stage.coordinator.bodies();
    bodies.into_iter().find_map(|body| {
        let ReportBody::Refused { key, refusal } = body else {
            return None;
        };
        let Refusal::Impossible { failure } = refusal else {
            return None;
        };
        let is_its = key == of && failure.kind == FailureKind::NotSigned;
        is_its.then_some(failure.detail)
    })
}

/// What the sample's order is of: our host, and ten others.
fn warrant() -> Warrant {
    let order = sample::order(1);
    let others = (0..10).map(|number| HostId::new(format!("other-{number}")).unwrap());
    Warrant {
        rollout: order.grant.rollout,
        cell: order.grant.cell,
        wave: order.grant.wave,
        generation: order.grant.generation,
        direction: Direction::Patch,
        hosts: others.chain([sample::host()]).collect(),
        starts_for: Duration::from_secs(1800),
        seal: Seal::default(),
    }
}

fn of_generation(sequence: u64, generation: u64) -> Order {
    let mut order = sample::order(sequence);
    order.grant.generation = Generation(generation);
    order
}

#[tokio::test(start_paused = true)]
async fn an_order_that_the_control_plane_did_not_grant_is_refused_and_changes_nothing() {
    let wary = Wary::new();
    let cell = |name: &str| CellId::new(name).unwrap();
    let forged = [
        (None, "the control plane signed no warrant for it"),
        (
            Some(wary.proof(|warrant| drop(warrant.hosts.pop()))),
            "this host is none of the 10 that it names",
        ),
        (
            Some(wary.proof(|warrant| warrant.rollout = RolloutId::new("later").unwrap())),
            "it is for rollout later, and the order says practice",
        ),
        (
            Some(wary.proof(|warrant| warrant.cell = cell("r1-a-9"))),
            "it is for cell r1-a-9",
        ),
        (
            Some(wary.proof(|warrant| warrant.generation = Generation(0))),
            "it is for generation 0, and the order says 1",
        ),
        (
            Some(wary.proof(|warrant| warrant.direction = Direction::Rollback)),
            "it is for direction rollback",
        ),
    ];
    for (sequence, (proof, expected)) in (1..).zip(forged) {
        let said = wary.hand_over(sample::order(sequence), proof).await;
        let said = said.unwrap_err();
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let mut later = sample::order(20);
    later.grant.wave = WaveIndex(1);
    let said = wary.hand_over(later, Some(wary.proof(|_| ()))).await;
    assert!(said.unwrap_err().contains("it is for wave 0"));
    assert_eq!(wary.stage.actions.effects(), []);

    let granted = wary.proof(|_| ());
    let ending = wary.hand_over(sample::order(21), Some(granted)).await;
    assert_eq!(ending, Ok(Ending::Patched));
}

#[tokio::test(start_paused = true)]
async fn a_warrant_that_anybody_else_signed_is_refused() {
    let wary = Wary::new();
    let key = KeyPair::generate().unwrap();
    let elsewhere = Authority::new();
    let (_, lent) = elsewhere.issue(&Identity::Control, &key, 2999);
    let signed = Signer(lent).proof(&warrant(), NOW);
    let coordinator = Identity::parse("spiffe://example.org/coordinator/r1", "example.org");
    let operator = Identity::parse("spiffe://example.org/operator/ana", "example.org");
    let cases = [
        (
            coordinator.unwrap(),
            2999,
            "certificate names coordinator/r1, but control",
        ),
        (
            operator.unwrap(),
            2999,
            "certificate names operator/ana, but control",
        ),
        (Identity::Control, 2020, "expired on"),
    ];
    for (sequence, (identity, last_year, expected)) in (1..).zip(cases) {
        let (der, _) = wary.authority.issue(&identity, &key, last_year);
        let proof = WarrantProof {
            seal: Seal {
                chain: vec![der],
                ..signed.seal.clone()
            },
            path: signed.path.clone(),
        };
        let said = wary.hand_over(sample::order(sequence), Some(proof)).await;
        let said = said.unwrap_err();
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let said = wary.hand_over(sample::order(9), Some(signed)).await;
    assert!(said.unwrap_err().contains("another certificate authority"));
    let mut changed = wary.proof(|warrant| drop(warrant.hosts.pop()));
    changed.seal.terms = wary.proof(|_| ()).seal.terms;
    changed.path = wary.proof(|_| ()).path;
    let said = wary.hand_over(sample::order(10), Some(changed)).await;
    assert!(
        said.unwrap_err()
            .contains("not what the control plane signed")
    );
    assert_eq!(wary.stage.actions.effects(), []);
}

#[tokio::test(start_paused = true)]
async fn what_was_signed_counts_as_seen_whatever_the_order_says_of_itself() {
    let wary = Wary::new();
    let of = |generation| wary.proof(|warrant| warrant.generation = Generation(generation));
    // A coordinator that would use an older warrant later says that each order is of the first.
    let ending = wary.hand_over(of_generation(1, 0), Some(of(4))).await;
    assert_eq!(ending, Ok(Ending::Patched));
    let mut again = of_generation(2, 0);
    again.asked_again = true;
    let said = wary.hand_over(again, Some(of(2))).await;
    let expected = "its warrant is of generation 2, and this host has accepted an order of 4";
    assert_eq!(said, Err(expected.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_warrant_is_not_played_again_after_a_later_one_nor_a_day_past_its_end() {
    let wary = Wary::new();
    let of = |generation| wary.proof(|warrant| warrant.generation = Generation(generation));
    let ending = wary.hand_over(of_generation(1, 2), Some(of(2))).await;
    assert_eq!(ending, Ok(Ending::Patched));
    let mut back = of_generation(2, 4);
    back.direction = Direction::Rollback;
    let ending = wary.hand_over(back, None).await;
    assert_eq!(
        ending,
        Ok(Ending::RolledBack),
        "a way back needs no warrant"
    );

    let again = |sequence, generation| {
        let mut order = of_generation(sequence, generation);
        order.asked_again = true;
        order
    };
    let said = wary.hand_over(again(3, 2), Some(of(2))).await;
    let expected = "its warrant is of generation 2, and this host has accepted an order of 4";
    assert_eq!(said, Err(expected.to_owned()));
    let ending = wary.hand_over(again(4, 5), Some(of(5))).await;
    assert_eq!(ending, Ok(Ending::Patched));

    let mut other = sample::order(5);
    other.grant.rollout = RolloutId::new("other").unwrap();
    let mut over = warrant();
    over.rollout = other.grant.rollout.clone();
    time::advance(Duration::from_secs(26 * 3600)).await;
    let proof = wary.control.proof(&over, NOW);
    let said = wary.hand_over(other, Some(proof)).await.unwrap_err();
    assert!(said.contains("its starts ended 2"), "{said}");
}
