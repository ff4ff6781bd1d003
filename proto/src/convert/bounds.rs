//! How large the parts of a message may be. A larger part is refused on receipt.

use std::time::Duration;

/// The most bytes of a line: a failure's detail has at most 1,000 characters of 4 bytes.
pub const MAX_LINE_BYTES: usize = 4096;

/// The most bytes of a rollout or lock file: below the 4 MiB that gRPC allows a message by default.
pub const MAX_FILE_BYTES: usize = 3 << 20;

/// The most bytes of one part of an artefact (guess: few enough to hold one for each of thousands
/// of agents).
pub const MAX_CHUNK_BYTES: usize = 256 << 10;

/// The most bytes of a reply to an operator, for `max_decoding_message_size`: the holds and
/// failures of 25,000 hosts fit (guess).
pub const MAX_REPLY_BYTES: usize = 32 << 20;

/// The most bytes of a signature: an armoured SSH signature has some hundred (guess).
pub const MAX_SIGNATURE_BYTES: usize = 16 << 10;

/// The most certificates of one chain (guess: an authority and two issuers are much).
pub const MAX_CHAIN: usize = 8;

/// The most digests on the way from a host to the root over all: it would do for four billion hosts.
pub const MAX_PATH: usize = 32;

/// The most labels of a host (guess: providers allow 50 tags).
pub const MAX_LABELS: usize = 64;

/// The most packages of a host: some 64,000 are all that Debian 12 has, a full desktop has 3,000.
pub const MAX_PACKAGES: usize = 50_000;

/// The most entries of any other list: four times the largest fleet of the design.
pub const MAX_ENTRIES: usize = 100_000;

/// The most events of a guard in one message: each has some KB, so that a message stays far below the
/// 4 MiB that gRPC allows.
pub const MAX_GUARD_EVENTS: usize = 16;

/// The most lines of one list of what a guard tells: packages, parents, files, channels (guess: a guard
/// has some 20 files, and names 50 packages).
pub const MAX_GUARD_LINES: usize = 64;

/// The most bytes that a package or file may say it has (guess: far above any; the sum of
/// [`MAX_PACKAGES`] of them fits 64 bits).
pub const MAX_SIZE: u64 = 1 << 40;

/// The most bytes of a query. What is left of it for a host is at most some times longer, written
/// canonically, and within what a selection may have.
pub const MAX_QUERY_BYTES: usize = 4096;

/// The longest that hosts may take to answer a query (guess: an operator waits for it).
pub const MAX_QUERY_WAIT: Duration = Duration::from_secs(300);

/// The longest wait: longer ones are mistakes, and could overflow a clock.
pub const MAX_WAIT: Duration = Duration::from_secs(366 * 24 * 3600);
