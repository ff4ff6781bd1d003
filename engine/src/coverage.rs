//! Which traits of hosts make strata: the labels and pairs of labels that a rollout covers. The first wave has
//! a host of every region besides: what a patch does in one is not proved in another, whatever a file takes for
//! alike.

use crate::{
    inventory::{Host, PackageSet, REGION},
    patch::LockFile,
    policy,
    stratum::{self, Delta, Stratum, Trait, Value},
};
use serde::{Deserialize, Serialize};

/// The labels whose values make strata, and the pairs of labels whose values do so together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Labels and facts, and [`stratum::DELTA`]; each once.
    pub labels: Vec<String>,
    /// Pairs of two different ones; each once.
    pub pairs: Vec<[String; 2]>,
}

impl Default for Coverage {
    fn default() -> Self {
        Self {
            labels: policy::COVERAGE.map(str::to_owned).into(),
            pairs: Vec::new(),
        }
    }
}

impl Coverage {
    /// What makes strata, one label or pair after the other.
    pub fn kinds(&self) -> impl Iterator<Item = Kind<'_>> {
        let labels = self.labels.iter().map(|label| Kind { label, with: None });
        let pairs = self.pairs.iter().map(|[label, with]| Kind {
            label,
            with: Some(with),
        });
        labels.chain(pairs)
    }

    /// What the first wave must have a host of: every stratum, and every region.
    pub fn to_cover(&self) -> impl Iterator<Item = Kind<'_>> {
        let region = (!self.has_regions()).then_some(Kind {
            label: REGION,
            with: None,
        });
        self.kinds().chain(region)
    }

    /// The same, with regions among the strata.
    #[must_use]
    pub fn with_regions(mut self) -> Self {
        if !self.has_regions() {
            self.labels.push(REGION.to_owned());
        }
        self
    }

    fn has_regions(&self) -> bool {
        self.labels.iter().any(|label| label == REGION)
    }

    /// Whether hosts are told apart by what is installed on them.
    pub fn tells_deltas_apart(&self) -> bool {
        self.labels.iter().any(|label| label == stratum::DELTA)
    }

    /// The strata of one host, in order of the labels and pairs. `installed` is its package set, if
    /// that is known.
    pub fn strata(
        &self,
        host: &Host,
        installed: Option<&PackageSet>,
        lock: &LockFile,
    ) -> Vec<Stratum> {
        let delta = stratum::delta(host, installed, lock);
        self.kinds()
            .filter_map(|kind| Some(kind.stratum(kind.values(host, delta)?)))
            .collect()
    }
}

/// One label, or one pair of labels, that makes strata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind<'c> {
    label: &'c str,
    with: Option<&'c str>,
}

/// A host's values of the labels of a [`Kind`]: the second one is there when the kind is a pair.
pub type Values<'h> = (Value<'h>, Option<Value<'h>>);

impl Kind<'_> {
    /// The values that a host has. Nothing when it lacks one: then it is of no stratum of this kind.
    pub fn values<'h>(&self, host: &'h Host, delta: Option<Delta>) -> Option<Values<'h>> {
        let value = Value::of(self.label, host, delta)?;
        match self.with {
            None => Some((value, None)),
            Some(with) => Some((value, Some(Value::of(with, host, delta)?))),
        }
    }

    /// The stratum of all hosts that have these values.
    pub fn stratum(&self, (value, second): Values<'_>) -> Stratum {
        Stratum {
            label: self.label.to_owned(),
            value: value.to_string(),
            with: self.with.zip(second).map(|(label, value)| Trait {
                label: label.to_owned(),
                value: value.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stratum::tests::{host, installed, lock};

    fn strata(coverage: &Coverage, labels: &[(&str, &str)]) -> Vec<String> {
        let installed = installed(&[("openssl", "1")]);
        let strata = coverage.strata(&host(labels), Some(&installed), &lock("3"));
        strata.iter().map(Stratum::to_string).collect()
    }

    fn covering(labels: &[&str], pairs: &[[&str; 2]]) -> Coverage {
        Coverage {
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            pairs: pairs.iter().map(|pair| pair.map(str::to_owned)).collect(),
        }
    }

    const WEB: [(&str, &str); 4] = [
        ("service", "web"),
        ("region", "r1"),
        ("zone", "a"),
        ("rack", "7"),
    ];

    #[test]
    fn the_default_makes_strata_of_labels_facts_and_delta_and_a_zone_names_its_region() {
        assert_eq!(
            strata(&Coverage::default(), &WEB),
            [
                "region=r1",
                "zone=r1/a",
                "os_release=debian-12",
                "kernel=6.1",
                "architecture=amd64",
                "service=web",
                "delta=fb3343dab112"
            ]
        );
    }

    #[test]
    fn any_label_and_any_pair_makes_strata_where_a_host_has_them() {
        for (labels, pairs, expected) in [
            (&["rack"] as &[_], &[] as &[_], &["rack=7"] as &[_]),
            (
                &[],
                &[["service", "kernel"], ["zone", "rack"]],
                &["service=web kernel=6.1", "zone=r1/a rack=7"],
            ),
            (&["color"], &[["rack", "color"], ["color", "rack"]], &[]),
        ] {
            assert_eq!(strata(&covering(labels, pairs), &WEB), expected);
        }
    }

    #[test]
    fn a_pair_reads_back_from_the_store_and_so_does_what_was_stored_before_there_were_pairs() {
        let pair = covering(&[], &[["service", "kernel"]]).strata(&host(&WEB), None, &lock("3"));
        let stored = serde_json::to_string(&pair).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Stratum>>(&stored).unwrap(), pair);
        let old = r#"{"label":"kernel","value":"6.1"}"#;
        let read: Stratum = serde_json::from_str(old).unwrap();
        assert_eq!(read.to_string(), "kernel=6.1");
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
    }
}
