//! Whatever bytes arrive, nothing panics.

use crate::drawn;
use cofferdam_proto::{
    operator::{
        ChangeRequest, HostView, PlanReply, PlanRequest, RolloutView, ServicesView,
        SetServicesRequest, StartRequest,
    },
    session::{FromAgent, ToAgent},
    v1,
};
use proptest::{collection::vec, prelude::*};
use prost::Message;

fn take<W, T>(bytes: &[u8])
where
    W: Message + Default,
    T: TryFrom<W>,
{
    // Whether it is taken or refused does not matter here.
    drop(W::decode(bytes).map(T::try_from));
}

fn take_as_everything(bytes: &[u8]) {
    take::<v1::FromAgent, FromAgent>(bytes);
    take::<v1::ToAgent, ToAgent>(bytes);
    take::<v1::PlanRequest, PlanRequest>(bytes);
    take::<v1::PlanReply, PlanReply>(bytes);
    take::<v1::StartRequest, StartRequest>(bytes);
    take::<v1::ChangeRequest, ChangeRequest>(bytes);
    take::<v1::RolloutView, RolloutView>(bytes);
    take::<v1::HostView, HostView>(bytes);
    take::<v1::SetServicesRequest, SetServicesRequest>(bytes);
    take::<v1::ServicesView, ServicesView>(bytes);
}

/// Bytes with some of them changed, and the end cut off.
fn damaged(mut bytes: Vec<u8>, changes: &[(usize, u8)], keep: usize) -> Vec<u8> {
    let len = bytes.len();
    for (place, value) in changes.iter().filter(|_| len > 0) {
        bytes[place % len] = *value;
    }
    bytes.truncate(keep);
    bytes
}

proptest! {
    #[test]
    fn any_bytes_are_taken_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        take_as_everything(&bytes);
    }

    #[test]
    fn damaged_messages_are_taken_or_refused(
        from in drawn::from_agent(),
        to in drawn::to_agent(),
        changes in vec((any::<usize>(), any::<u8>()), 0..4),
        keep in 0..2000_usize,
    ) {
        let from = v1::FromAgent::from(from).encode_to_vec();
        take_as_everything(&damaged(from, &changes, keep));
        let to = v1::ToAgent::from(to).encode_to_vec();
        take_as_everything(&damaged(to, &changes, keep));
    }
}
