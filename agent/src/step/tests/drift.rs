//! What orders change is no drift; what others change is.

use super::{
    interruption::cut_short,
    tool::{Tool, both, tool},
    *,
};
use crate::{
    drift::{
        compare::{Comparer, Subject},
        hang::Progress,
        seal,
        settings::FirstBoot,
    },
    packages::lab::Deb,
};

/// What a host's drift is, in one line, by what is on disk alone.
fn line(lab: &Lab) -> String {
    let settings = lab.settings();
    let subject = Subject::new(settings.root, &settings.state_dir, FirstBoot::Hold);
    Comparer::default()
        .compare(&subject, &Progress::default())
        .report
        .line()
}

fn sealed() -> Tool {
    let host = Tool::new();
    seal::seal(
        &host.lab.settings().root,
        DriftSettings::default().files,
        &Progress::default(),
    )
    .unwrap();
    host
}

#[tokio::test]
async fn what_an_order_installs_and_takes_back_is_no_drift() {
    let host = sealed();
    let order = host.order();
    assert_eq!(line(&host.lab), "");
    steps(&host.lab).stage(&request(&order)).await.unwrap();
    steps(&host.lab).apply(&order).await.unwrap();
    assert_eq!((host.versions(), line(&host.lab).as_str()), (both("2"), ""));
    host.lab.install(&[tool("1"), Deb::new("data", "1")]);
    let drifted = line(&host.lab);
    assert!(
        drifted.starts_with("data:all 2 -> 1; tool:all 2 -> 1"),
        "{drifted}"
    );
    steps(&host.lab).apply(&order).await.unwrap();
    assert_eq!(line(&host.lab), "");
    steps(&host.lab).rollback(&order).await.unwrap();
    assert_eq!((host.versions(), line(&host.lab).as_str()), (both("1"), ""));
}

#[tokio::test]
async fn an_order_that_is_cut_short_and_taken_up_again_is_no_drift_wherever_it_was_cut() {
    let host = sealed();
    let order = host.order();
    steps(&host.lab).stage(&request(&order)).await.unwrap();
    for cut_after in (0..).step_by(3) {
        let apply = async |steps: &Steps| steps.apply(&order).await.map(drop).unwrap();
        let ended = cut_short(&host.lab, cut_after, apply).await;
        steps(&host.lab).apply(&order).await.unwrap();
        assert_eq!(
            (host.versions(), line(&host.lab).as_str()),
            (both("2"), ""),
            "{cut_after}"
        );
        steps(&host.lab).rollback(&order).await.unwrap();
        assert_eq!(line(&host.lab), "", "{cut_after}");
        if ended {
            assert!(cut_after > 3, "apply runs more programs than {cut_after}");
            return;
        }
    }
}
