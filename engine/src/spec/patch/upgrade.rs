//! What a patch of kind `packages` takes: named packages, all security updates, or what an advisory
//! asks for.

use super::{Refusal, packages};
use crate::{
    advisory,
    document::Table,
    patch::{AdvisoryPatch, Patch, Source},
};

const SECURITY: [(&str, ()); 1] = [("all", ())];

pub(super) fn packages_of(table: &mut Table<'_, Refusal>) -> Option<Patch> {
    let ways = ["packages", "security", "advisory"];
    let said: Vec<_> = ways.into_iter().filter(|key| table.has(key)).collect();
    for key in said.iter().skip(1) {
        table.refuse(key, Refusal::WishTwice);
    }
    // All that stands there is read, so that every mistake in it is said.
    let security = table.choice("security", &SECURITY);
    let advisory = advisory(table);
    let named = match said.is_empty() || table.has("packages") {
        true => packages(table),
        false => None,
    };
    match said.as_slice() {
        ["security"] => security.map(|()| Patch::Security),
        ["advisory"] => advisory.map(Patch::Advisory),
        ["packages"] => named,
        _ => None,
    }
}

fn advisory(table: &mut Table<'_, Refusal>) -> Option<AdvisoryPatch> {
    if table.has("advisory") {
        table.require("advisory_file", "advisory_file = \"DSA-5678-1.json\"");
    }
    if table.has("advisory_file") {
        table.require("advisory", "advisory = \"DSA-5678-1\"");
    }
    let id = table.text("advisory", |text| {
        advisory::check_id(text).map(|()| text.to_owned())
    });
    let file = table.text("advisory_file", Source::beside);
    Some(AdvisoryPatch {
        id: id?,
        file: file?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;

    fn parse(keys: &str) -> Result<Spec, String> {
        let text = format!(
            "name = \"x\"\n[patch]\nkind = \"packages\"\n{keys}\n[select]\nmatch = 'service == \"web\"'\n"
        );
        Spec::parse("x.toml", &text).map_err(|mistakes| mistakes.to_string())
    }

    #[test]
    fn all_security_updates_and_an_advisory_read_back_as_they_were() {
        let advisory = AdvisoryPatch {
            id: "DSA-5678-1".to_owned(),
            file: "DSA.json".into(),
        };
        let of_advisory = "advisory = \"DSA-5678-1\"\nadvisory_file = \"DSA.json\"";
        for (keys, patch) in [
            ("security = \"all\"", Patch::Security),
            (of_advisory, Patch::Advisory(advisory)),
        ] {
            let spec = parse(keys).unwrap();
            assert_eq!(*spec.patch(), patch);
            assert_eq!(Spec::parse("x.toml", &spec.to_string()).unwrap(), spec);
        }
        assert_ne!(
            parse("security = \"all\"").unwrap().digest(),
            parse(of_advisory).unwrap().digest()
        );
    }

    #[test]
    fn a_patch_takes_its_packages_from_one_place() {
        let mistakes = |keys| parse(keys).unwrap_err();
        for (keys, mistake) in [
            (
                "security = \"all\"\npackages = { curl = \"8\" }",
                "x.toml:4:12: security in [patch]",
            ),
            ("security = \"some\"", "\"all\""),
            (
                "advisory = \"DSA-1-1\"",
                "\"advisory_file\" in [patch] is missing",
            ),
            (
                "advisory_file = \"x.json\"\nsecurity = \"all\"",
                "\"advisory\" in [patch] is missing",
            ),
            (
                "advisory = \"-x\"\nadvisory_file = \"x\"",
                "no advisory's id",
            ),
            ("", "\"packages\" in [patch] is missing"),
        ] {
            let found = mistakes(keys);
            assert!(found.contains(mistake), "{keys}: {found}");
        }
    }
}
