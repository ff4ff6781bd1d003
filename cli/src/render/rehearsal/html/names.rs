//! Long lists of hosts in little room.

use crate::render::table::counted;
use cofferdam_engine::id::HostId;
use maud::{Markup, html};

/// How many names are to be seen at once.
const SHOWN: usize = 20;

/// How many names there are at most, so that a file can still be sent around.
const MOST: usize = 1000;

/// The first names, and all of them to unfold.
pub(super) fn of(hosts: &[HostId]) -> Markup {
    let (first, more) = first(hosts, SHOWN);
    if more == 0 {
        return html! { (first) };
    }
    let (all, too_many) = self::first(hosts, MOST);
    html! {
        (first) " and " (counted(more, "more host"))
        details {
            summary { "all names" }
            (all)
            @if too_many > 0 { " and " (counted(too_many, "more host")) }
        }
    }
}

/// The first so many names with commas, and how many there are beside them.
fn first(hosts: &[HostId], most: usize) -> (String, usize) {
    let names: Vec<&str> = hosts.iter().take(most).map(HostId::as_str).collect();
    (names.join(", "), hosts.len() - names.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(number: usize) -> String {
        let hosts = (0..number).map(|place| HostId::new(format!("h-{place}")).unwrap());
        of(&hosts.collect::<Vec<_>>()).into_string()
    }

    #[test]
    fn a_few_names_are_all_shown() {
        assert_eq!(named(2), "h-0, h-1");
        assert!(!named(SHOWN).contains("details"));
    }

    #[test]
    fn many_names_unfold_and_very_many_are_counted() {
        assert!(named(SHOWN + 1).contains("h-19 and 1 more host<details>"));
        assert!(named(SHOWN + 1).ends_with("h-19, h-20</details>"));
        assert!(named(MOST + 2).ends_with("h-999 and 2 more hosts</details>"));
    }
}
