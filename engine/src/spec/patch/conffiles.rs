//! What a patch of packages does about config files that people changed.

use super::Refusal;
use crate::{
    document::Table,
    package,
    patch::{ConffilePolicies, ConffilePolicy},
};

pub(crate) const CONFFILE_POLICIES: [(&str, ConffilePolicy); 3] = [
    ("keep", ConffilePolicy::Keep),
    ("replace", ConffilePolicy::Replace),
    ("fail", ConffilePolicy::Fail),
];

pub(super) fn read(table: &mut Table<'_, Refusal>) -> ConffilePolicies {
    let mut policies = ConffilePolicies::new();
    let Some(listed) = table.table("conffiles", "conffiles") else {
        return policies;
    };
    for (name, said) in listed.all_texts() {
        let known = CONFFILE_POLICIES
            .iter()
            .find(|(word, _)| *word == said.text);
        let policy = known.map(|(_, policy)| *policy);
        let policy = policy.ok_or_else(|| Refusal::ConffilePolicy(said.text.to_owned()));
        let checked = package::check_name(name).map_err(Refusal::from);
        match checked.and(policy) {
            Ok(policy) => drop(policies.insert(name.to_owned(), policy)),
            Err(why) => listed.refuse_at(said.span.start, name, why),
        }
    }
    policies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;

    fn parse(kind: &str, conffiles: &str) -> Result<Spec, String> {
        let text = format!(
            "name = \"x\"\n[patch]\n{kind}\nconffiles = {conffiles}\n\
             [select]\nmatch = 'service == \"web\"'\n"
        );
        Spec::parse("x.toml", &text).map_err(|mistakes| mistakes.to_string())
    }

    const PACKAGES: &str = "kind = \"packages\"\nsecurity = \"all\"";

    #[test]
    fn a_policy_a_package_reads_back_as_it_was_and_changes_the_digest() {
        let said = parse(PACKAGES, "{ nginx = \"replace\", \"libc6\" = \"fail\" }").unwrap();
        let expected = [
            ("libc6".to_owned(), ConffilePolicy::Fail),
            ("nginx".to_owned(), ConffilePolicy::Replace),
        ];
        assert_eq!(*said.conffiles(), ConffilePolicies::from(expected));
        assert_eq!(Spec::parse("x.toml", &said.to_string()).unwrap(), said);
        assert_ne!(said.digest(), parse(PACKAGES, "{}").unwrap().digest());
    }

    #[test]
    fn what_is_no_policy_or_has_no_packages_is_refused() {
        for (kind, conffiles, says) in [
            (PACKAGES, "{ nginx = \"ask\" }", "`ask` is nothing"),
            (PACKAGES, "{ \"-x\" = \"keep\" }", "-x"),
            ("kind = \"noop\"", "{}", "a patch of kind \"noop\" has none"),
        ] {
            let found = parse(kind, conffiles).unwrap_err();
            assert!(found.contains(says), "{found}");
        }
    }
}
