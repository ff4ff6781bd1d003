//! Names that an operator lists, where a `*` at the end stands for any rest.

/// Whether a listed name stands for this one.
pub fn matches(listed: &str, name: &str) -> bool {
    match listed.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == listed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_at_the_end_stands_for_any_rest() {
        for (listed, name, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("a*", "a", true),
            ("*", "anything", true),
            ("a*b", "axb", false),
        ] {
            assert_eq!(matches(listed, name), expected, "{listed} {name}");
        }
    }
}
