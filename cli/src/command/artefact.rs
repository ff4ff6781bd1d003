//! `cofferdam artefact`: files in the region's artefact store.

use crate::{
    client::Client,
    clock,
    command::Session,
    exit::Exit,
    pieces::Pieces,
    render::artefact::{ArtefactList, Put},
};
use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use cofferdam_engine::digest::Digest;
use cofferdam_proto::operator::ArtefactStored;
use sha2::{Digest as _, Sha256};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// Arguments of `artefact`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  cofferdam artefact list")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Store a file, and say by which name a rollout file asks for it
    #[command(
        after_help = "The rollout file of a config patch names it as its source. Storing the \
        same file again changes nothing.\n\nExample:\n  cofferdam artefact put nginx.conf"
    )]
    Put {
        /// The file
        file: PathBuf,
    },
    /// Show what is stored
    #[command(after_help = "Example:\n  cofferdam artefact list -o json")]
    List,
}

/// Runs the command.
///
/// # Errors
/// When the file cannot be read, or the coordinator cannot be asked or refuses it.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    match args.action {
        Action::Put { file } => {
            let stored = upload(&file, &session.client).await?;
            session.out.show(&Put::from(stored))?;
        }
        Action::List => {
            let artefacts = session.client.artefacts().await?;
            let now = clock::now();
            session.out.show(&ArtefactList { artefacts, now })?;
        }
    }
    Ok(Exit::Done)
}

/// Stores a file, piece by piece, and makes sure that what arrived is what is here.
pub(super) async fn upload(path: &Path, client: &Client) -> Result<ArtefactStored> {
    let reading = || format!("cannot read {}", path.display());
    let here = measure(path).with_context(reading)?;
    let pieces = Pieces(File::open(path).with_context(reading)?);
    let stored = client
        .put_artefact(tokio_stream::iter(pieces), here.size)
        .await?;
    if stored != here {
        bail!(
            "{} changed while it was read: store it again",
            path.display()
        );
    }
    Ok(stored)
}

/// The digest and size of a file's content now.
fn measure(path: &Path) -> io::Result<ArtefactStored> {
    let (mut hasher, mut size) = (Sha256::new(), 0);
    for piece in Pieces(File::open(path)?).into_results() {
        let piece = piece?;
        size += piece.len() as u64;
        hasher.update(&piece);
    }
    let digest = Digest::from_bytes(hasher.finalize().into());
    Ok(ArtefactStored { digest, size })
}
