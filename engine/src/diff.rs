//! What is different between two texts, line by line.

use std::fmt;

/// One line of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffLine<'a> {
    /// It stands in both.
    Kept(&'a str),
    /// It stands in the first alone.
    Removed(&'a str),
    /// It stands in the second alone.
    Added(&'a str),
}

impl fmt::Display for DiffLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(line) => write!(f, " {line}"),
            Self::Removed(line) => write!(f, "-{line}"),
            Self::Added(line) => write!(f, "+{line}"),
        }
    }
}

/// The most comparisons that are made for a short difference: lock files of a thousand packages
/// that differ throughout need 16 million (guess).
const MAX_COMPARISONS: usize = 16_000_000;

/// The shortest way from one text to the other. Texts that are too long for that, and differ
/// throughout, are shown as wholly removed and wholly added.
pub fn lines<'a>(before: &'a str, after: &'a str) -> Vec<DiffLine<'a>> {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let same = |(a, b): &(&&str, &&str)| a == b;
    let head = before.iter().zip(&after).take_while(same).count();
    let (old, new) = (&before[head..], &after[head..]);
    let tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(same)
        .count();
    let (old, kept) = old.split_at(old.len() - tail);
    let new = &new[..new.len() - tail];
    let mut lines: Vec<_> = before[..head]
        .iter()
        .map(|line| DiffLine::Kept(line))
        .collect();
    lines.extend(middle(old, new));
    lines.extend(kept.iter().map(|line| DiffLine::Kept(line)));
    lines
}

/// The part between what both begin and end with.
fn middle<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<DiffLine<'a>> {
    let removed = old.iter().map(|line| DiffLine::Removed(line));
    let added = new.iter().map(|line| DiffLine::Added(line));
    if old.len().saturating_mul(new.len()) > MAX_COMPARISONS {
        return removed.chain(added).collect();
    }
    let common = common(old, new);
    let (mut a, mut b) = (0, 0);
    let mut lines = Vec::new();
    while let (Some(left), Some(right)) = (old.get(a), new.get(b)) {
        if left == right {
            lines.push(DiffLine::Kept(left));
            (a, b) = (a + 1, b + 1);
        } else if common[a + 1][b] >= common[a][b + 1] {
            lines.push(DiffLine::Removed(left));
            a += 1;
        } else {
            lines.push(DiffLine::Added(right));
            b += 1;
        }
    }
    lines.extend(removed.skip(a));
    lines.extend(added.skip(b));
    lines
}

/// How many lines the rests of both texts have in common, by where the rests begin.
fn common(old: &[&str], new: &[&str]) -> Vec<Vec<u32>> {
    let mut common = vec![vec![0; new.len() + 1]; old.len() + 1];
    for (a, left) in old.iter().enumerate().rev() {
        for (b, right) in new.iter().enumerate().rev() {
            common[a][b] = match left == right {
                true => common[a + 1][b + 1] + 1,
                false => common[a + 1][b].max(common[a][b + 1]),
            };
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_both_is_kept_and_the_rest_goes_or_comes() {
        let cases = [
            ("", "", ""),
            ("a\nb", "a\nb", " a| b"),
            ("a\nb\nc", "a\nx\nc", " a|-b|+x| c"),
            ("a\nb\nc\nd", "b\nd\ne", "-a| b|-c| d|+e"),
            ("", "a", "+a"),
            ("a\na", "a", " a|-a"),
        ];
        for (before, after, expected) in cases {
            let lines: Vec<_> = lines(before, after)
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(lines.join("|"), expected, "{before:?} to {after:?}");
        }
    }

    #[test]
    fn long_texts_without_a_common_line_are_replaced() {
        let before: String = (0..5000).map(|line| format!("a{line}\n")).collect();
        let after = before.replace('a', "b");
        let lines = lines(&before, &after);
        assert_eq!(lines.len(), 10_000);
        assert_eq!(lines[0], DiffLine::Removed("a0"));
        assert_eq!(lines[9_999], DiffLine::Added("b4999"));
    }
}
