//! The order of package versions, by the rules of rpm.
//!
//! `[epoch:]version[-release]`, compared part by part as `rpmvercmp` of rpm 4.18 does: runs of digits and
//! runs of letters take turns, and all other marks only part them. A number is newer than letters, `~`
//! comes before everything, even the end, and `^` after the end and before everything else.

use std::cmp::Ordering;

/// Which of two versions is newer: `Greater` when the first is. Any two texts have an order. One without a
/// release is older than the same one with any: rpm itself calls them equal where it looks for a match,
/// which would be no order.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    let parts = a.into_iter().zip(b);
    parts.fold(Ordering::Equal, |order, (a, b)| {
        order.then_with(|| compare_part(a, b))
    })
}

/// Epoch, version and release. An epoch that is not said is 0.
fn parts(text: &str) -> [&str; 3] {
    let is_number =
        |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (epoch, rest) = text
        .split_once(':')
        .filter(|(epoch, _)| is_number(epoch))
        .unwrap_or(("0", text));
    let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
    [epoch, version, release]
}

fn compare_part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        (a, b) = (skip_marks(a), skip_marks(b));
        let rank = rank(a).cmp(&rank(b));
        if rank.is_ne() || a.is_empty() {
            return rank;
        }
        let (one, a_rest) = run(a);
        let (other, b_rest) = run(b);
        let order = compare_runs(one, other);
        if order.is_ne() {
            return order;
        }
        (a, b) = (a_rest, b_rest);
    }
}

/// Marks that only part runs.
fn skip_marks(text: &[u8]) -> &[u8] {
    let is_read = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'~' | b'^');
    let begin = text.iter().position(is_read).unwrap_or(text.len());
    text.get(begin..).unwrap_or_default()
}

/// What comes next decides, where it is not of the same kind: `~`, the end, `^`, letters, a number.
fn rank(text: &[u8]) -> u8 {
    match text.first() {
        Some(b'~') => 0,
        None => 1,
        Some(b'^') => 2,
        Some(byte) if byte.is_ascii_digit() => 4,
        Some(_) => 3,
    }
}

/// Splits off a mark that counts, or the longest run of digits or of letters.
fn run(text: &[u8]) -> (&[u8], &[u8]) {
    let kind = |byte: &u8| (byte.is_ascii_digit(), byte.is_ascii_alphabetic());
    let first = text.first().map(kind);
    let end = match first {
        Some((false, false)) | None => text.len().min(1),
        Some(_) => text
            .iter()
            .position(|byte| Some(kind(byte)) != first)
            .unwrap_or(text.len()),
    };
    text.split_at(end)
}

/// Compares two runs of one kind: numbers of any length by their value, letters by their bytes.
fn compare_runs(a: &[u8], b: &[u8]) -> Ordering {
    if !a.first().is_some_and(u8::is_ascii_digit) {
        return a.cmp(b);
    }
    let value = |run: &[u8]| {
        run.iter()
            .position(|&digit| digit != b'0')
            .unwrap_or(run.len())
    };
    let (a, b) = (&a[value(a)..], &b[value(b)..]);
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Put in order by `rpm.labelCompare` of rpm 4.18.0; what stands together it calls equal.
    #[test]
    fn versions_are_ordered_as_rpm_orders_them() {
        let rising: [&[&str]; 43] = [
            &["a"],
            &["b1"],
            &["xyz.4"],
            &["xyz10"],
            &["1.0~"],
            &["1.0~rc1~git123"],
            &["1.0~rc1"],
            &["1.0~rc1^git1"],
            &["1.0"],
            &["1.0-1~deb12u1"],
            &["1.0-1"],
            &["1.0-1^a"],
            &["1.0-1.1"],
            &["1.0-10"],
            &["1.0^"],
            &["1.0^git1~pre"],
            &["1.0^git1"],
            &["1.0^20160101"],
            &["1.0a", "1.0.a"],
            &["1.0+dfsg-1"],
            &["1.0.1", "1.0_1", "1.0..1", "1.0.1."],
            &["1.0.1^x"],
            &["1.05"],
            &["1.0010"],
            &["2.0.1a"],
            &["3.0.7-24.el9"],
            &["4.18.0-553.el8_10"],
            &["5.5p1"],
            &["5.5p10"],
            &["5.14.0-70.el9"],
            &["5.14.0-70.13.1.el9"],
            &["5.14.0-70.13.1.el9_0"],
            &["5.14.0-427.el9_4"],
            &["6.0"],
            &["6.0.rc1"],
            &["8"],
            &["10xyz"],
            &["10.1xyz"],
            &["20240202.git4a"],
            &["1:1.1.1k-12.el8_9"],
            &["1:3.0.7-24.el9"],
            &["1:3.0.7-27.el9"],
            &["2:8.2"],
        ];
        for (place, alike) in rising.iter().enumerate() {
            for (other_place, others) in rising.iter().enumerate() {
                for (a, b) in alike
                    .iter()
                    .flat_map(|a| others.iter().map(move |b| (a, b)))
                {
                    assert_eq!(compare(a, b), place.cmp(&other_place), "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn an_epoch_that_is_not_said_is_zero_and_a_release_that_is_not_said_is_older() {
        assert_eq!(compare("1.0-1", "0:1.0-1"), Ordering::Equal);
        assert_eq!(compare("01:1", "1:1"), Ordering::Equal);
        assert_eq!(compare("1.0", "1.0-1"), Ordering::Less);
        let long = "9".repeat(100);
        assert_eq!(
            compare(&long, &format!("1{}", "0".repeat(100))),
            Ordering::Less
        );
    }

    proptest! {
        #[test]
        fn any_texts_have_one_order(a in ".{0,12}", b in ".{0,12}", c in "[0-9a~^:.+-]{0,8}", d in "[0-9a~^:.-]{0,8}") {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            prop_assert_eq!(compare(&c, &d), compare(&d, &c).reverse());
            prop_assert_eq!(compare(&c, &c), Ordering::Equal);
        }
    }
}
