//! `cofferdam bundle import`: all is checked first, and then taken in.

mod folder;

use self::folder::Folder;
use super::{Dialled, dial, stored};
use crate::{
    bundle::{
        carried::Carried,
        entry::EntryName,
        evidence::Evidence,
        manifest::Kind,
        opened::{Opened, Place},
        trust::{Trust, Unsigned},
    },
    client::Client,
    clock,
    config::Config,
    exit::Exit,
    pieces::Pieces,
    render::{
        Output,
        bundle::{Brought, Imported, Results},
    },
    signing,
};
use anyhow::{Context as _, Result, ensure};
use cofferdam_proto::operator::ArtefactStored;
use std::{
    fs::File,
    io::{BufReader, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Of a rollout it stores the bits that the coordinator's artefact store lacks, and writes the \
                  rollout's files into a folder, from which `cofferdam start` goes on. Of results it shows what \
                  became of the rollout, and exits as `cofferdam watch` does. Nothing is stored or written before \
                  the whole bundle is checked.\n\nExample:\n  \
                  cofferdam bundle import openssl.tar --signers /etc/cofferdam/allowed_signers"
)]
pub(super) struct Args {
    /// The bundle
    file: PathBuf,
    /// The file of allowed signers: whose signatures over bundles and rollouts count
    #[arg(long, value_name = "SIGNERS")]
    signers: Option<PathBuf>,
    /// Take a bundle that nobody signed
    #[arg(long)]
    unsigned: bool,
    /// Check it, and take nothing in: asks no coordinator
    #[arg(long)]
    check: bool,
    /// The folder for the rollout's files [default: one with the rollout's name]
    #[arg(long, value_name = "FOLDER", conflicts_with = "check")]
    into: Option<PathBuf>,
}

pub(super) async fn run(args: Args, config: &Config, out: Output) -> Result<Exit> {
    let trust = trust(&args)?;
    let name = args.file.display();
    let mut file = File::open(&args.file).with_context(|| format!("cannot read {name}"))?;
    let refused = || format!("the bundle {name} is refused");
    let opened = Opened::read(BufReader::new(&file), &trust).with_context(refused)?;
    if opened.manifest.kind == Kind::Results {
        let evidence = evidence(&opened).with_context(refused)?;
        let results = Results::new(opened, evidence, trust.now);
        out.show(&results)?;
        return Ok(results.exit());
    }
    let carried = Carried::of(&opened, &trust).with_context(refused)?;
    let brought = match args.check {
        true => None,
        false => Some(take_in(&args, &mut file, &opened, &carried, config).await?),
    };
    out.show(&Imported::new(opened, carried, brought, trust.now))?;
    Ok(Exit::Done)
}

/// What results say.
fn evidence(opened: &Opened) -> Result<Evidence> {
    let text = opened.text(EntryName::Evidence);
    let evidence = Evidence::parse(text.unwrap_or_default())?;
    let rollout = &opened.manifest.rollout;
    ensure!(
        evidence.is_of(rollout),
        "the bundle is of {rollout}, its evidence of another rollout"
    );
    Ok(evidence)
}

fn trust(args: &Args) -> Result<Trust> {
    let signers = args
        .signers
        .as_deref()
        .map(signing::read_signers)
        .transpose()?;
    Ok(Trust {
        signers,
        unsigned: match args.unsigned {
            true => Unsigned::Taken,
            false => Unsigned::Refused,
        },
        now: clock::now(),
    })
}

/// Stores the bits, and writes the rollout's files once all are stored.
async fn take_in(
    args: &Args,
    file: &mut File,
    opened: &Opened,
    carried: &Carried,
    config: &Config,
) -> Result<Brought> {
    let into = args.into.as_deref();
    let into = into.unwrap_or(Path::new(opened.manifest.rollout.as_str()));
    let folder = Folder::of(into, opened, carried)?;
    let Dialled { client, .. } = dial(config).await?;
    let stored = stored(&client).await?;
    let lacking: Vec<&Place> = opened
        .artefacts
        .iter()
        .filter(|place| !stored.contains(&place.digest))
        .collect();
    for place in &lacking {
        upload(file, place, &client).await?;
    }
    let rollout_file = folder.write()?;
    Ok(Brought {
        stored: lacking.len(),
        rollout_file,
    })
}

/// Stores one artefact, right from the bundle.
async fn upload(file: &mut File, place: &Place, client: &Client) -> Result<()> {
    let Place { digest, size, at } = *place;
    let reading = || format!("cannot read artefact {digest} in the bundle");
    file.seek(SeekFrom::Start(at)).with_context(reading)?;
    let bytes = file.try_clone().with_context(reading)?.take(size);
    let pieces = tokio_stream::iter(Pieces(bytes));
    let stored = client.put_artefact(pieces, size).await?;
    ensure!(
        stored == ArtefactStored { digest, size },
        "the bundle changed while it was read: import it again"
    );
    Ok(())
}
