//! The tree that the agent works on: the machine's own, or another one below a folder.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Component, Path, PathBuf},
};

/// The most symlinks that one path may go through: the kernel's own limit.
const MAX_LINKS: usize = 40;

/// A root tree. Absolute; holds no character that apt's configuration could not quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(PathBuf);

/// The folder cannot serve as a root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be a root: an absolute path without `\"`, `\\` and control characters is expected"
)]
pub struct RootError(PathBuf);

impl Root {
    /// Takes a folder as the root.
    ///
    /// # Errors
    /// [`RootError`] when the path is not absolute or holds what cannot be quoted.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, RootError> {
        let path = path.into();
        let is_plain = path.to_str().is_some_and(|text| {
            !text.contains(|c: char| c.is_control() || matches!(c, '"' | '\\'))
        });
        if is_plain && path.is_absolute() {
            return Ok(Self(path));
        }
        Err(RootError(path))
    }

    /// The root of the machine itself.
    pub fn machine() -> Self {
        Self(PathBuf::from("/"))
    }

    /// Whether it is the machine's own: only there do services, reboots and the running kernel
    /// belong to it.
    pub fn is_machine(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A path of the tree, said without its leading `/`, that is known to hold no surprise.
    pub fn join(&self, inner: &str) -> PathBuf {
        self.0.join(inner.trim_start_matches('/'))
    }

    /// Finds where a path of the tree really is, as if this root were `/`: absolute symlinks begin
    /// again at the root, and `..` stops there. What does not exist yet is taken as it stands.
    ///
    /// # Errors
    /// The system's error when a part cannot be read, or too many symlinks are in the way.
    pub fn resolve(&self, inner: &Path) -> io::Result<PathBuf> {
        let mut waiting: VecDeque<PathBuf> = inner.components().map(part).collect();
        let mut found = PathBuf::new();
        let mut links = 0;
        while let Some(next) = waiting.pop_front() {
            match next.components().next() {
                Some(Component::RootDir | Component::Prefix(_)) => found.clear(),
                Some(Component::ParentDir) => drop(found.pop()),
                Some(Component::Normal(name)) => found.push(name),
                Some(Component::CurDir) | None => {}
            }
            let Some(target) = link_target(&self.0.join(&found))? else {
                continue;
            };
            links += 1;
            if links > MAX_LINKS {
                return Err(io::Error::other(format!("more than {MAX_LINKS} symlinks")));
            }
            found.pop();
            for target_part in target.components().map(part).rev() {
                waiting.push_front(target_part);
            }
        }
        Ok(self.0.join(found))
    }
}

fn part(component: Component<'_>) -> PathBuf {
    PathBuf::from(component.as_os_str())
}

/// Where a symlink points to. Absent: it is none, or nothing is there.
fn link_target(path: &Path) -> io::Result<Option<PathBuf>> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => fs::read_link(path).map(Some),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_root_is_absolute_and_can_be_quoted() {
        for bad in ["", "a", "./a", "/a\"b", "/a\nb", "/a\\b"] {
            assert!(Root::new(bad).is_err(), "{bad:?}");
        }
        assert!(Root::new("/srv/web 1").is_ok());
    }

    #[test]
    fn no_path_leads_out_of_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path().join("root")).unwrap();
        fs::create_dir_all(root.join("etc/app")).unwrap();
        symlink("/etc", root.join("absolute")).unwrap();
        symlink("../../../../etc", root.join("etc/app/up")).unwrap();
        symlink("app", root.join("etc/relative")).unwrap();
        for (inner, real) in [
            ("/etc/new.conf", "etc/new.conf"),
            ("/../../etc/x", "etc/x"),
            ("/absolute/x", "etc/x"),
            ("/etc/app/up/x", "etc/x"),
            ("/etc/relative/./x", "etc/app/x"),
        ] {
            let found = root.resolve(Path::new(inner)).unwrap();
            assert_eq!(found, root.join(real), "{inner}");
        }
    }

    #[test]
    fn symlinks_in_a_circle_end() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path()).unwrap();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        assert!(root.resolve(Path::new("/a/x")).is_err());
    }
}
