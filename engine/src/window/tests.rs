use super::*;
use proptest::prelude::*;

fn window(days: &str, start: &str, end: &str, zone: &str) -> Window {
    let all = Day::ALL.iter().map(|(word, _)| *word);
    let days: BTreeSet<Day> = all
        .filter(|word| days.is_empty() || days.contains(word))
        .filter_map(Day::named)
        .collect();
    Window {
        days,
        start: TimeOfDay::parse(start).unwrap(),
        end: TimeOfDay::parse(end).unwrap(),
        time_zone: TimeZone::parse(zone).unwrap(),
        last_start: Duration::ZERO,
    }
}

fn at(text: &str) -> Timestamp {
    let at: jiff::Timestamp = text.parse().unwrap();
    Timestamp(u64::try_from(at.as_millisecond()).unwrap())
}

/// The next times in which hosts may start after a moment, as universal times.
fn stretches(window: &Window, from: &str, count: usize) -> Vec<String> {
    let text = |at: Timestamp| {
        let millis = i64::try_from(at.0).unwrap();
        let text = jiff::Timestamp::from_millisecond(millis).unwrap();
        text.to_string().replace(":00Z", "")
    };
    let mut now = at(from);
    let mut found = Vec::new();
    while found.len() < count {
        match window.at(now) {
            WindowState::Closed { opens } => now = opens.unwrap(),
            WindowState::Open { until, .. } => {
                let closes = until.unwrap();
                found.push(format!("{} to {}", text(now), text(closes)));
                now = closes;
            }
        }
    }
    found
}

