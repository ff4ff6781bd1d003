//! Real processes, and that none is left.

use super::*;
use std::fs;

fn shell(script: &str) -> Command {
    Command::new("sh").arg("-c").arg(script)
}

fn is_alive(pid: &str) -> bool {
    // A zombie is dead: nobody reaps it in some containers.
    fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
        .is_ok_and(|stat| !stat.contains(") Z "))
}

async fn gone(pid: &str) {
    for _ in 0..500 {
        if !is_alive(pid) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("process {pid} lives on");
}

#[tokio::test]
async fn a_program_gets_plain_language_a_known_path_and_no_input() {
    let output = Processes
        .run(
            &shell("echo $LC_ALL $PATH $GREETING; cat; echo oops >&2; exit 3")
                .env("GREETING", "hi"),
        )
        .await
        .unwrap();
    assert_eq!(output.stdout.text(), format!("C {PATH} hi\n"));
    assert_eq!(output.stderr.text(), "oops\n");
    assert_eq!(output.exit, Exit::Status(3));
}

#[tokio::test]
async fn a_late_program_dies_with_all_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let script = format!("sleep 600 & echo $! > {}; wait", pid_file.display());
    let late = Processes
        .run(&shell(&script).deadline(Duration::from_secs(2)))
        .await;
    assert!(matches!(late, Err(RunError::Late { .. })), "{late:?}");
    gone(&fs::read_to_string(pid_file).unwrap()).await;
}

#[tokio::test]
async fn a_dropped_run_dies_with_all_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let command = shell(&format!(
        "sleep 600 & echo $! > {}; wait",
        pid_file.display()
    ));
    tokio::select! {
        biased;
        _ = Processes.run(&command) => panic!("it sleeps"),
        () = async { while !fs::read_to_string(&pid_file).is_ok_and(|text| text.ends_with('\n')) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }} => {}
    }
    gone(&fs::read_to_string(pid_file).unwrap()).await;
}

#[tokio::test]
async fn what_a_program_leaves_in_the_background_is_not_waited_for() {
    let begin = Instant::now();
    let output = Processes
        .run(&shell("echo done; sleep 600 & echo $! >&2"))
        .await
        .unwrap();
    assert_eq!(output.stdout.text(), "done\n");
    assert!(begin.elapsed() < Duration::from_secs(30));
    let pid = output.stderr.text().trim().parse().unwrap();
    nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

#[tokio::test]
async fn a_transcript_holds_each_command_its_output_and_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r1/apply.log");
    for word in ["one", "two"] {
        let command = shell(&format!("echo {word}; echo {word} >&2; exit 4"));
        let output = Processes
            .run(&command.transcript(path.clone()))
            .await
            .unwrap();
        assert_eq!(output.text(), format!("{word}\n{word}\n"));
    }
    let text = fs::read_to_string(path).unwrap();
    assert_eq!(text.matches("[status 4]").count(), 2, "{text}");
    assert!(text.starts_with("$ sh -c echo one"), "{text}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_said_by_name() {
    let error = Processes
        .run(&Command::new("no-such-program"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "no-such-program could not be started");
}

/// As on a full disk, where dpkg has to be able to go back.
#[tokio::test]
async fn a_program_runs_and_is_heard_also_where_its_transcript_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in-the-way"), "").unwrap();
    for way in ["in-the-way/a.log", "b.log"] {
        let path = folder.path().join(way);
        let command = shell("echo out; echo err >&2; exit 3").transcript(path.clone());
        let output = Processes.run(&command).await.unwrap();
        assert_eq!(output.stdout.text(), "out\nerr\n", "{way}");
        assert_eq!(output.exit, Exit::Status(3));
        let written = "$ sh -c echo out; echo err >&2; exit 3\nout\nerr\n[status 3]\n";
        let there = fs::read_to_string(path).unwrap_or_else(|_| written.to_owned());
        assert_eq!(there, written, "{way}");
    }
}
