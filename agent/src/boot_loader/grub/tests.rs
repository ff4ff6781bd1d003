use super::*;
use crate::host::command::{Captured, Exit, LocalFuture, Output, RunError};
use std::{cell::RefCell, collections::BTreeMap};

/// The menu of a host with two kernels, in the form of Debian 12's.
const MENU: &str = "set default=\"${next_entry}\"\nset default=\"${saved_entry}\"\nsource ${config_directory}/custom.cfg\n\
    menuentry 'Debian' $menuentry_id_option 'gnulinux-simple-x' {\n\tlinux\t/boot/vmlinuz-2-a ro\n}\n\
    submenu 'Advanced' $menuentry_id_option 'advanced-x' {\n\
    \tmenuentry 'Linux 2-a' $menuentry_id_option 'gnulinux-2-a-x' {\n\t\tlinux\t/boot/vmlinuz-2-a ro\n\t}\n\
    \tmenuentry 'Linux 1-a' $menuentry_id_option 'gnulinux-1-a-x' {\n\t\tlinux\t/boot/vmlinuz-1-a ro\n\t}\n}\n";

const OLD: &str = "advanced-x>gnulinux-1-a-x";
const NEW: &str = "advanced-x>gnulinux-2-a-x";

/// Does what `grub-editenv` does, to what it has in memory.
#[derive(Default)]
struct Editor(RefCell<BTreeMap<String, String>>);

impl Editor {
    fn edit(&self, words: &[&str]) -> String {
        let mut values = self.0.borrow_mut();
        match words {
            ["set", pair] => {
                let (name, value) = pair.split_once('=').unwrap();
                values.insert(name.to_owned(), value.to_owned());
            }
            ["unset", name] => drop(values.remove(*name)),
            _ => {}
        }
        let lines = values
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"));
        lines.collect()
    }

    fn value(&self, name: &str) -> Option<String> {
        self.0.borrow().get(name).cloned()
    }
}

impl Runner for Editor {
    fn run<'a>(&'a self, command: &'a Command) -> LocalFuture<'a, Result<Output, RunError>> {
        let words: Vec<&str> = command.args[1..]
            .iter()
            .map(|word| word.to_str().unwrap())
            .collect();
        let bytes = self.edit(&words).into_bytes();
        let stdout = Captured { bytes, missing: 0 };
        let output = Output {
            exit: Exit::Status(0),
            stdout,
            stderr: Captured::default(),
        };
        Box::pin(std::future::ready(Ok(output)))
    }
}

/// A host's GRUB with what it has saved.
fn grub(saved: Option<&str>) -> (tempfile::TempDir, Rc<Editor>, Grub) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("grub.cfg"), MENU).unwrap();
    fs::write(folder.path().join("grubenv"), "").unwrap();
    let editor = Rc::new(Editor::default());
    if let Some(saved) = saved {
        editor.edit(&["set", &format!("saved_entry={saved}")]);
    }
    let grub = Grub {
        runner: Rc::<Editor>::clone(&editor),
        folder: folder.path().to_owned(),
    };
    (folder, editor, grub)
}

#[tokio::test]
async fn a_trial_is_the_next_boots_alone_and_leaves_the_default_where_it_was() {
    let (_folder, editor, grub) = grub(None);
    grub.pin("1-a").await.unwrap();
    grub.arm("2-a", "1-a", Duration::from_secs(780))
        .await
        .unwrap();
    assert_eq!(editor.value("saved_entry").as_deref(), Some(OLD));
    assert_eq!(editor.value("next_entry").as_deref(), Some(block::TRIAL));
    let custom = grub.custom().unwrap();
    let tried = "linux\t/boot/vmlinuz-2-a ro panic=30 cofferdam.trial=780\n";
    assert!(custom.contains(tried), "{custom}");
    assert!(custom.contains("set fallback="), "{custom}");

    grub.disarm().await.unwrap();
    assert_eq!(editor.value("next_entry"), None);
    assert!(!grub.custom_path().exists());
    assert_eq!(editor.value("saved_entry").as_deref(), Some(OLD));
}

#[tokio::test]
async fn a_proved_kernel_is_the_default_by_the_entry_that_was_if_that_boots_it() {
    for (former, kernel, settled) in [
        // The first entry boots the newest, and did before.
        (None, "2-a", None),
        (None, "1-a", Some(OLD)),
        (Some("gnulinux-simple-x"), "2-a", Some("gnulinux-simple-x")),
        (Some(OLD), "2-a", Some(NEW)),
        (Some(OLD), "1-a", Some(OLD)),
        (Some("1>2"), "2-a", Some(NEW)),
    ] {
        let (_folder, editor, grub) = grub(Some(OLD));
        grub.settle(kernel, former).await.unwrap();
        assert_eq!(
            editor.value("saved_entry").as_deref(),
            settled,
            "{former:?} {kernel}"
        );
    }
}

#[tokio::test]
async fn a_kernel_without_an_entry_of_its_own_is_neither_tried_nor_pinned() {
    let (_folder, editor, grub) = grub(Some(OLD));
    let within = Duration::from_secs(1);
    for refused in [grub.pin("3-a").await, grub.arm("3-a", "1-a", within).await] {
        assert_eq!(refused.unwrap_err().kind, FailureKind::Kernel);
    }
    assert_eq!(editor.value("saved_entry").as_deref(), Some(OLD));
    assert_eq!(editor.value("next_entry"), None);
}
