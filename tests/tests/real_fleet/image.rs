//! Hosts of an image that the agent's state folder was left out of.

use super::{
    asked::{LINE, eventually_says, said},
    guarded::{by_a_session, enforce, written_down},
};
use cofferdam_tests::{
    machine::Machine,
    real_fleet::{RealFleet, repository::Package},
};

#[tokio::test]
async fn a_host_of_an_image_without_the_state_folder_boots_guarded_and_into_traffic() {
    let Some(fleet) = RealFleet::boot(Machine::several(1)).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    let repository = &fleet.repository;
    repository.publish(&Package::new("tea", "1")).await.unwrap();
    fleet.control.start().await.unwrap();
    fleet.control.enrol(host).unwrap();
    // What an image is built with, and what is left out of it.
    enforce(host).await;
    said(
        host,
        "rm -r /var/lib/cofferdam-agent; apt-get --quiet update",
    )
    .await;
    let install = by_a_session("apt-get --quiet --yes install tea");
    let refused = host.run(&install).await.unwrap();
    assert_ne!(refused.code, Some(0), "{}", refused.printed);
    said(
        host,
        "systemctl --quiet enable cofferdam-health cofferdam-agent",
    )
    .await;

    host.reboot().await.unwrap();

    eventually_says(host, LINE, "up ready 100%").await;
    // Until the agent has written the guard's list of its files anew, its status is an error.
    let status = "cofferdam-agent guard status";
    let stands = eventually_says(host, status, "control   all ").await;
    assert!(stands.contains("mode      enforce"), "{stands}");
    assert!(stands.contains("agent     runs"), "{stands}");
    let refused = host.run(&install).await.unwrap();
    assert_ne!(refused.code, Some(0), "{}", refused.printed);
    written_down(host, &["refused: apt-get --quiet --yes install tea"]).await;
    fleet.take_down().unwrap();
}
