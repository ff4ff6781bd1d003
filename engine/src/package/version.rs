//! The order of package versions, by the rules of dpkg.
//!
//! The rules are those of Debian's policy, section 5.6.12: `[epoch:]upstream[-revision]`, compared
//! part by part; in each part runs of other characters and numbers take turns, letters sort before
//! all other marks, and `~` before everything, even the end.

use std::cmp::Ordering;

/// Which of two versions is newer: `Greater` when the first is. Any two texts have an order, so
/// what no package manager would take does no harm.
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    let (a, b) = (Parts::of(a), Parts::of(b));
    compare_numbers(a.epoch, b.epoch)
        .then_with(|| compare_part(a.upstream, b.upstream))
        .then_with(|| compare_part(a.revision, b.revision))
}

struct Parts<'a> {
    /// Digits, or nothing.
    epoch: &'a str,
    upstream: &'a str,
    revision: &'a str,
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        let is_number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (epoch, rest) = version
            .split_once(':')
            .filter(|(epoch, _)| is_number(epoch))
            .unwrap_or(("", version));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self {
            epoch,
            upstream,
            revision,
        }
    }
}

fn compare_part(mut a: &str, mut b: &str) -> Ordering {
    while !(a.is_empty() && b.is_empty()) {
        let (a_mark, a_rest) = split(a, |byte| !byte.is_ascii_digit());
        let (b_mark, b_rest) = split(b, |byte| !byte.is_ascii_digit());
        let (a_number, a_next) = split(a_rest, |byte| byte.is_ascii_digit());
        let (b_number, b_next) = split(b_rest, |byte| byte.is_ascii_digit());
        let order = compare_marks(a_mark, b_mark).then_with(|| compare_numbers(a_number, b_number));
        if order.is_ne() {
            return order;
        }
        (a, b) = (a_next, b_next);
    }
    Ordering::Equal
}

/// Splits off the longest beginning whose bytes are all of a kind.
fn split(text: &str, is_of_it: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !is_of_it(byte));
    text.split_at(end.unwrap_or(text.len()))
}

/// Compares two runs without digits. After the end of one, a number or nothing follows.
fn compare_marks(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.bytes(), b.bytes());
    loop {
        let (one, other) = (a.next(), b.next());
        let order = weight(one).cmp(&weight(other));
        if order.is_ne() || (one.is_none() && other.is_none()) {
            return order;
        }
    }
}

/// `~` comes before the end, the end before letters, letters before all other marks.
fn weight(byte: Option<u8>) -> (u8, u8) {
    match byte {
        Some(b'~') => (0, 0),
        None => (1, 0),
        Some(letter) if letter.is_ascii_alphabetic() => (2, letter),
        Some(mark) => (3, mark),
    }
}

/// Compares two runs of digits of any length as numbers; none at all is 0.
fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_version_is_older_than_the_next() {
        let rising = [
            "1.0~~",
            "1.0~~a",
            "1.0~",
            "1.0~beta1",
            "1.0~rc1-1",
            "1.0",
            "1.0-1~deb12u1",
            "1.0-1",
            "1.0-1+b1",
            "1.0-1.1",
            "1.0-2",
            "1.0-10",
            "1.0a",
            "1.0+dfsg-1",
            "1.0.1",
            "1.9",
            "1.10",
            "1.10-1-1",
            "2",
            "1:0.1",
            "1:0.2~",
            "2:0",
            "10:0",
        ];
        for (place, version) in rising.iter().enumerate() {
            for (other_place, other) in rising.iter().enumerate() {
                let expected = place.cmp(&other_place);
                assert_eq!(
                    compare_versions(version, other),
                    expected,
                    "{version} {other}"
                );
            }
        }
    }

    #[test]
    fn versions_that_say_the_same_are_equal() {
        for (a, b) in [
            ("1.0", "0:1.0"),
            ("1.0", "1.0-0"),
            ("1.0", "1.00"),
            ("1.0-1", "1.0-01"),
            ("", "0"),
        ] {
            assert_eq!(compare_versions(a, b), Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn numbers_of_any_length_are_compared() {
        let long = "9".repeat(100);
        let longer = format!("1{}", "0".repeat(100));
        assert_eq!(compare_versions(&long, &longer), Ordering::Less);
    }

    proptest! {
        #[test]
        fn any_texts_have_one_order(a in ".{0,12}", b in ".{0,12}", c in "[0-9a~:.+-]{0,8}") {
            prop_assert_eq!(compare_versions(&a, &b), compare_versions(&b, &a).reverse());
            prop_assert_eq!(compare_versions(&c, &c), Ordering::Equal);
        }
    }
}
