use super::*;
use crate::{order::Grant, time::Timestamp};
use proptest::prelude::*;

const MADE: Timestamp = Timestamp(1_796_000_000_000);
const STARTS_FOR: Duration = Duration::from_secs(1800);

fn host(number: usize) -> HostId {
    HostId::new(format!("web-{number}")).unwrap()
}

fn hosts(count: usize) -> Vec<HostId> {
    (0..count).map(host).collect()
}

fn warrant(hosts: Vec<HostId>) -> Warrant {
    Warrant {
        rollout: RolloutId::new("practice").unwrap(),
        cell: CellId::new("r1-a-1").unwrap(),
        wave: WaveIndex(1),
        generation: Generation(7),
        direction: Direction::Patch,
        hosts,
        starts_for: STARTS_FOR,
        seal: Seal::default(),
    }
}

fn terms(count: usize) -> WarrantTerms {
    warrant(hosts(count)).terms(Digest::of("rollout"), MADE)
}

fn grant() -> Grant {
    Grant {
        rollout: RolloutId::new("practice").unwrap(),
        rollout_digest: Digest::of("rollout"),
        lock_digest: Digest::of("lock"),
        wave: WaveIndex(1),
        cell: CellId::new("r1-a-1").unwrap(),
        generation: Generation(7),
    }
}

#[test]
fn the_terms_of_a_warrant_have_one_form() {
    let text = terms(3).to_string();
    let root = terms(3).slice.root;
    let digest = Digest::of("rollout");
    assert_eq!(
        text,
        format!(
            "cofferdam-warrant 1\nrollout practice\ndigest {digest}\ncell r1-a-1\nwave 1\n\
             generation 7\ndirection patch\nmade 1796000000000\nstarts-for 1800000\nhosts 3 {root}\n"
        )
    );
    assert_eq!(WarrantTerms::parse(&text), Ok(terms(3)));
    let refused = |text: String| WarrantTerms::parse(&text).unwrap_err();
    let changed = |from: &str, to: &str| refused(text.replacen(from, to, 1));

    assert_eq!(changed("warrant 1", "warrant 2"), TermsError::NoTerms);
    assert_eq!(changed("wave 1", "wave one"), TermsError::Line("wave"));
    assert_eq!(changed("wave 1\n", ""), TermsError::Line("wave"));
    assert_eq!(changed("wave 1", "wave 01"), TermsError::OtherForm);
    assert_eq!(changed("hosts 3", "hosts -3"), TermsError::Line("hosts"));
    assert_eq!(refused(format!("{text}\n")), TermsError::OtherForm);
    assert_eq!(refused(text.replace('\n', "\r\n")), TermsError::OtherForm);
    assert_eq!(refused("x".repeat(5000)), TermsError::TooLong(5000));
}

#[test]
fn every_host_of_a_warrant_shows_that_it_is_named_and_no_other_can() {
    for count in (0..35).chain([500, 1000]) {
        let named = hosts(count);
        let tree = SliceTree::of(&named);
        let slice = tree.slice();
        for (place, one) in named.iter().enumerate() {
            let path = tree.path(place).unwrap();
            assert!(path.beside.len() <= 10, "{count}");
            assert!(path.leads(one, slice), "{one} of {count}");
            assert!(!path.leads(&host(count), slice), "{one} of {count}");
            assert!(!path.leads(&host(place ^ 1), slice), "{one} of {count}");
        }
        assert_eq!(tree.path(count), None);
    }
}

#[test]
fn a_way_that_was_cut_stretched_or_moved_leads_nowhere() {
    let named = hosts(11);
    let tree = SliceTree::of(&named);
    let slice = tree.slice();
    for (place, one) in named.iter().enumerate() {
        let path = tree.path(place).unwrap();
        let changed = |change: &dyn Fn(&mut SlicePath)| {
            let mut path = path.clone();
            change(&mut path);
            path.leads(one, slice)
        };
        assert!(!changed(&|path| path
            .beside
            .truncate(path.beside.len() - 1)));
        assert!(!changed(&|path| path.beside.push(Digest::of("more"))));
        assert!(!changed(&|path| path.place = 11));
        assert!(!changed(&|path| path.place = u32::MAX));
        let fewer = Slice { hosts: 5, ..slice };
        assert!(!path.leads(one, fewer), "{one}");
    }
}

