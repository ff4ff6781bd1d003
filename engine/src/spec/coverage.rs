//! The keys `coverage` and `coverage_pairs` of a rollout file.

use super::Refusal;
use crate::{
    coverage::Coverage,
    document::{Table, quote},
};

/// Reads both keys; what is absent or wrong has its default.
pub(super) fn read(top: &mut Table<'_, Refusal>, default: Coverage) -> Coverage {
    let labels = top.texts("coverage").unwrap_or(default.labels);
    if let Some(why) = refuse_labels(&labels) {
        top.refuse("coverage", why);
    }
    let mut pairs: Vec<[String; 2]> = Vec::new();
    for pair in top.text_lists("coverage_pairs").unwrap_or_default() {
        let pair = pair.iter().map(|label| label.text.to_owned()).collect();
        match as_pair(pair, &pairs) {
            Ok(pair) => pairs.push(pair),
            Err(why) => top.refuse("coverage_pairs", why),
        }
    }
    if labels.is_empty() && pairs.is_empty() {
        top.refuse("coverage", Refusal::NoCoverage);
    }
    Coverage { labels, pairs }
}

fn refuse_labels(labels: &[String]) -> Option<Refusal> {
    if labels.iter().any(String::is_empty) {
        return Some(Refusal::NoLabel);
    }
    let twice = (1..labels.len()).find(|i| labels[..*i].contains(&labels[*i]));
    twice.map(|i| Refusal::LabelTwice(labels[i].clone()))
}

fn as_pair(labels: Vec<String>, before: &[[String; 2]]) -> Result<[String; 2], Refusal> {
    if let Some(why) = refuse_labels(&labels) {
        return Err(why);
    }
    let pair: [String; 2] = labels
        .try_into()
        .map_err(|labels: Vec<_>| Refusal::NoPair(labels.len()))?;
    let is_same = |other: &[String; 2]| other.iter().all(|label| pair.contains(label));
    if before.iter().any(is_same) {
        return Err(Refusal::PairTwice(pair.join(" with ")));
    }
    Ok(pair)
}

/// The value of `coverage`, as a file says it.
pub(super) fn labels(coverage: &Coverage) -> String {
    list(&coverage.labels)
}

/// The value of `coverage_pairs`, as a file says it.
pub(super) fn pairs(coverage: &Coverage) -> String {
    let pairs: Vec<_> = coverage.pairs.iter().map(|pair| list(pair)).collect();
    format!("[{}]", pairs.join(", "))
}

fn list(labels: &[String]) -> String {
    let labels: Vec<_> = labels.iter().map(|label| quote(label)).collect();
    format!("[{}]", labels.join(", "))
}
