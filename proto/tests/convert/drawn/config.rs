//! Draws config files that hosts are to have.

use super::{digest, package_word, word};
use cofferdam_engine::{
    digest::Digest,
    patch::{
        ConfigFile, ConfigPatch, Content, FileMode, Files, LockedFile, OwnerName, Rights, Source,
    },
};
use cofferdam_proto::convert::bounds::MAX_SIZE;
use proptest::{collection::vec, option, prelude::*};
use std::collections::BTreeSet;

pub(crate) fn config() -> impl Strategy<Value = Content> {
    let file = (config_file(), digest(), 0..=MAX_SIZE);
    let files = vec(file, 1..4).prop_map(|mut files| {
        // No path is in a patch twice.
        let mut paths = BTreeSet::new();
        files.retain(|(file, ..)| paths.insert(file.path.clone()));
        files
    });
    (files, option::of(word()), option::of(package_word())).prop_map(|(drawn, validate, reload)| {
        let locked = |(_, sha256, size): &(ConfigFile, Digest, u64)| LockedFile {
            sha256: *sha256,
            size: *size,
        };
        let files = drawn.iter().map(|(file, ..)| file.clone());
        Content::Config {
            config: ConfigPatch {
                files: Files::of(files).unwrap(),
                validate,
                reload,
            },
            files: Files::of(drawn.iter().map(locked)).unwrap(),
        }
    })
}

fn config_file() -> impl Strategy<Value = ConfigFile> {
    let path = "(/[a-z]{1,9}){1,4}";
    let mode = (0..=0o777_u32).prop_map(|bits| FileMode::try_from(bits).unwrap());
    let owner = || option::of("[a-z0-9]{1,32}".prop_map(|name| OwnerName::new(name).unwrap()));
    let rights = (option::of(mode), owner(), owner());
    let rights = rights.prop_map(|(mode, owner, group)| Rights { mode, owner, group });
    let rights = prop_oneof![Just(Rights::default()), rights];
    (path, word(), rights).prop_map(|(path, source, rights)| ConfigFile {
        path: path.into(),
        source: Source::from(source),
        rights,
    })
}
