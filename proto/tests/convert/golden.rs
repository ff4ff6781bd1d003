//! Frames of the wire as an earlier release wrote them: they mean today what they meant then. Operators' messages are
//! in `golden/operator.rs`.
//!
//! `golden/frames.txt` holds, for each kind of message between agents, coordinators and regions, some frames as bytes
//! and below each what it means. The bytes are never changed; a kind that is new gets frames of its own, which
//! `UPDATE=1 cargo test -p cofferdam-proto --test convert` draws and appends. Where a meaning changes, as by a field
//! that is new and absent, it writes the new one, for the diff to be judged.

mod operator;

use crate::drawn;
use cofferdam_proto::{
    session::{FromAgent, ToAgent},
    v1::{self, from_control::Message as Down, from_region::Message as Up},
};
use proptest::{
    strategy::{Strategy, ValueTree as _},
    test_runner::TestRunner,
};
use prost::Message;
use std::{collections::BTreeMap, env, fmt::Debug, fs, path::Path};

const GOLDEN: &str = "tests/convert/golden/frames.txt";

/// Frames of each kind.
const OF_EACH: usize = 2;

/// Draws that are enough to come by every kind.
const DRAWS: usize = 400;

/// The messages of the released numbers that are kinds of these.
const STREAMS: [&str; 4] = ["FromAgent", "ToAgent", "FromRegion", "FromControl"];

/// A frame: its kind, as in `FromAgent.hello`, and its bytes in hexadecimal digits.
type Frame = (String, String);

fn kinds() -> Vec<String> {
    let kinds = include_str!("numbers.txt").lines().filter_map(|line| {
        let (stream, field) = line.split_once(".message: ")?;
        let name = field.split_whitespace().nth(1)?;
        STREAMS
            .contains(&stream)
            .then(|| format!("{stream}.{name}"))
    });
    kinds.collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| digit.to_digit(16).unwrap() as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// What a frame means to this release: of agents' messages their checked meaning, of links' the message.
fn meaning(stream: &str, bytes: &[u8]) -> String {
    fn checked<W: Message + Default, T: TryFrom<W, Error: Debug> + Debug>(bytes: &[u8]) -> String {
        format!("{:?}", T::try_from(W::decode(bytes).unwrap()).unwrap())
    }
    match stream {
        "FromAgent" => checked::<v1::FromAgent, FromAgent>(bytes),
        "ToAgent" => checked::<v1::ToAgent, ToAgent>(bytes),
        "FromRegion" => format!(
            "{:?}",
            v1::FromRegion::decode(bytes).unwrap().message.unwrap()
        ),
        "FromControl" => format!(
            "{:?}",
            v1::FromControl::decode(bytes).unwrap().message.unwrap()
        ),
        other => panic!("{other} is no stream"),
    }
}

/// The frames of a file, each with what it meant.
fn golden(file: &str) -> Vec<(Frame, String)> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let read = |pair: &[&str]| {
        let (kind, hex) = pair[0].split_once(' ').unwrap();
        (
            (kind.to_owned(), hex.to_owned()),
            pair[1].trim_start().to_owned(),
        )
    };
    lines.chunks(2).map(read).collect()
}

/// The name of the only field at the top of a message, by its number.
fn kind_of(stream: &str, bytes: &[u8]) -> String {
    let (tag, _) = prost::encoding::decode_key(&mut &*bytes).unwrap();
    let ends = format!(" = {tag}");
    let is_it =
        |line: &&str| line.starts_with(&format!("{stream}.message: ")) && line.ends_with(&ends);
    let line = include_str!("numbers.txt").lines().find(is_it).unwrap();
    format!("{stream}.{}", line.split_whitespace().nth(2).unwrap())
}

fn draw<M: Debug, W: From<M> + Message>(
    stream: &str,
    strategy: impl Strategy<Value = M>,
) -> Vec<Frame> {
    let mut runner = TestRunner::deterministic();
    let mut frame = || {
        let drawn = strategy.new_tree(&mut runner).unwrap().current();
        let bytes = W::from(drawn).encode_to_vec();
        (kind_of(stream, &bytes), hex(&bytes))
    };
    (0..DRAWS).map(|_| frame()).collect()
}

/// Frames of links. Their bodies are what stores hold, and golden stores hold those.
fn of_links() -> Vec<Frame> {
    let ups = ups().map(|message| {
        let message = Some(message);
        v1::FromRegion { message }.encode_to_vec()
    });
    let downs = downs().map(|message| {
        let message = Some(message);
        v1::FromControl { message }.encode_to_vec()
    });
    let ups = ups.map(|bytes| (kind_of("FromRegion", &bytes), hex(&bytes)));
    let downs = downs.map(|bytes| (kind_of("FromControl", &bytes), hex(&bytes)));
    ups.into_iter().chain(downs).collect()
}

fn numbered() -> v1::Numbered {
    v1::Numbered {
        number: 300,
        body: b"{}".to_vec(),
    }
}

