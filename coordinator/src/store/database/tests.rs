use super::*;

fn open_in(dir: &Path) -> Database {
    let lock = DirectoryLock::take(dir).unwrap();
    Database::open(dir, &dir.join("sled"), lock).unwrap()
}

fn load_in(dir: &Path) -> Result<Loaded, StoreError> {
    open_in(dir).load()
}

fn records(texts: &[&str]) -> Vec<Record> {
    let record = |text: &&str| Record(text.as_bytes().to_vec());
    texts.iter().map(record).collect()
}

#[test]
fn what_was_appended_is_loaded_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = open_in(dir.path());
    assert_eq!(first.load().unwrap(), Loaded::default());
    first.append(&records(&["a", "b"])).unwrap();
    first.append(&records(&["c"])).unwrap();
    drop(first);

    let loaded = load_in(dir.path()).unwrap();

    assert_eq!(loaded.checkpoint, None);
    assert_eq!(loaded.records, records(&["a", "b", "c"]));
}

#[test]
fn a_record_longer_than_a_frame_is_loaded_whole() {
    let dir = tempfile::tempdir().unwrap();
    let long = Record((0..200_000).map(|i| i as u8).collect());
    let mut first = open_in(dir.path());
    first.append(&[long.clone(), long.clone()]).unwrap();
    first.append(&records(&["a"])).unwrap();
    drop(first);

    let loaded = load_in(dir.path()).unwrap();

    assert_eq!(loaded.records[..2], [long.clone(), long]);
    assert_eq!(loaded.records[2..], records(&["a"]));
}

#[test]
fn a_checkpoint_replaces_the_records_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let state: Vec<u8> = (0..3 * record::MAX_PAYLOAD_BYTES + 5)
        .map(|i| i as u8)
        .collect();
    let mut first = open_in(dir.path());
    first.append(&records(&["a", "b"])).unwrap();
    first.checkpoint(b"older").unwrap();
    first.append(&records(&["c"])).unwrap();
    first.checkpoint(&state).unwrap();
    first.append(&records(&["d"])).unwrap();
    assert_eq!(first.log.len(), 1);
    assert_eq!(first.chunks.len(), 4);
    drop(first);

    let loaded = load_in(dir.path()).unwrap();

    assert_eq!(loaded.checkpoint, Some(state));
    assert_eq!(loaded.records, records(&["d"]));
}

#[test]
fn a_crash_at_each_point_of_a_checkpoint_loses_nothing() {
    for crash_after in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        let mut first = open_in(dir.path());
        first.append(&records(&["a"])).unwrap();
        first.checkpoint(b"after a").unwrap();
        first.append(&records(&["b", "c"])).unwrap();
        if crash_after >= 1 {
            let meta = first.write_chunks(b"after c").unwrap();
            if crash_after >= 2 {
                first.name_checkpoint(&meta).unwrap();
            }
        }
        drop(first);

        let mut second = open_in(dir.path());
        let loaded = second.load().unwrap();
        match crash_after {
            0 | 1 => {
                assert_eq!(loaded.checkpoint.unwrap(), b"after a");
                assert_eq!(loaded.records, records(&["b", "c"]));
            }
            _ => {
                assert_eq!(loaded.checkpoint.unwrap(), b"after c");
                assert_eq!(loaded.records, records(&[]));
            }
        }
        assert_eq!(second.chunks.len(), 1, "what the crash left behind is gone");
        second.append(&records(&["d"])).unwrap();
        drop(second);
        let records_after = load_in(dir.path()).unwrap().records;
        assert_eq!(records_after.last(), records(&["d"]).last());
    }
}