/// Days, start, end and zone of a window, a moment, and the next two times in which it lets hosts
/// start.
type Case = ([&'static str; 4], &'static str, [&'static str; 2]);

const CASES: &[Case] = &[
    (
        ["", "22:00", "04:00", "Asia/Kathmandu"],
        "2026-05-04T23:00:00Z",
        [
            "2026-05-05T16:15 to 2026-05-05T22:15",
            "2026-05-06T16:15 to 2026-05-06T22:15",
        ],
    ),
    (
        ["tue,thu", "09:00", "17:00", "UTC"],
        "2026-05-04T00:00:00Z",
        [
            "2026-05-05T09:00 to 2026-05-05T17:00",
            "2026-05-07T09:00 to 2026-05-07T17:00",
        ],
    ),
    // The night of Friday belongs to Friday, all of it.
    (
        ["fri", "22:00", "06:00", "UTC"],
        "2026-05-09T06:00:00Z",
        [
            "2026-05-15T22:00 to 2026-05-16T06:00",
            "2026-05-22T22:00 to 2026-05-23T06:00",
        ],
    ),
    // Days that touch are one time: until Monday's midnight.
    (
        ["sat,sun", "00:00", "24:00", "UTC"],
        "2026-05-04T00:00:00Z",
        [
            "2026-05-09T00:00 to 2026-05-11T00:00",
            "2026-05-16T00:00 to 2026-05-18T00:00",
        ],
    ),
    // Clocks go forward: a night is an hour shorter, and the next is whole again.
    (
        ["", "22:00", "04:00", "Europe/Berlin"],
        "2026-03-28T20:00:00Z",
        [
            "2026-03-28T21:00 to 2026-03-29T02:00",
            "2026-03-29T20:00 to 2026-03-30T02:00",
        ],
    ),
    // ... a start in the gap is the first moment after it,
    (
        ["", "02:30", "04:00", "Europe/Berlin"],
        "2026-03-28T12:00:00Z",
        [
            "2026-03-29T01:00 to 2026-03-29T02:00",
            "2026-03-30T00:30 to 2026-03-30T02:00",
        ],
    ),
    // ... an end in it too,
    (
        ["", "01:00", "02:30", "America/New_York"],
        "2026-03-08T00:00:00Z",
        [
            "2026-03-08T06:00 to 2026-03-08T07:00",
            "2026-03-09T05:00 to 2026-03-09T06:30",
        ],
    ),
    // ... and a window within it does not open that day.
    (
        ["", "02:00", "03:00", "Europe/Berlin"],
        "2026-03-28T12:00:00Z",
        [
            "2026-03-30T00:00 to 2026-03-30T01:00",
            "2026-03-31T00:00 to 2026-03-31T01:00",
        ],
    ),
    (
        ["sun", "02:05", "02:25", "Australia/Lord_Howe"],
        "2026-10-01T00:00:00Z",
        [
            "2026-10-10T15:05 to 2026-10-10T15:25",
            "2026-10-17T15:05 to 2026-10-17T15:25",
        ],
    ),
    // Clocks go back: from the first start to the second end.
    (
        ["", "02:15", "02:45", "Europe/Berlin"],
        "2026-10-24T12:00:00Z",
        [
            "2026-10-25T00:15 to 2026-10-25T01:45",
            "2026-10-26T01:15 to 2026-10-26T01:45",
        ],
    ),
    (
        ["", "01:40", "01:50", "Australia/Lord_Howe"],
        "2026-04-04T12:00:00Z",
        [
            "2026-04-04T14:40 to 2026-04-04T15:20",
            "2026-04-05T15:10 to 2026-04-05T15:20",
        ],
    ),
    // The day that Samoa left out: its window is at the first moment after.
    (
        ["fri", "22:00", "04:00", "Pacific/Apia"],
        "2011-12-29T00:00:00Z",
        [
            "2011-12-30T10:00 to 2011-12-30T14:00",
            "2012-01-06T08:00 to 2012-01-06T14:00",
        ],
    ),
];

#[test]
fn a_window_opens_on_its_days_by_its_own_clocks() {
    for ([days, start, end, zone], from, expected) in CASES {
        let window = window(days, start, end, zone);
        let found = stretches(&window, from, 2);
        assert_eq!(found, expected, "{window:?} from {from}");
    }
}

#[test]
fn nothing_starts_in_the_last_part_of_a_window() {
    let mut window = window("", "22:00", "04:00", "UTC");
    window.last_start = Duration::from_secs(30 * 60);
    assert_eq!(
        stretches(&window, "2026-05-05T23:00:00Z", 1),
        ["2026-05-05T23:00 to 2026-05-06T03:30"]
    );
    assert!(!window.is_open(at("2026-05-06T03:30:00Z")));
}

#[test]
fn a_window_whose_last_start_takes_all_of_it_never_opens() {
    let mut night = window("", "22:00", "04:00", "Europe/Berlin");
    for (last_start, never) in [(0, false), (359, false), (360, true), (1000, true)] {
        night.last_start = Duration::from_secs(60 * last_start);
        assert_eq!(night.never_opens(), never, "{last_start} of 360 minutes");
    }
    let now = at("2026-05-05T23:00:00Z");
    assert_eq!(night.at(now), WindowState::Closed { opens: None });
}

#[test]
fn a_window_of_all_days_and_hours_never_closes() {
    for zone in ["UTC", "Europe/Berlin", "Australia/Lord_Howe"] {
        for (start, end) in [("00:00", "24:00"), ("02:30", "02:30")] {
            let always = window("", start, end, zone);
            let state = always.at(at("2026-03-28T12:00:00Z"));
            let is_always = matches!(state, WindowState::Open { until: None, .. });
            assert!(is_always, "{zone} {start} {end}: {state:?}");
        }
    }
    let workdays = window("mon,tue,wed,thu,fri,sat", "00:00", "24:00", "UTC");
    let found = workdays.at(at("2026-05-04T12:00:00Z"));
    let sunday = at("2026-05-10T00:00:00Z");
    assert!(matches!(found, WindowState::Open { until: Some(until), .. } if until == sunday));
}

#[test]
fn at_the_end_of_time_no_window_is_open() {
    let always = window("", "00:00", "24:00", "UTC");
    for now in [Timestamp(u64::MAX), Timestamp(253_402_300_799_999)] {
        // Only that it answers.
        always.at(now);
    }
    assert!(!always.is_open(Timestamp(u64::MAX)));
    assert!(always.is_open(Timestamp(0)));
}

fn any_window() -> impl Strategy<Value = Window> {
    const ZONES: [&str; 7] = [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "Pacific/Apia",
    ];
    let days = proptest::collection::btree_set(proptest::sample::select(&Day::ALL[..]), 1..=7);
    let time = |minutes: u16| TimeOfDay::parse(&format!("{:02}:{:02}", minutes / 60, minutes % 60));
    let last_start = prop_oneof![3 => Just(0), 1 => 0_u64..300];
    let parts = (
        days,
        0_u16..1440,
        0_u16..=1440,
        proptest::sample::select(&ZONES[..]),
        last_start,
    );
    parts.prop_map(move |(days, start, end, zone, last_start)| Window {
        days: days.into_iter().map(|(_, day)| day).collect(),
        start: time(start).unwrap(),
        end: time(end).unwrap(),
        time_zone: TimeZone::parse(zone).unwrap(),
        last_start: Duration::from_secs(60 * last_start),
    })
}

/// Whether the clock shows a time of the window, whatever clocks did before. Without `last_start`.
fn is_shown(window: &Window, now: Timestamp) -> bool {
    let local = window.time_zone.local(now).unwrap();
    let minute = u16::try_from(local.hour()).unwrap() * 60 + u16::try_from(local.minute()).unwrap();
    let (start, end) = (window.start.minutes(), window.end.minutes());
    let today = window.days.contains(&Day::of(local.date()));
    let yesterday = window
        .days
        .contains(&Day::of(local.date().yesterday().unwrap()));
    match end > start {
        true => today && start <= minute && minute < end,
        false => (today && start <= minute) || (yesterday && minute < end),
    }
}

proptest! {
    #[test]
    fn what_a_window_says_of_a_moment_is_so_until_it_says(
        window in any_window(),
        // From 2005 to 2040.
        minute in 18_400_000_u64..36_800_000,
    ) {
        let now = Timestamp(minute * 60_000);
        let mut moments = vec![now];
        match window.at(now) {
            WindowState::Open { since, until } => {
                prop_assert!(since <= now);
                let until = until.unwrap_or(now.after(Duration::from_secs(8 * 86_400)));
                prop_assert!(now < until);
                for part in 0..40 {
                    let inside = Timestamp(now.0 + (until.0 - 1 - now.0) * part / 39);
                    prop_assert!(window.is_open(inside), "{inside}");
                }
                moments.push(until);
            }
            WindowState::Closed { opens: Some(opens) } => {
                prop_assert!(now < opens);
                for part in 0..40 {
                    let inside = Timestamp(now.0 + (opens.0 - 1 - now.0) * part / 39);
                    prop_assert!(!window.is_open(inside), "{inside}");
                }
                prop_assert!(window.is_open(opens));
            }
            WindowState::Closed { opens: None } => prop_assert!(window.never_opens()),
        }
        if let WindowState::Open { until: Some(until), .. } = window.at(now) {
            prop_assert!(!window.is_open(until));
        }
        let read: Window = serde_json::from_str(&serde_json::to_string(&window).unwrap()).unwrap();
        prop_assert_eq!(read, window);
    }

    #[test]
    fn where_no_clock_changes_a_window_is_what_the_clock_shows(
        mut window in any_window(),
        day in 12_800_u64..25_500,
        minute in 0_u64..1440,
    ) {
        window.last_start = Duration::ZERO;
        let now = Timestamp((day * 1440 + minute) * 60_000);
        let offset = |at: u64| {
            let at = Timestamp(at);
            let local = window.time_zone.local(at).unwrap();
            let utc = TimeZone::UTC.local(at).unwrap();
            local.duration_since(utc)
        };
        let day = 86_400_000;
        let is_still = (0..=8).all(|part| offset(now.0 - 2 * day + part * day / 2) == offset(now.0));
        prop_assume!(is_still);
        prop_assert_eq!(window.is_open(now), is_shown(&window, now));
    }
}
