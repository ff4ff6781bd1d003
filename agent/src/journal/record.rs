//! One change of what the agent knows.

use super::History;
use cofferdam_engine::{
    digest::Digest,
    id::{Generation, OrderKey, ReportSequence},
    order::Order,
    report::{Refusal, ReportBody},
    run::RunEvent,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// One change of what the agent knows. Reports that follow from a change are not stored beside it:
/// applying the record makes them again, with the same sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// All that was known. Always the first record, and never another.
    Snapshot {
        /// It.
        history: Box<History>,
    },
    /// An order was accepted: its run is open.
    Accepted {
        /// The order.
        order: Box<Order>,
        /// When.
        at: Timestamp,
        /// The generation of its warrant, as it was signed. Absent: nobody looked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        granted: Option<Generation>,
    },
    /// Something happened to the open run.
    Moved {
        /// What.
        event: RunEvent,
        /// When.
        at: Timestamp,
        /// Under which boot of the host.
        boot_id: String,
    },
    /// An order was refused.
    Refused {
        /// The order.
        key: OrderKey,
        /// Its digest.
        digest: Digest,
        /// Why.
        refusal: Refusal,
    },
    /// Something else is to be reported.
    Said {
        /// What.
        body: ReportBody,
    },
    /// The coordinator stored reports.
    Acknowledged {
        /// Up to this one.
        up_to: ReportSequence,
    },
}