#[test]
fn a_damaged_record_is_named_by_tree_key_and_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = open_in(dir.path());
    first.append(&records(&["a", "b"])).unwrap();
    let key = 2u64.to_be_bytes();
    let mut frame = first.log.get(key).unwrap().unwrap().to_vec();
    frame[5] ^= 1;
    first.log.insert(key, frame).unwrap();
    drop(first);

    let error = load_in(dir.path()).unwrap_err();

    let file = dir.path().join("sled/db").display().to_string();
    let message = error.to_string();
    assert!(
        message.starts_with("damaged record: tree `log`, key 2, in"),
        "{message}"
    );
    assert!(message.contains(&file), "{message}");
}

#[test]
fn a_damaged_chunk_is_named_by_tree_key_and_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = open_in(dir.path());
    first.append(&records(&["a"])).unwrap();
    first.checkpoint(b"state").unwrap();
    first.chunks.insert(chunk_key(1, 0), b"garbage").unwrap();
    drop(first);

    let message = load_in(dir.path()).unwrap_err().to_string();

    assert!(
        message.starts_with("damaged record: tree `checkpoint`, key 1.0"),
        "{message}"
    );
}

#[test]
fn a_missing_record_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = open_in(dir.path());
    first.append(&records(&["a", "b", "c"])).unwrap();
    first.log.remove(2u64.to_be_bytes()).unwrap();
    drop(first);

    let message = load_in(dir.path()).unwrap_err().to_string();

    assert!(
        message.starts_with("missing record: tree `log`, key 2"),
        "{message}"
    );
}

#[test]
fn a_log_that_lost_its_end_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = open_in(dir.path());
    first.append(&records(&["a", "b", "c"])).unwrap();
    first.log.remove(3u64.to_be_bytes()).unwrap();
    drop(first);

    let message = load_in(dir.path()).unwrap_err().to_string();

    assert!(
        message.starts_with("missing record: tree `log`, key 3"),
        "{message}"
    );
}

#[test]
fn a_damaged_head_is_named() {
    let dir = tempfile::tempdir().unwrap();
    open_in(dir.path()).append(&records(&["a"])).unwrap();
    std::fs::write(dir.path().join("HEAD"), "garbage").unwrap();

    let message = load_in(dir.path()).unwrap_err().to_string();

    assert!(message.contains("HEAD"), "{message}");
}

/// sled itself may cut a damaged log off in silence; the store must not.
#[test]
fn flipped_bytes_on_disk_never_drop_a_record_in_silence() {
    let origin = tempfile::tempdir().unwrap();
    let mut first = open_in(origin.path());
    let texts: Vec<String> = (0..60).map(|i| format!("record {i}")).collect();
    for text in &texts {
        first.append(&records(&[text.as_str()])).unwrap();
    }
    drop(first);
    let whole = load_in(origin.path()).unwrap();
    let image = std::fs::read(origin.path().join("sled/db")).unwrap();
    let used = image.iter().rposition(|byte| *byte != 0).unwrap();

    for sample in 0..40 {
        let copy = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(copy.path().join("sled/blobs")).unwrap();
        for file in ["HEAD", "sled/conf"] {
            std::fs::copy(origin.path().join(file), copy.path().join(file)).unwrap();
        }
        let mut damaged = image.clone();
        damaged[used * sample / 40] ^= 0x55;
        std::fs::write(copy.path().join("sled/db"), damaged).unwrap();

        let lock = DirectoryLock::take(copy.path()).unwrap();
        let opened = Database::open(copy.path(), &copy.path().join("sled"), lock);
        if let Ok(loaded) = opened.and_then(|mut database| database.load()) {
            assert_eq!(loaded, whole, "sample {sample}");
        }
    }
}

#[test]
fn the_longest_records_never_spill_into_blob_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut database = open_in(dir.path());
    let longest = Record(vec![7; 3 * record::MAX_PAYLOAD_BYTES]);
    for _ in 0..10 {
        database.append(&vec![longest.clone(); 3]).unwrap();
    }
    database
        .checkpoint(&vec![7; 40 * record::MAX_PAYLOAD_BYTES])
        .unwrap();

    let blobs = std::fs::read_dir(dir.path().join("sled/blobs")).unwrap();

    assert_eq!(blobs.count(), 0);
}
