use super::*;
use crate::{fleet::homed::host, policy::CELL_SIZE};

/// Hosts of a service in a zone of region `r1`, named after them.
fn hosts(service: &str, zone: &str, numbers: std::ops::Range<usize>) -> Vec<Host> {
    let labels = [(REGION, "r1"), (ZONE, zone), (SERVICE, service)];
    numbers
        .map(|n| host(&format!("{service}-{zone}-{n:05}"), &labels))
        .collect()
}

#[test]
fn a_host_that_can_be_in_no_cell_says_why() {
    let fleet = [
        host("no-zone", &[(REGION, "r1"), (SERVICE, "web")]),
        host("empty", &[(REGION, "r1"), (ZONE, "a"), (SERVICE, "")]),
        host("slash", &[(REGION, "r/1"), (ZONE, "a"), (SERVICE, "web")]),
        host("good", &[(REGION, "r1"), (ZONE, "a"), (SERVICE, "web")]),
    ];
    let why = fleet.each_ref().map(unplaceable);
    let said = why.map(|why| why.map(|why| why.to_string()));
    let said = said.each_ref().map(Option::as_deref);
    assert_eq!(
        said[0],
        Some("it has no label `zone`; give it one where it is enrolled")
    );
    assert_eq!(
        said[1],
        Some("it has no label `service`; give it one where it is enrolled")
    );
    assert!(
        said[2]
            .unwrap()
            .starts_with("its region and zone make no name for a cell: ")
    );
    assert_eq!(said[3], None);
}

struct Rack(CellId, Vec<Host>);

impl Occupied for Rack {
    fn id(&self) -> &CellId {
        &self.0
    }

    fn size(&self) -> usize {
        self.1.len()
    }

    fn kin(&self, of: &crate::floor::Group) -> usize {
        self.1.iter().filter(|host| group(host) == *of).count()
    }

    fn is_of_namesake(&self, host: &Host) -> bool {
        self.1
            .iter()
            .any(|member| member.value(ZONE) != host.value(ZONE))
    }
}

fn rack(name: &str, hosts: Vec<Host>) -> Rack {
    Rack(CellId::new(name).unwrap(), hosts)
}

#[test]
fn a_host_that_joins_goes_where_its_service_has_room_then_anywhere_then_into_a_new_cell() {
    let newcomer = &hosts("web", "a", 9999..10000)[0];
    let full = || rack("r1-a-1", hosts("web", "a", 0..CELL_SIZE));
    let others = || rack("r1-a-2", hosts("api", "a", 0..3));
    let kin = || rack("r1-a-3", hosts("web", "a", 600..603));
    let elsewhere = || rack("r1-b-1", hosts("web", "b", 0..3));
    let cases = [
        (vec![full(), others(), kin(), elsewhere()], "r1-a-3"),
        (vec![full(), others(), elsewhere()], "r1-a-2"),
        (vec![full(), elsewhere()], "r1-a-2"),
        (vec![], "r1-a-1"),
    ];
    for (present, expected) in cases {
        let cell = join(newcomer, present.iter(), CELL_SIZE, |_| true).unwrap();
        assert_eq!(cell.as_str(), expected);
    }
}

#[test]
fn a_group_in_two_cells_comes_together_where_it_fits() {
    let web = |numbers| hosts("web", "a", numbers);
    let with = |web: Vec<Host>, others| [web, hosts("api", "a", 0..others)].concat();
    let elsewhere = || rack("r1-b-1", hosts("web", "b", 0..3));
    let cases = [
        // The cells, each with its hosts of web and of api; where web comes together.
        (vec![(2, 0)], None),
        (vec![(2, 0), (0, 3)], None),
        (vec![(1, 0), (2, 0)], Some("r1-a-2")),
        (vec![(2, 0), (2, 0)], Some("r1-a-1")),
        // The larger part has no room for the other.
        (vec![(3, 2), (1, 1)], Some("r1-a-2")),
        (vec![(2, 3), (1, 4), (0, 1)], Some("r1-a-3")),
        (vec![(2, 3), (1, 4), (0, 3)], Some("r1-a-4")),
        (vec![(4, 0), (2, 0)], None),
    ];
    for (cells, expected) in cases {
        let mut present = vec![elsewhere()];
        let mut first = 0;
        for (number, (ours, others)) in (1..).zip(&cells) {
            let hosts = with(web(first..first + ours), *others);
            first += ours;
            present.push(rack(&format!("r1-a-{number}"), hosts));
        }
        let of = &web(0..1)[0];
        let cell = together(of, present.iter(), 5, |_| true);
        assert_eq!(cell.as_ref().map(CellId::as_str), expected, "{cells:?}");
    }
}

#[test]
fn a_group_comes_together_in_no_cell_that_is_closed() {
    let web = |numbers| hosts("web", "a", numbers);
    let present = [rack("r1-a-1", web(0..2)), rack("r1-a-2", web(2..3))];
    let cell = |is_open: fn(&CellId) -> bool| together(&web(0..1)[0], present.iter(), 5, is_open);
    assert_eq!(
        cell(|cell| cell.as_str() != "r1-a-1").unwrap().as_str(),
        "r1-a-2"
    );
    let is_new = |cell: &CellId| cell.as_str() > "r1-a-3";
    assert_eq!(cell(is_new).unwrap().as_str(), "r1-a-4");
}

#[test]
fn a_cell_is_of_the_place_that_its_name_begins_with_before_a_plain_number() {
    let host = &hosts("web", "a", 0..1)[0];
    let is_here = |cell: &str| is_of_place(host, &CellId::new(cell).unwrap());
    for cell in ["r1-a-0", "r1-a-1", "r1-a-200"] {
        assert!(is_here(cell), "{cell}");
    }
    for cell in [
        "r1-a-01", "r1-a-00", "r1-a-1x", "r1-a-b-1", "r1-b-1", "r1-a",
    ] {
        assert!(!is_here(cell), "{cell}");
    }
}
