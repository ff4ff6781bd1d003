//! The host's labels.

use super::Refusal;
use cofferdam_engine::{
    document::Table,
    inventory::{Labels, REGION, SERVICE, ZONE},
};

/// Without these a host can be in no cell and no group.
const NEEDED: [&str; 3] = [SERVICE, REGION, ZONE];

/// Reads `[labels]`.
pub(super) fn read(top: &mut Table<'_, Refusal>) -> Labels {
    top.require(
        "labels",
        "labels = { service = \"web\", region = \"r1\", zone = \"a\" }",
    );
    let Some(table) = top.table("labels", "[labels]") else {
        return Labels::new();
    };
    let mut labels = Labels::new();
    for (name, value) in table.all_texts() {
        if value.text.is_empty() {
            table.refuse_at(value.span.start, name, Refusal::Empty);
        }
        labels.insert(name.to_owned(), value.text.to_owned());
    }
    let is_missing = |name: &&str| !table.has(name);
    let missing: Vec<&str> = NEEDED.into_iter().filter(is_missing).collect();
    if !missing.is_empty() {
        table.refuse_whole(Refusal::LabelsMissing(missing.join(", ")));
    }
    labels
}
