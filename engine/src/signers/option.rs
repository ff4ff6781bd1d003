//! The options of a line of allowed signers.

use super::{SignerProblem, printable};
use crate::{date::Date, time::Timestamp};

/// What the options of a line say.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) namespaces: Option<Vec<String>>,
    pub(super) after: Option<Timestamp>,
    pub(super) before: Option<Timestamp>,
}

/// Reads options up to the blank behind them, and says what is left of the line.
pub(super) fn read(text: &str) -> Result<(Options, &str), SignerProblem> {
    let mut options = Options::default();
    let mut rest = text;
    loop {
        let end = rest.find(['=', ',', ' ', '\t']).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let (value, behind) = match behind.strip_prefix("=\"") {
            Some(quoted) => quoted
                .split_once('"')
                .map(|(value, behind)| (Some(value), behind))
                .ok_or_else(|| SignerProblem::Option(printable(name)))?,
            None => (None, behind),
        };
        options.take(name, value)?;
        rest = match behind.strip_prefix(',') {
            Some(next) => next,
            None if behind.starts_with([' ', '\t']) => return Ok((options, behind)),
            None => return Err(SignerProblem::NoKey),
        };
    }
}

impl Options {
    fn take(&mut self, name: &str, value: Option<&str>) -> Result<(), SignerProblem> {
        match name.to_ascii_lowercase().as_str() {
            "cert-authority" => Err(SignerProblem::CertAuthority),
            "namespaces" => set("namespaces", &mut self.namespaces, value, namespaces),
            "valid-after" => set("valid-after", &mut self.after, value, moment),
            "valid-before" => set("valid-before", &mut self.before, value, moment),
            _ => Err(SignerProblem::Option(printable(name))),
        }
    }
}

fn set<T>(
    name: &'static str,
    option: &mut Option<T>,
    value: Option<&str>,
    read: impl Fn(&str) -> Result<T, SignerProblem>,
) -> Result<(), SignerProblem> {
    let value = value.ok_or(SignerProblem::Value(name))?;
    match option.replace(read(value)?) {
        Some(_) => Err(SignerProblem::Twice(name)),
        None => Ok(()),
    }
}

fn namespaces(text: &str) -> Result<Vec<String>, SignerProblem> {
    let read = |name: &str| match name.contains(['*', '?', '!']) || name.is_empty() {
        true => Err(SignerProblem::Namespace(printable(name))),
        false => Ok(name.to_owned()),
    };
    text.split(',').map(read).collect()
}

/// A day or a moment of a day, in UTC.
fn moment(text: &str) -> Result<Timestamp, SignerProblem> {
    let malformed = || SignerProblem::Moment(printable(text));
    let digits = text.strip_suffix('Z').ok_or_else(malformed)?;
    let is_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits || !matches!(digits.len(), 8 | 12 | 14) {
        return Err(malformed());
    }
    let (day, time) = digits.split_at(8);
    let day = Date::parse(&format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]));
    let day = day.map_err(|_| malformed())?;
    let mut secs = 0;
    for (place, most) in [(0, 24), (2, 60), (4, 60)] {
        let part: u64 = match time.get(place..place + 2) {
            Some(part) => part.parse().map_err(|_| malformed())?,
            None => 0,
        };
        if part >= most {
            return Err(malformed());
        }
        secs = secs * 60 + part;
    }
    Ok(Timestamp(day.begin().0 + secs * 1000))
}
