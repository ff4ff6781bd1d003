//! Patches of config files.

use super::*;
use crate::patch::{MAX_FILES, Source};

#[test]
fn a_config_patch_names_a_file_on_the_host_and_one_here() {
    let config = |rest: &str| MINIMAL.replace("\"noop\"", &format!("\"config\"\n{rest}"));
    let spec = parse(&config(
        "path = \"/etc/nginx/nginx.conf\"\nsource = \"files/nginx.conf\"\nvalidate = \"nginx\"\nreload = \"nginx.service\"",
    ));
    let Patch::Config(patch) = spec.patch() else {
        panic!("a config patch is expected");
    };
    let file = patch.files.first();
    assert_eq!(file.path.to_str(), Some("/etc/nginx/nginx.conf"));
    assert_eq!(patch.reload.as_deref(), Some("nginx.service"));
    assert_eq!(file.source, Source::Beside("files/nginx.conf".into()));
    let digest = Digest::of("worker_processes 4;");
    let spec = parse(&config(&format!(
        "path = \"/a\"\nsource = \"sha256:{digest}\""
    )));
    let Patch::Config(patch) = spec.patch() else {
        panic!("a config patch is expected");
    };
    assert_eq!(patch.files.first().source, Source::Stored(digest));
    let found = mistakes(&config("path = \"/a\"\nsource = \"sha256:12\""));
    assert!(found.contains("64 hexadecimal digits"), "{found}");
    for path in [
        "",
        "/",
        "etc",
        "/etc/",
        "/etc/../a",
        "/etc//a",
        "/./a",
        "/a\\u0000",
    ] {
        let found = mistakes(&config(&format!("path = \"{path}\"\nsource = \"a\"")));
        assert!(
            found.contains("is no path of a file on a host"),
            "{path}: {found}"
        );
    }
    for unit in ["", "-x", "a b", "a/b"] {
        let rest = format!("path = \"/a\"\nsource = \"a\"\nreload = \"{unit}\"");
        assert!(
            mistakes(&config(&rest)).contains("is no name of a systemd unit"),
            "{unit}"
        );
    }
}

#[test]
fn several_config_files_are_one_patch_each_with_its_own_rights() {
    let config = |rest: &str| MINIMAL.replace("\"noop\"", &format!("\"config\"\n{rest}"));
    let two = "validate = \"nginx\"\n\
        [[patch.files]]\npath = \"/etc/nginx/nginx.conf\"\nsource = \"nginx.conf\"\n\
        [[patch.files]]\npath = \"/etc/nginx/key\"\nsource = \"git+https://h/r@v1#key\"\n\
        mode = \"0640\"\nowner = \"root\"\ngroup = \"www-data\"";
    let spec = parse(&config(two));
    let Patch::Config(patch) = spec.patch() else {
        panic!("a config patch is expected");
    };
    assert_eq!(patch.files.count(), 2);
    let key = patch.files.iter().last().unwrap();
    assert_eq!(key.rights.mode.unwrap().bits(), 0o640);
    assert_eq!(key.rights.group.as_ref().unwrap().as_str(), "www-data");
    assert_eq!(parse(&spec.to_string()), spec, "{spec}");
    let file = |path: &str| format!("[[patch.files]]\npath = \"{path}\"\nsource = \"a\"\n");
    let many: String = (0..=MAX_FILES).map(|n| file(&format!("/{n}"))).collect();
    for (rest, says) in [
        ("files = []".to_owned(), "holds no file"),
        (file("/a") + &file("/a"), "/a stands there twice"),
        (
            format!("path = \"/b\"\n{}", file("/a")),
            "belongs into a `[[patch.files]]`",
        ),
        (file("/a") + "mode = \"4755\"", "is no mode"),
        (many, "there are 101 files"),
    ] {
        let found = mistakes(&config(&rest));
        assert!(found.contains(says), "{rest}: {found}");
    }
}