fn ups() -> [Up; 8] {
    let heartbeat = v1::FromAgent::from(FromAgent::Heartbeat);
    [
        Up::Hello(v1::RegionHello {
            format: 1,
            store: 7,
            news: 8,
            summaries: 9,
            release: "0.1.0".to_owned(),
            control: Some(7),
            told: 10,
            summaries_taken: 9,
        }),
        Up::News(numbered()),
        Up::Summary(numbered()),
        Up::Copy(v1::CopyPart {
            part: 1,
            of: 2,
            body: b"{}".to_vec(),
        }),
        Up::ToldTaken(300),
        Up::SignOfLife(v1::SignOfLife {}),
        Up::Said(v1::SaidByHost {
            host: "web-1".to_owned(),
            message: Some(heartbeat),
        }),
        Up::Acted(v1::Acted {
            request: 1,
            refusal: Some("no".to_owned()),
        }),
    ]
}

fn downs() -> [Down; 6] {
    let (news, summaries) = (8, 9);
    [
        Down::Hello(v1::ControlHello {
            format: 1,
            store: 7,
            news,
            summaries,
            heartbeat_ms: 10_000,
            release: "0.1.0".to_owned(),
        }),
        Down::Told(numbered()),
        Down::Taken(v1::Taken { news, summaries }),
        Down::SignOfLife(v1::SignOfLife {}),
        Down::ToHost(v1::ToHost {
            host: "web-1".to_owned(),
            message: Some(v1::ToAgent::from(ToAgent::Heartbeat)),
        }),
        Down::Act(v1::Act {
            request: 1,
            body: b"{}".to_vec(),
        }),
    ]
}

/// Writes what each frame means now, and frames of the kinds that have none.
fn update() {
    let mut frames: Vec<Frame> = golden(GOLDEN).into_iter().map(|(frame, _)| frame).collect();
    let mut have: BTreeMap<String, usize> = BTreeMap::new();
    frames
        .iter()
        .for_each(|(kind, _)| *have.entry(kind.clone()).or_default() += OF_EACH);
    let drawn = [
        draw::<FromAgent, v1::FromAgent>("FromAgent", drawn::from_agent()),
        draw::<ToAgent, v1::ToAgent>("ToAgent", drawn::to_agent()),
        of_links(),
    ];
    for frame in drawn.concat() {
        let have = have.entry(frame.0.clone()).or_default();
        if *have < OF_EACH {
            *have += 1;
            frames.push(frame);
        }
    }
    let line = |(kind, hex): &Frame| {
        let (stream, _) = kind.split_once('.').unwrap();
        format!("{kind} {hex}\n    {}\n\n", meaning(stream, &bytes(hex)))
    };
    let text: String = frames.iter().map(line).collect();
    fs::write(Path::new(GOLDEN), text).unwrap();
}

#[test]
fn frames_of_an_earlier_release_mean_what_they_meant() {
    if env::var_os("UPDATE").is_some() {
        update();
    }
    let golden = golden(GOLDEN);
    for ((kind, hex), meant) in &golden {
        let (stream, _) = kind.split_once('.').unwrap();
        assert_eq!(meaning(stream, &bytes(hex)), *meant, "{kind} {hex}");
    }
    let has = |kind: &String| golden.iter().any(|((of, _), _)| of == kind);
    let without: Vec<String> = kinds().into_iter().filter(|kind| !has(kind)).collect();
    assert!(
        without.is_empty(),
        "kinds without a golden frame: {without:?}"
    );
}

#[test]
fn fields_of_a_later_release_are_passed_over_and_kinds_of_it_are_none() {
    // Field 1000, whatever its message, of five bytes.
    let later = [&[0xc2, 0x3e, 5][..], b"later"].concat();
    for ((kind, hex), meant) in golden(GOLDEN) {
        let (stream, _) = kind.split_once('.').unwrap();
        let with = [bytes(&hex), later.clone()].concat();
        assert_eq!(
            meaning(stream, &with),
            meant,
            "{kind} with a field more at its top"
        );
        let nested = within(&bytes(&hex), &later);
        if let Some(nested) = nested {
            assert_eq!(
                meaning(stream, &nested),
                meant,
                "{kind} with a field more in it"
            );
        }
    }
    assert_eq!(v1::FromAgent::decode(&*later).unwrap().message, None);
    assert_eq!(v1::ToAgent::decode(&*later).unwrap().message, None);
    assert_eq!(v1::FromRegion::decode(&*later).unwrap().message, None);
    assert_eq!(v1::FromControl::decode(&*later).unwrap().message, None);
}

/// A frame with bytes more at the end of its one message. Nothing where that is a number.
fn within(frame: &[u8], more: &[u8]) -> Option<Vec<u8>> {
    use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};
    let mut rest = frame;
    let (tag, kind) = decode_key(&mut rest).unwrap();
    if kind != WireType::LengthDelimited {
        return None;
    }
    let length = decode_varint(&mut rest).unwrap() as usize;
    assert_eq!(rest.len(), length, "one message a frame");
    let mut longer = Vec::new();
    encode_key(tag, kind, &mut longer);
    encode_varint((length + more.len()) as u64, &mut longer);
    longer.extend_from_slice(rest);
    longer.extend_from_slice(more);
    Some(longer)
}
