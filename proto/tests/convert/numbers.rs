//! Field numbers are an interface: they never change meaning.

use std::collections::BTreeSet;

const PROTOS: [&str; 5] = [
    include_str!("../../proto/cofferdam/v1/model.proto"),
    include_str!("../../proto/cofferdam/v1/guard.proto"),
    include_str!("../../proto/cofferdam/v1/agent.proto"),
    include_str!("../../proto/cofferdam/v1/operator.proto"),
    include_str!("../../proto/cofferdam/v1/link.proto"),
];

/// One `Message.type field = number` a line, as released. Only grows.
const RELEASED: &str = include_str!("numbers.txt");

/// The fields and values of a `.proto` file, each in the words of [`RELEASED`].
fn numbers(proto: &str) -> Vec<String> {
    let mut scope: Vec<&str> = Vec::new();
    let mut numbers = Vec::new();
    for line in proto.lines().map(str::trim) {
        if line.starts_with("//") {
            continue;
        }
        if let Some(opened) = line.strip_suffix('{') {
            scope.push(opened.split_whitespace().last().unwrap_or_default());
        } else if line == "}" {
            scope.pop();
        } else if let (Some((field, _)), false) = (line.split_once(';'), scope.is_empty())
            && field.contains(" = ")
        {
            numbers.push(format!("{}: {field}", scope.join(".")));
        }
    }
    numbers
}

#[test]
fn a_number_keeps_its_meaning_for_good() {
    let now: BTreeSet<String> = PROTOS.iter().flat_map(|proto| numbers(proto)).collect();
    let released: BTreeSet<String> = RELEASED.lines().map(str::to_owned).collect();

    let gone: Vec<_> = released.difference(&now).collect();
    let new: Vec<_> = now.difference(&released).collect();

    assert!(gone.is_empty(), "changed or gone: {gone:#?}");
    assert!(new.is_empty(), "write these into numbers.txt: {new:#?}");
}