#[test]
fn a_warrant_grants_what_it_says_and_nothing_else() {
    let tree = SliceTree::of(&hosts(3));
    let path = tree.path(1).unwrap();
    let granted = |terms: &WarrantTerms, grant: &Grant, of: usize, now: Timestamp| {
        terms
            .grant_patch(grant, &host(of), &path, now)
            .map_err(|why| why.to_string())
    };
    assert_eq!(granted(&terms(3), &grant(), 1, MADE), Ok(()));
    let earlier = Grant {
        generation: Generation(6),
        wave: WaveIndex(0),
        ..grant()
    };
    assert_eq!(granted(&terms(3), &earlier, 1, MADE), Ok(()));

    type Forgery = (fn(&mut Grant), &'static str);
    let forgeries: [Forgery; 5] = [
        (
            |grant| grant.rollout = RolloutId::new("later").unwrap(),
            "it is for rollout practice, and the order says later",
        ),
        (
            |grant| grant.rollout_digest = Digest::of("other"),
            "it is for the content",
        ),
        (
            |grant| grant.cell = CellId::new("r1-a-2").unwrap(),
            "it is for cell r1-a-1, and the order says r1-a-2",
        ),
        (
            |grant| grant.generation = Generation(8),
            "it is for generation 7, and the order says 8",
        ),
        (
            |grant| grant.wave = WaveIndex(2),
            "it is for wave 1, and the order says 2",
        ),
    ];
    for (forge, expected) in forgeries {
        let mut forged = grant();
        forge(&mut forged);
        let said = granted(&terms(3), &forged, 1, MADE).unwrap_err();
        assert!(said.starts_with(expected), "{expected}: {said}");
    }
    let elsewhere = granted(&terms(3), &grant(), 2, MADE).unwrap_err();
    assert_eq!(elsewhere, "this host is none of the 3 that it names");
    let back = WarrantTerms {
        direction: Direction::Rollback,
        ..terms(3)
    };
    let said = granted(&back, &grant(), 1, MADE).unwrap_err();
    assert_eq!(
        said,
        "it is for direction rollback, and the order says patch"
    );
}

#[test]
fn a_warrant_is_taken_for_a_day_past_its_end_since_clocks_differ() {
    let path = SliceTree::of(&hosts(3)).path(1).unwrap();
    let at = |now| terms(3).grant_patch(&grant(), &host(1), &path, now);
    let last = MADE.after(STARTS_FOR).after(CLOCKS_DIFFER);

    assert_eq!(at(Timestamp(0)), Ok(()));
    assert_eq!(at(last), Ok(()));
    let over = at(Timestamp(last.0 + 1)).unwrap_err();
    assert_eq!(
        over.to_string(),
        "its starts ended 24 h ago by this host's clock"
    );
}

#[test]
fn a_warrant_of_a_release_that_signed_nothing_is_read_and_what_is_told_keeps_its_form() {
    let told = serde_json::to_value(warrant(hosts(1))).unwrap();
    assert_eq!(told["signature"], serde_json::json!([]));
    assert_eq!(told.get("terms"), None);
    assert_eq!(
        serde_json::from_value::<Warrant>(told).unwrap(),
        warrant(hosts(1))
    );
    let sealed = Warrant {
        seal: Seal {
            signature: vec![1, 2],
            terms: terms(1).to_string(),
            chain: vec![vec![3], vec![4]],
        },
        ..warrant(hosts(1))
    };
    let stored = serde_json::to_string(&sealed).unwrap();
    assert_eq!(serde_json::from_str::<Warrant>(&stored).unwrap(), sealed);
}

proptest! {
    #[test]
    fn whatever_a_text_is_it_is_terms_or_refused(text in ".{0,300}") {
        WarrantTerms::parse(&text).ok();
    }

    #[test]
    fn whatever_lines_are_made_of_they_are_read_or_refused(
        parts in prop::collection::vec(prop::sample::select(vec![
            "cofferdam-warrant 1\n", "rollout", "digest", "cell", "wave", "generation", "direction", "made",
            "starts-for", "hosts", " ", "\n", "practice", "r1-a-1", "patch", "rollback", "1",
            "18446744073709551616", "é", "0000000000000000000000000000000000000000000000000000000000000000",
        ]), 0..40),
    ) {
        if let Ok(terms) = WarrantTerms::parse(&parts.concat()) {
            prop_assert_eq!(terms.to_string(), parts.concat());
        }
    }

    #[test]
    fn whatever_way_is_shown_it_is_judged(
        place in any::<u32>(), hosts in any::<u32>(), length in 0..80_usize,
    ) {
        let beside = vec![Digest::of("x"); length];
        let root = Digest::of("root");
        let leads = SlicePath { place, beside }.leads(&host(1), Slice { hosts, root });
        prop_assert!(!leads);
    }
}
