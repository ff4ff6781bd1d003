//! Where package files are to be had from arrives unchanged, and nothing else is taken for it.

use crate::sample::over_the_wire;
use cofferdam_engine::{
    digest::Digest,
    inventory::Platform,
    patch::{ConfigFile, ConfigPatch, Content, LockedFile, Rights, Source},
    time::Timestamp,
};
use cofferdam_proto::{
    artefact::{
        FetchArtefact, FindArtefacts, PackageFile, SuppliedArtefact, SupplyRequest, WantedArtefact,
        Whereabouts,
    },
    operator::ArtefactView,
    v1,
};

fn file() -> LockedFile {
    let sha256 = Digest::of("bits");
    LockedFile { sha256, size: 4 }
}

fn package() -> PackageFile {
    PackageFile {
        platform: Platform {
            os_release: "debian-12".to_owned(),
            architecture: "amd64".to_owned(),
        },
        name: "libc6:i386".to_owned(),
        version: "1:2.36-9+deb12u4".to_owned(),
    }
}

fn wanted(locked: Option<LockedFile>) -> WantedArtefact {
    WantedArtefact {
        package: package(),
        has_it: locked.is_none(),
        refused: locked.iter().map(|_| Digest::of("another build")).collect(),
        locked,
    }
}

#[test]
pub(super) fn what_agents_ask_and_supply_arrives_unchanged() {
    let asked = FindArtefacts {
        wanted: vec![wanted(Some(file())), wanted(None)],
        cannot: vec![wanted(None)],
    };
    let arrived = over_the_wire::<v1::FindArtefactsRequest, _>(asked.clone());
    assert_eq!(arrived, Ok(asked));
    let fetch = FetchArtefact {
        digest: file().sha256,
        offset: 3,
    };
    assert_eq!(
        over_the_wire::<v1::FetchArtefactRequest, _>(fetch),
        Ok(fetch)
    );
    let listed = ArtefactView {
        digest: file().sha256,
        size: file().size,
        stored_at_ms: Timestamp(5),
        package: Some(package().to_string()),
        needed: true,
    };
    let arrived = over_the_wire::<v1::ArtefactView, _>(listed.clone());
    assert_eq!(arrived, Ok(listed));
    let supplied = SuppliedArtefact {
        package: package(),
        file: file(),
    };
    let arrived = over_the_wire::<v1::SuppliedArtefact, _>(supplied.clone());
    assert_eq!(arrived, Ok(supplied));
}

#[test]
fn every_answer_arrives_unchanged() {
    let reason = || "web-1 brings it".to_owned();
    let found = vec![
        Whereabouts::Stored(file()),
        Whereabouts::Bring,
        Whereabouts::Wait { reason: reason() },
        Whereabouts::Elsewhere { reason: reason() },
    ];
    let arrived = over_the_wire::<v1::FindArtefactsReply, _>(found.clone());
    assert_eq!(arrived, Ok(found));
}

#[test]
fn only_packages_are_supplied() {
    let config = Content::Config {
        config: ConfigPatch {
            files: ConfigFile {
                path: "/etc/x".into(),
                source: Source::Beside("x".into()),
                rights: Rights::default(),
            }
            .into(),
            validate: None,
            reload: None,
        },
        files: file().into(),
    };
    let content = Some(config.into());
    let refused = SupplyRequest::try_from(v1::Supply { content }).unwrap_err();
    assert!(
        refused.to_string().contains("content.packages"),
        "{refused}"
    );
}

#[test]
fn a_package_that_an_argument_could_not_be_is_refused() {
    let mut wire = v1::PackageFile::from(package());
    wire.name = "--force".to_owned();
    assert!(PackageFile::try_from(wire).is_err());
}
