//! The agent of one host of the demo.

use crate::{
    demo::{
        host::Host,
        processes::Processes,
        site::{Site, TRUST_DOMAIN},
    },
    file,
    pki::{Pair, ServerNames},
};
use anyhow::Result;
use cofferdam_engine::{id::HostId, identity::Identity};
use std::net::SocketAddr;

/// Starts the agent of a host on its root tree.
///
/// # Errors
/// When a file cannot be written, or it cannot be started.
pub fn start(
    site: &Site<'_>,
    host: &Host,
    coordinator: SocketAddr,
    processes: &mut Processes,
) -> Result<()> {
    let dir = site.folder.host(&host.name);
    let identity = Identity::Agent(HostId::new(host.name.clone())?);
    let pair = site.issue(&identity, &ServerNames::default())?;
    let config = dir.join("agent.toml");
    let text = config_text(site, host, &pair, coordinator);
    file::create(&config, file::PUBLIC, text)?;
    let mut command = site.command("cofferdam-agent", &config)?;
    command.arg("--root").arg(dir.join("root"));
    let name = format!("the agent of {}", host.name);
    processes.start(&name, &dir.join("log"), command)
}

fn config_text(site: &Site<'_>, host: &Host, pair: &Pair, coordinator: SocketAddr) -> String {
    let dir = site.folder.host(&host.name);
    let signers = site.signer.map_or_else(String::new, |signer| {
        format!("allowed_signers = \"{}\"\n", signer.allowed.display())
    });
    format!(
        "# The agent of {name}, a host of the demo.\n\
         coordinators = [\"{coordinator}\"]\n\
         trust_domain = \"{TRUST_DOMAIN}\"\n\
         cert = \"{cert}\"\n\
         key = \"{key}\"\n\
         ca = \"{ca}\"\n\
         warrants = \"required\"\n\
         {signers}\
         state_dir = \"{dir}/state\"\n\
         run_dir = \"{dir}/run\"\n\
         checks_dir = \"{dir}/root/etc/cofferdam/checks.d\"\n\
         # No load balancer sends traffic here, so none needs time to see the flag, or to get used to a host.\n\
         ramp = \"0s\"\n\
         drain = {{ at_least = \"0s\" }}\n\n\
         [labels]\n\
         service = \"web\"\n\
         region = \"{region}\"\n\
         zone = \"{zone}\"\n\
         instance_type = \"{instance_type}\"\n",
        name = host.name,
        cert = pair.certificate.display(),
        key = pair.key.display(),
        ca = site.authority_certificate().display(),
        dir = dir.display(),
        region = host.region,
        zone = host.zone,
        instance_type = host.instance_type,
    )
}
