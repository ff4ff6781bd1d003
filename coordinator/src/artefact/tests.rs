//! The store as a whole, in a folder.

use super::*;
use std::{collections::BTreeSet, fs, path::Path};

async fn store_in(dir: &Path) -> ArtefactStore {
    limited(dir, Limits::default()).await
}

async fn limited(dir: &Path, limits: Limits) -> ArtefactStore {
    let location = Location::Folder(dir.join("artefacts"));
    ArtefactStore::open(&location, limits).await.unwrap()
}

async fn put(store: &ArtefactStore, content: &[u8]) -> Result<Digest, PutError> {
    let mut upload = store.begin(0).await?;
    for part in content.chunks(100_000) {
        upload.write(part).await?;
    }
    Ok(upload.finish(None, None).await?.sha256)
}

/// Brings a package file in, as a host does that was asked to.
async fn bring(store: &ArtefactStore, supplied: &SuppliedArtefact, content: &[u8]) {
    let mut upload = store.begin(supplied.file.size).await.unwrap();
    upload.write(content).await.unwrap();
    let SuppliedArtefact { package, file } = supplied.clone();
    upload.finish(Some(file), Some(package)).await.unwrap();
}

async fn fetched(
    store: &ArtefactStore,
    digest: Digest,
    offset: u64,
) -> Result<Vec<u8>, FetchError> {
    let mut reading = store.fetch(digest, offset).await?;
    let mut all = Vec::new();
    while let Some(bytes) = reading.next().await? {
        assert!(bytes.len() <= CHUNK_BYTES);
        all.extend_from_slice(bytes);
    }
    Ok(all)
}

/// Every file below the store's folder.
fn files(dir: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir.join("artefacts")).unwrap() {
        let path = entry.unwrap().path();
        let inner = if path.is_dir() {
            fs::read_dir(&path).unwrap().count()
        } else {
            1
        };
        names.extend(vec![
            path.file_name().unwrap().to_string_lossy().into_owned();
            inner
        ]);
    }
    names
}

fn host(name: &str) -> HostId {
    HostId::new(name).unwrap()
}

fn supplied(content: &[u8]) -> SuppliedArtefact {
    SuppliedArtefact {
        package: PackageFile {
            platform: cofferdam_engine::inventory::Platform {
                os_release: "debian-12".to_owned(),
                architecture: "amd64".to_owned(),
            },
            name: "tool".to_owned(),
            version: "1".to_owned(),
        },
        file: locked(Digest::of(content), content.len() as u64),
    }
}

fn wanted(of: &SuppliedArtefact, is_exact: bool) -> FindArtefacts {
    FindArtefacts {
        wanted: vec![WantedArtefact {
            package: of.package.clone(),
            locked: is_exact.then(|| of.file.clone()),
            has_it: false,
            refused: BTreeSet::new(),
        }],
        cannot: Vec::new(),
    }
}

#[tokio::test]
async fn a_file_is_served_by_its_hash_from_any_byte_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_in(dir.path()).await;
    let content: Vec<u8> = (0..700_000_u32).map(|n| n as u8).collect();
    let digest = put(&store, &content).await.unwrap();
    assert_eq!(digest, Digest::of(&content));
    assert_eq!(put(&store, &content).await.unwrap(), digest);
    assert_eq!(files(dir.path()), [digest.to_string()]);
    for offset in [0, 1, 300_000, 699_999, 700_000, 900_000] {
        let rest = fetched(&store, digest, offset as u64).await.unwrap();
        assert!(
            rest == content[offset.min(content.len())..],
            "from {offset}"
        );
    }
    let missing = fetched(&store, Digest::of("x"), 0).await.unwrap_err();
    assert!(matches!(missing, FetchError::NotFound(_)), "{missing}");
}

#[tokio::test]
async fn a_damaged_file_is_never_served_and_may_be_stored_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_in(dir.path()).await;
    let digest = put(&store, b"listen 80").await.unwrap();
    fetched(&store, digest, 0).await.unwrap();
    let path = dir.path().join("artefacts").join(digest.to_string());
    fs::write(&path, b"listen 8l").unwrap();
    for (opened, damage) in [(store.clone(), true), (store_in(dir.path()).await, false)] {
        let refused = fetched(&opened, digest, 4).await.unwrap_err();
        let is_damaged = matches!(refused, FetchError::Damaged { .. });
        assert_eq!(is_damaged, damage, "{refused}");
        assert_eq!(opened.size(&digest), None);
    }
    put(&store, b"listen 80").await.unwrap();
    assert_eq!(fetched(&store, digest, 0).await.unwrap(), b"listen 80");
}

