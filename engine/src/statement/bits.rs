//! The bits that a statement names, platform by platform.

use crate::{
    digest::Digest,
    document::quote,
    inventory::Platform,
    patch::{
        ConfigFile, ConfigPatch, Content, LockFile, Locked, LockedFile, LockedPackage, Patch,
        Rights,
    },
    reach::Reach,
};
use std::fmt;

/// Stands for every platform.
pub(super) const ANYWHERE: &str = "any";

/// What is installed on hosts of a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bits {
    /// On which hosts.
    pub place: Place,
    /// The digest of all that the content says.
    pub digest: Digest,
    /// The content in a few words, for whoever signs.
    pub what: String,
}

/// On which hosts bits go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On those of a platform.
    Platform(Platform),
    /// On all, as config files do.
    Anywhere,
}

impl Bits {
    /// Those of a lock file. Empty: it does not belong to the patch.
    pub(super) fn of_lock(lock: &LockFile, patch: &Patch) -> Vec<Self> {
        let platforms: Vec<Platform> = match &lock.content {
            Locked::Packages { platforms } => platforms
                .iter()
                .map(|entry| entry.platform.clone())
                .collect(),
            // Any platform will do: the content is the same for all.
            Locked::Config(_) | Locked::Noop => vec![Platform {
                os_release: String::new(),
                architecture: String::new(),
            }],
        };
        let of_platform = |platform: Platform| {
            let content = lock.content_for(&platform, patch)?;
            Some(Self::of(&content, &platform))
        };
        platforms.into_iter().filter_map(of_platform).collect()
    }

    /// The bits of what a host of a platform is to have.
    pub(super) fn of(content: &Content, platform: &Platform) -> Self {
        let (place, what) = match content {
            Content::Packages { packages, reach } => {
                let count = packages.len();
                let plural = if count == 1 { "" } else { "s" };
                let upgrade = match reach {
                    Reach::Every => "",
                    Reach::Upgrade { .. } => "upgrade of up to ",
                };
                let what = format!("{upgrade}{count} package{plural}");
                (Place::Platform(platform.clone()), what)
            }
            Content::Config { config, .. } => (Place::Anywhere, in_words(config)),
            Content::Noop => (Place::Anywhere, "nothing".to_owned()),
        };
        Self {
            place,
            digest: Digest::of(canonical(content)),
            what,
        }
    }
}

fn in_words(config: &ConfigPatch) -> String {
    let named = |verb: &str, name: &Option<String>| {
        let name = name.as_deref().map(quote);
        name.map_or_else(String::new, |name| format!(", {verb} {name}"))
    };
    let paths = config
        .files
        .iter()
        .map(|file| quote(&file.path.to_string_lossy()));
    let paths: Vec<String> = paths.collect();
    let plural = if paths.len() == 1 { "" } else { "s" };
    let (paths, validated) = (paths.join(" "), named("validated by", &config.validate));
    format!(
        "file{plural} {paths}{validated}{}",
        named("reloads", &config.reload)
    )
}

/// All that a content says. What others chose stands in quotes, so that nothing is taken for another.
fn canonical(content: &Content) -> String {
    match content {
        Content::Packages { packages, reach } => {
            let mut text = "packages\n".to_owned();
            for LockedPackage {
                name,
                version,
                sha256,
                size,
            } in packages
            {
                let (name, version) = (quote(name), quote(version));
                text += &format!("{name} {version} {sha256} {size}\n");
            }
            if let Reach::Upgrade { needed_by } = reach {
                text += "upgrade\n";
                for (name, by) in needed_by {
                    let by: Vec<String> = by.iter().map(|name| quote(name)).collect();
                    text += &format!("{} needed by {}\n", quote(name), by.join(" "));
                }
            }
            text
        }
        Content::Config { config, files } => {
            let ConfigPatch {
                files: places,
                validate,
                reload,
            } = config;
            let [validate, reload] = [validate, reload].map(|name| name.as_deref().map(quote));
            let head = format!("config\n{validate:?} {reload:?}\n");
            let lines = places.iter().zip(files.iter());
            lines.fold(head, |text, (place, file)| {
                text + &canonical_file(place, file)
            })
        }
        Content::Noop => "noop\n".to_owned(),
    }
}

fn canonical_file(file: &ConfigFile, locked: &LockedFile) -> String {
    let ConfigFile {
        path,
        source,
        rights,
    } = file;
    let Rights { mode, owner, group } = rights;
    let [owner, group] = [owner, group].map(|name| name.as_ref().map(|name| quote(name.as_str())));
    let mode = mode.map(|mode| mode.to_string());
    let (path, source) = (quote(&path.to_string_lossy()), quote(&source.to_string()));
    let LockedFile { sha256, size } = locked;
    format!("{path} {source} {mode:?} {owner:?} {group:?} {sha256} {size}\n")
}

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digest, what) = (self.digest, &self.what);
        write!(f, "bits {} {digest} {what}", self.place)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform(platform) => platform.fmt(f),
            Self::Anywhere => f.write_str(ANYWHERE),
        }
    }
}
