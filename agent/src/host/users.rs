//! Users and groups by the lists of a root: `/etc/passwd` and `/etc/group`.
//!
//! Config files belong to users of the system, which packages make there. A directory service is not asked:
//! it may be what is being patched.

use super::root::Root;
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    patch::OwnerName,
};
use std::fs;

/// The number of a user.
///
/// # Errors
/// [`FailureKind::Unsupported`] when the root has no such user.
pub fn user(root: &Root, name: &OwnerName) -> Result<u32, Failure> {
    number(root, "etc/passwd", "user", name)
}

/// The number of a group.
///
/// # Errors
/// [`FailureKind::Unsupported`] when the root has no such group.
pub fn group(root: &Root, name: &OwnerName) -> Result<u32, Failure> {
    number(root, "etc/group", "group", name)
}

fn number(root: &Root, list: &str, what: &str, name: &OwnerName) -> Result<u32, Failure> {
    let name = name.as_str();
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    // A list that cannot be read has nobody in it.
    let text = fs::read_to_string(root.join(list)).unwrap_or_default();
    find(&text, name).ok_or_else(|| {
        let detail = format!("this host has no {what} `{name}` in /{list}");
        Failure::new(FailureKind::Unsupported, detail)
    })
}

/// The number that a list has for a name: both `passwd` and `group` have it in their third field.
fn find(list: &str, name: &str) -> Option<u32> {
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_it = fields.next() == Some(name);
        fields.nth(1).filter(|_| is_it)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whole_and_a_line_of_nonsense_passed_over() {
        let list = "root:x:0:0::/root:/bin/sh\nnonsense\nwww:x:a\nwww-data:x:33:33::/:/x\n";
        assert_eq!(find(list, "www-data"), Some(33));
        assert_eq!(find(list, "root"), Some(0));
        for name in ["www", "data", "nonsense", ""] {
            assert_eq!(find(list, name), None, "{name}");
        }
    }
}
