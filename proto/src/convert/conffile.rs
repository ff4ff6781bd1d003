//! What becomes of changed config files of packages.

use super::{
    bounds::MAX_PACKAGES,
    enumerated::Enumerated,
    field::{At, FieldError, Problem},
    read,
};
use crate::v1;
use cofferdam_engine::patch::{ConffilePolicies, ConffilePolicy};

/// The rules of a message, in order of packages.
pub(super) fn write(policies: ConffilePolicies) -> Vec<v1::ConffileRule> {
    let rule = |(package, policy): (String, ConffilePolicy)| v1::ConffileRule {
        package,
        policy: policy.number(),
    };
    policies.into_iter().map(rule).collect()
}

/// Reads the rules of a message: one a package.
pub(super) fn read(rules: Vec<v1::ConffileRule>) -> Result<ConffilePolicies, FieldError> {
    let rules: Vec<Rule> = read::list(rules, MAX_PACKAGES)?;
    let mut policies = ConffilePolicies::new();
    for Rule(package, policy) in rules {
        if policies.insert(package.clone(), policy).is_some() {
            return Err(Problem::Twice(package).into());
        }
    }
    Ok(policies)
}

struct Rule(String, ConffilePolicy);

impl TryFrom<v1::ConffileRule> for Rule {
    type Error = FieldError;
    fn try_from(wire: v1::ConffileRule) -> Result<Self, FieldError> {
        let package = read::package_name(wire.package).at("package")?;
        Ok(Self(
            package,
            ConffilePolicy::read(wire.policy).at("policy")?,
        ))
    }
}