#[tokio::test]
async fn what_is_not_as_announced_too_large_or_too_much_is_refused_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits {
        quota: 30,
        largest: 20,
        ..Limits::default()
    };
    let store = limited(dir.path(), limits).await;
    let mut upload = store.begin(4).await.unwrap();
    upload.write(b"bits").await.unwrap();
    let announced = locked(Digest::of("bits"), 5);
    let refused = upload.finish(Some(announced), None).await.unwrap_err();
    assert!(
        matches!(refused, PutError::OtherContent { .. }),
        "{refused}"
    );
    let refused = put(&store, &[0; 21]).await.unwrap_err();
    assert!(matches!(refused, PutError::TooLarge(20)), "{refused}");
    put(&store, &[1; 20]).await.unwrap();
    let refused = put(&store, &[2; 11]).await.unwrap_err();
    assert!(matches!(refused, PutError::Full), "{refused}");
    put(&store, &[3; 10]).await.unwrap();
    let reopened = limited(dir.path(), store.limits().clone()).await;
    assert_eq!(files(dir.path()).len(), 2);
    assert_eq!(reopened.list(), store.list());
}

#[tokio::test]
async fn what_a_crash_left_is_cleared_and_what_was_whole_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_in(dir.path()).await;
    let tool = supplied(b"tool 1");
    bring(&store, &tool, b"tool 1").await;
    let mut cut_off = store.begin(0).await.unwrap();
    cut_off.write(b"half").await.unwrap();
    let folder = dir.path().join("artefacts");
    fs::write(folder.join("0.part"), b"half").unwrap();
    fs::write(folder.join(format!("{}.json", Digest::of("gone"))), b"{}").unwrap();

    let reopened = store_in(dir.path()).await;

    assert_eq!(files(dir.path()).len(), 2, "{:?}", files(dir.path()));
    let found = reopened.find(&host("a"), &wanted(&tool, false)).await;
    assert_eq!(found, [Whereabouts::Stored(tool.file.clone())]);
    drop(cut_off);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_file_hears_at_once_when_it_is_there() {
    let store = ArtefactStore::open(&Location::Memory, Limits::default()).await;
    let store = store.unwrap();
    let tool = supplied(b"tool 1");
    let asked = wanted(&tool, true);
    assert_eq!(store.find(&host("a"), &asked).await, [Whereabouts::Bring]);
    assert!(store.check_supplier(&host("a"), &tool).is_ok());
    assert!(store.check_supplier(&host("b"), &tool).is_err());
    let begin = Instant::now();
    let waits = store.find(&host("b"), &asked).await;
    assert!(matches!(waits[0], Whereabouts::Wait { .. }), "{waits:?}");
    assert_eq!(begin.elapsed(), ANSWER_WITHIN);
    assert_eq!(store.waits(|host| host.as_str() == "b").len(), 1);

    let (host_b, other) = (host("b"), store.clone());
    let waiting = tokio::spawn(async move { other.find(&host_b, &asked).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    bring(&store, &tool, b"tool 1").await;

    assert_eq!(waiting.await.unwrap(), [Whereabouts::Stored(tool.file)]);
    assert_eq!(begin.elapsed(), ANSWER_WITHIN + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_supplier_that_says_nothing_more_is_replaced_while_another_waits() {
    let store = ArtefactStore::open(&Location::Memory, Limits::default()).await;
    let store = store.unwrap();
    let asked = wanted(&supplied(b"tool 1"), true);
    store.find(&host("a"), &asked).await;
    let begin = Instant::now();
    loop {
        let found = store.find(&host("b"), &asked).await;
        if found == [Whereabouts::Bring] {
            break;
        }
    }
    assert_eq!(begin.elapsed(), store.limits().supply_within);
}

#[tokio::test(start_paused = true)]
async fn a_rate_bounds_what_is_sent() {
    let limits = Limits {
        rate: std::num::NonZeroU32::new(100_000),
        ..Limits::default()
    };
    let store = ArtefactStore::open(&Location::Memory, limits)
        .await
        .unwrap();
    let digest = put(&store, &[7; 100_000]).await.unwrap();
    assert_eq!(fetched(&store, digest, 0).await.unwrap().len(), 100_000);
    assert_eq!(store.figures().served_bytes.get(), 100_000);
}

#[tokio::test]
async fn a_package_that_was_built_anew_is_asked_for_until_it_is_the_right_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_in(dir.path()).await;
    let mut asked = wanted(&supplied(b"0"), false);
    for build in 0..MAX_BUILDS {
        assert_eq!(store.find(&host("a"), &asked).await, [Whereabouts::Bring]);
        let content = build.to_string().into_bytes();
        let brought = supplied(&content);
        bring(&store, &brought, &content).await;
        let found = store.find(&host("a"), &asked).await;
        assert_eq!(found, [Whereabouts::Stored(brought.file.clone())]);
        asked.wanted[0].refused.insert(brought.file.sha256);
    }
    let mut others = asked.clone();
    others.wanted[0].has_it = true;
    others.wanted[0].locked = Some(supplied(b"more").file);
    for asked in [&asked, &others] {
        let found = store.find(&host("b"), asked).await;
        let is_enough = matches!(found[..], [Whereabouts::Elsewhere { .. }]);
        assert!(is_enough, "one host alone could fill the store: {found:?}");
    }
    let locked = wanted(&supplied(b"locked"), true);
    let found = store.find(&host("b"), &locked).await;
    assert_eq!(
        found,
        [Whereabouts::Bring],
        "a rollout needs just these bits"
    );
}
