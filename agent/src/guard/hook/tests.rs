use super::*;

#[test]
fn what_the_agent_itself_does_passes_whatever_became_of_the_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::new(folder.path(), folder.path());
    fs::create_dir_all(places.own_change().parent().unwrap()).unwrap();
    let own = i32::try_from(std::process::id()).unwrap();
    leftover::write_down(&places.own_change(), own).unwrap();
    let decided = || decide(&Channel::Dnf5, places.state_dir());
    assert_eq!(decided().unwrap(), Decision::Covered, "it is missing");
    fs::create_dir_all(places.manifest().parent().unwrap()).unwrap();
    fs::write(places.manifest(), "{").unwrap();
    assert_eq!(decided().unwrap(), Decision::Covered, "it is damaged");
    leftover::strike_out(&places.own_change());
    assert!(matches!(decided(), Err(ManifestError::Garbled(_))));
    fs::remove_file(places.manifest()).unwrap();
    assert!(matches!(decided(), Err(ManifestError::Missing(_))));
}
