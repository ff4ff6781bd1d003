//! Splits a number of hosts into uneven parts.

/// Splits a total by weights into parts of at least `least` each, by largest remainder: what whole
/// shares leave over goes, one each, to the parts that lost most, the first of equals first.
///
/// `least` times the number of weights is at most the total, and some weight is not 0.
pub(super) fn split(total: usize, weights: &[usize], least: usize) -> Vec<usize> {
    let rest = total - least * weights.len();
    let whole: usize = weights.iter().sum();
    let mut parts: Vec<usize> = weights.iter().map(|w| least + rest * w / whole).collect();
    let mut by_loss: Vec<usize> = (0..weights.len()).collect();
    by_loss.sort_by_key(|part| whole - rest * weights[*part] % whole);
    let left = total - parts.iter().sum::<usize>();
    for part in by_loss.into_iter().take(left) {
        parts[part] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_over_goes_to_the_parts_that_lost_most() {
        for (total, weights, least, parts) in [
            (10, [1, 1, 1], 0, [4, 3, 3]),
            (10, [5, 3, 2], 0, [5, 3, 2]),
            (11, [5, 3, 2], 0, [6, 3, 2]),
            (7, [10, 1, 1], 2, [3, 2, 2]),
            (6, [10, 1, 1], 2, [2, 2, 2]),
            (0, [1, 2, 3], 0, [0, 0, 0]),
        ] {
            assert_eq!(split(total, &weights, least), parts, "{total} {weights:?}");
        }
    }
}
