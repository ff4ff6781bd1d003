//! What a file has beside content, owner and mode: access control lists, the label of SELinux, and what people
//! attached to it. A file that takes another's place has the same.

use rustix::{
    buffer::spare_capacity,
    fs::{XattrFlags, fsetxattr, getxattr, listxattr},
    io::Errno,
};
use std::{collections::BTreeMap, fs::File, io, path::Path};

/// The most bytes of a list of names, and of a value: the kernel's bound (`XATTR_SIZE_MAX`).
const MOST: usize = 64 << 10;

/// What is kept, by names or their beginnings. The rest is of the content, as signatures and capabilities are, or
/// of the file system.
const KEPT: [&str; 3] = ["system.posix_acl_access", "security.selinux", "user."];

/// Names and values.
pub type Attributes = BTreeMap<String, Vec<u8>>;

/// Those of a file. A file system that has none has none.
pub(super) fn of(path: &Path) -> io::Result<Attributes> {
    let mut names = Vec::with_capacity(MOST);
    match listxattr(path, spare_capacity(&mut names)) {
        Err(Errno::OPNOTSUPP) => return Ok(Attributes::new()),
        listed => listed?,
    };
    let names = names.split(|&byte| byte == 0);
    let names = names.filter_map(|name| str::from_utf8(name).ok());
    let mut attributes = Attributes::new();
    for name in names.filter(|name| KEPT.iter().any(|kept| name.starts_with(kept))) {
        let mut value = Vec::with_capacity(MOST);
        match getxattr(path, name, spare_capacity(&mut value)) {
            // It went meanwhile.
            Err(Errno::NODATA) => continue,
            read => read?,
        };
        attributes.insert(name.to_owned(), value);
    }
    Ok(attributes)
}

/// Gives a file these, before its mode: a list's mask is a part of that.
pub(super) fn give(file: &File, attributes: &Attributes) -> io::Result<()> {
    for (name, value) in attributes {
        fsetxattr(file, name, value, XattrFlags::empty())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config_file::{FileState, Place},
        host::root::Root,
    };
    use std::fs;

    /// `getfattr -e hex -n system.posix_acl_access` after `setfacl -m u:33:r` on a file of mode 640, Debian 12.
    const LIST: [u8; 44] = [
        2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 33, 0, 0, 0, 4, 0, 4, 0, 255, 255,
        255, 255, 16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
    ];

    #[tokio::test]
    async fn a_file_that_takes_anothers_place_lets_the_same_people_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path()).unwrap();
        let path = folder.path().join("key.pem");
        fs::write(&path, "old").unwrap();
        let given = Attributes::from([
            ("system.posix_acl_access".to_owned(), LIST.to_vec()),
            ("user.note".to_owned(), b"ours".to_vec()),
        ]);
        if give(&File::open(&path).unwrap(), &given).is_err() {
            // Not every file system has them.
            return;
        }
        let before = FileState::standing_at(&path).await.unwrap().unwrap();
        assert_eq!((before.mode, &before.attributes), (0o640, &given));
        let new = folder.path().join("new");
        fs::write(&new, "new").unwrap();
        let place = Place::find(&root, Path::new("/key.pem")).unwrap();
        place.prepare(&new, Some(&before)).unwrap().place().unwrap();
        let after = FileState::standing_at(&path).await.unwrap().unwrap();
        assert_ne!(after.sha256, before.sha256);
        assert_eq!((after.mode, after.attributes), (0o640, given));
    }
}
