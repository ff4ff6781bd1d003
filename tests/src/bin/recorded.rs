//! Decides what a coordinator stored again, and fails where it comes to something else.
//!
//! `recorded DATA_DIR`: the `data_dir` of a coordinator, which must not run.

use cofferdam_coordinator::{
    read_history,
    store::{Store, sled::SledStore},
};
use cofferdam_engine::rehearse::recorded;
use std::{
    error::Error,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

#[tokio::main]
async fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("recorded: of which coordinator? `recorded DATA_DIR`");
        return ExitCode::from(2);
    };
    match replay(Path::new(&folder)).await {
        Ok(line) => {
            // Who reads it may be gone.
            writeln!(io::stdout(), "{line}").ok();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("recorded: {}", cofferdam_proto::error_chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn replay(folder: &Path) -> Result<String, Box<dyn Error>> {
    let store = folder.join("store");
    if !store.is_dir() {
        return Err(format!("no store in {}", folder.display()).into());
    }
    let mut store = SledStore::open(&store)?;
    let stored = read_history(&store.load().await?)?;
    let recorded = recorded::replay(stored.before, stored.events)?;
    if recorded.decided == 0 {
        return Err("nothing was decided since the last checkpoint".into());
    }
    let rollouts = recorded.fleet.rollouts().len();
    Ok(format!(
        "recorded: ok events={} decided={} rollouts={rollouts}",
        recorded.events, recorded.decided
    ))
}
