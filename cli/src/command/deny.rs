//! `cofferdam deny`: bits that must not be installed again.

use crate::{
    clock,
    command::Session,
    exit::Exit,
    render::denials::{DenialList, Denied},
};
use anyhow::{Result, bail};
use clap::Subcommand;
use cofferdam_engine::{
    denial::{Named, Place},
    digest::Digest,
    id::{CellId, HostId, RolloutId},
};
use cofferdam_proto::operator::{DenialView, DenyRequest, LiftDenialRequest};
use std::collections::BTreeSet;

/// Arguments of `deny`.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "A rollback denies what it took back; a host denies what failed on it for good.\n\n\
                  Example:\n  cofferdam deny list"
)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List what is denied where, by whom and why
    #[command(after_help = "Example:\n  cofferdam deny list -o json")]
    List,
    /// Deny what a rollout installs, or bits by their digest
    #[command(
        after_help = "Example:\n  cofferdam deny add openssl-2026-11 --reason 'slow queries'"
    )]
    Add(Change),
    /// Let denied bits be installed again
    #[command(
        after_help = "Example:\n  cofferdam deny lift openssl-2026-11 --reason 'the cause is fixed'"
    )]
    Lift(Change),
}

#[derive(Debug, clap::Args)]
struct Change {
    /// A rollout's name, or the digest of bits; of denied ones its beginning, as `deny list` shows it
    #[arg(value_name = "DIGEST|ROLLOUT", value_parser = named)]
    bits: Named,
    /// On this host alone
    #[arg(long, value_parser = |name: &str| HostId::new(name), conflicts_with = "cell")]
    host: Option<HostId>,
    /// In this cell alone
    #[arg(long, value_parser = |name: &str| CellId::new(name))]
    cell: Option<CellId>,
    /// Why, for those who read it later
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Change {
    fn place(&self) -> Option<Place> {
        let host = self.host.clone().map(|host| Place::Host { host });
        host.or_else(|| self.cell.clone().map(|cell| Place::Cell { cell }))
    }
}

/// 64 hexadecimal digits are a digest: no rollout should have such a name.
fn named(text: &str) -> Result<Named, cofferdam_engine::id::NameError> {
    if let Ok(digest) = Digest::parse(text) {
        return Ok(Named::Digest { digest });
    }
    RolloutId::new(text).map(|rollout| Named::Rollout { rollout })
}

/// The fewest digits that are taken for the beginning of a digest: shorter ones are names that people
/// give, as `feed` (guess).
const LEAST_DIGITS: usize = 8;

/// The bits that are meant, where a name is the beginning of their digest.
async fn meant(bits: Named, session: &Session) -> Result<Named> {
    let Named::Rollout { rollout } = &bits else {
        return Ok(bits);
    };
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let text = rollout.as_str();
    if text.len() < LEAST_DIGITS || !text.bytes().all(is_digit) {
        return Ok(bits);
    }
    let denials = session.client.denials().await?;
    Ok(that_begin_with(rollout, &denials)?.unwrap_or(bits))
}

/// The denied bits whose digest begins with a name. Nothing where a rollout of that name left a denial,
/// or none do.
fn that_begin_with(name: &RolloutId, denials: &[DenialView]) -> Result<Option<Named>> {
    let is_rollout = |denial: &DenialView| denial.rollout.as_ref() == Some(name);
    if denials.iter().any(is_rollout) {
        return Ok(None);
    }
    let begin = |bits: &Digest| bits.to_string().starts_with(name.as_str());
    let found = denials.iter().map(|denial| denial.bits).filter(begin);
    let found: BTreeSet<Digest> = found.collect();
    if found.len() > 1 {
        bail!(
            "{name} begins the digests of {} denied bits: give more of it, as `cofferdam deny list -o json` shows it",
            found.len()
        );
    }
    Ok(found
        .first()
        .map(|digest| Named::Digest { digest: *digest }))
}

/// Runs the command.
///
/// # Errors
/// When the coordinator cannot be asked, or knows no such bits, host or cell.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    match args.action {
        Action::List => {
            let denials = session.client.denials().await?;
            let now = clock::now();
            session.out.show(&DenialList { denials, now })?;
        }
        Action::Add(change) => {
            let place = change.place().unwrap_or(Place::Fleet);
            let request = DenyRequest {
                bits: change.bits.clone(),
                place: place.clone(),
                reason: change.reason,
            };
            session.client.deny(request).await?;
            let (bits, place) = (change.bits, Some(place));
            session.out.show(&Denied {
                bits,
                place,
                is_denied: true,
            })?;
        }
        Action::Lift(change) => {
            let place = change.place();
            let bits = meant(change.bits, session).await?;
            let request = LiftDenialRequest {
                bits: bits.clone(),
                only_at: place.clone(),
                reason: change.reason,
            };
            session.client.lift_denial(request).await?;
            session.out.show(&Denied {
                bits,
                place,
                is_denied: false,
            })?;
        }
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::time::Timestamp;

    fn denial(bits: Digest, rollout: &str) -> DenialView {
        DenialView {
            bits,
            place: Place::Fleet,
            by: None,
            rollout: RolloutId::new(rollout).ok(),
            reason: String::new(),
            at_ms: Timestamp(0),
            lifted: None,
        }
    }

    #[test]
    fn the_beginning_of_a_digest_stands_for_the_only_denied_bits_that_begin_so() {
        let bits = Digest::of("bits");
        let denials = [
            denial(bits, "ssl"),
            denial(bits, "ssl"),
            denial(Digest::of("x"), "x"),
        ];
        let of = |name: &str, denials: &[DenialView]| {
            let name = RolloutId::new(name).unwrap();
            let found = that_begin_with(&name, denials).map_err(|e| e.to_string())?;
            Ok::<_, String>(found.map(|named| named.to_string()))
        };
        let brief = &bits.to_string()[..12];
        let named = Named::Digest { digest: bits }.to_string();
        assert_eq!(of(brief, &denials), Ok(Some(named)));
        assert_eq!(of("00000000", &denials), Ok(None));
        // A rollout of that name was meant.
        assert_eq!(of(brief, &[denial(bits, brief)]), Ok(None));

        let alike = |last: &str| Digest::parse(&(brief.to_owned() + &last.repeat(52))).unwrap();
        let alike = [denial(alike("1"), "a"), denial(alike("2"), "b")];
        let refused = of(brief, &alike).unwrap_err();
        assert!(refused.contains("2 denied bits"), "{refused}");
    }
}
