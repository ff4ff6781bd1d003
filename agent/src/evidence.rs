//! Boot evidence: which names this host looked up, and which addresses it dialled, in the first minutes
//! after its boot. Optional, for the question what an image does by itself before anybody asks it to.
//!
//! ```text
//!  /proc/net/tcp, udp ... --each second--> dialled, by whom --+
//!                                                             +--> evidence.json, `cofferdam-agent evidence`
//!  systemd-resolved ------resolvectl monitor--> names --------+
//! ```
//!
//! It is a witness, not a recorder of packets: a UDP socket that lives for less than a second is not seen,
//! nor is a name that is asked past systemd-resolved. Nothing is sent anywhere, and nothing is decided by it.

pub mod names;
pub mod record;
pub mod told;
pub mod watch;
