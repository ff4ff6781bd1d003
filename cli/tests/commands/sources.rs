//! Sources of config files from elsewhere: real repositories, a real HTTPS server.

use crate::{
    coordinator::Script,
    lab::{Lab, Ran},
    rollouts::plan_reply,
};
use cofferdam_engine::digest::Digest;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// What a server answers to each path: a status line with its headers, and a content.
type Answers = fn(path: &str, count: usize) -> (String, Vec<u8>);

/// An HTTPS server on loopback with a certificate of the lab's authority.
struct Site {
    address: String,
    asked: Arc<AtomicUsize>,
}

impl Site {
    fn start(lab: &Lab, answers: Answers) -> Self {
        let (certificate, key) = lab.server_files("localhost");
        let certificate = CertificateDer::from_pem_file(certificate).unwrap();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        let asked = Arc::new(AtomicUsize::new(0));
        let (config, count) = (Arc::new(config), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming() {
                // Who goes away in mid-answer is what some tests are about.
                serve(stream.unwrap(), &config, answers, &count).ok();
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn serve(
    stream: TcpStream,
    config: &Arc<ServerConfig>,
    answers: Answers,
    count: &AtomicUsize,
) -> std::io::Result<()> {
    let connection = ServerConnection::new(Arc::clone(config)).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let mut request = String::new();
    stream.read_line(&mut request)?;
    let mut line = request.clone();
    while !line.trim().is_empty() {
        line.clear();
        stream.read_line(&mut line)?;
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (head, content) = answers(path, count.fetch_add(1, Ordering::SeqCst));
    let out = stream.get_mut();
    write!(out, "HTTP/1.1 {head}\r\nconnection: close\r\n\r\n")?;
    out.write_all(&content)?;
    out.conn.send_close_notify();
    out.flush()
}

fn lab() -> Lab {
    let lab = Lab::new(Script {
        plan: Some(plan_reply()),
        ..Script::default()
    });
    // curl and git ask these for the authorities that they trust.
    let authority = lab.path("ca.crt");
    lab.with_env("CURL_CA_BUNDLE", &authority)
        .with_env("GIT_SSL_CAINFO", &authority)
        .with_env("HOME", authority.with_file_name(""))
        .with_env("PATH", env::var_os("PATH").unwrap())
}

/// A rollout file of a config patch with these sources, and how `plan` went.
fn plan(lab: &Lab, sources: &[&str]) -> Ran {
    let mut text = "name = \"config\"\n[patch]\nkind = \"config\"\n".to_owned();
    text += "[select]\nmatch = 'service == \"web\"'\n";
    for (number, source) in sources.iter().enumerate() {
        text += &format!("[[patch.files]]\npath = \"/etc/{number}\"\nsource = \"{source}\"\n");
    }
    fs::write(lab.path("config.toml.rollout"), text).unwrap();
    // Anew: a lock file of other sources is there from the plan before.
    lab.run("plan --relock config.toml.rollout")
}

fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=ana", "-c", "user.email=ana@example.org"])
        .arg("-C")
        .arg(folder)
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn files_of_a_repository_are_locked_to_one_commit_and_stored() {
    let lab = lab();
    let repository = lab.path("fleet");
    fs::create_dir_all(repository.join("nginx")).unwrap();
    git(&repository, &["init", "--quiet", "--initial-branch=main"]);
    fs::write(repository.join("nginx/nginx.conf"), "workers = 4").unwrap();
    fs::write(repository.join("motd"), "hello").unwrap();
    std::os::unix::fs::symlink("/etc/shadow", repository.join("link")).unwrap();
    git(&repository, &["add", "."]);
    git(&repository, &["commit", "--quiet", "-m", "one"]);
    let commit = git(&repository, &["rev-parse", "HEAD"]);
    let source = |path: &str| format!("git+file://{}@main#{path}", repository.display());
    let (main, motd) = (source("nginx/nginx.conf"), source("motd"));
    let ran = plan(&lab, &[&main, &motd]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let asked = lab.asked();
    assert_eq!(asked[..2], ["put workers = 4", "put hello"]);
    for part in [&commit, &main, &Digest::of("hello").to_string()] {
        assert!(asked[2].contains(part.as_str()), "{}", asked[2]);
    }
    for (path, says) in [
        ("nothing", "has no such file"),
        ("link", "is no plain file"),
        ("nginx", "is no plain file"),
    ] {
        let ran = plan(&lab, &[&source(path)]);
        assert_ne!(ran.code, 0);
        assert!(ran.err.contains(says), "{}", ran.err);
    }
}

/// What runs when somebody works with a repository is not run when it is only read.
#[test]
fn nothing_of_a_repository_or_of_the_operators_hooks_runs() {
    let lab = lab();
    let repository = lab.path("fleet");
    fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "--quiet", "--initial-branch=main"]);
    fs::write(repository.join("motd"), "hello").unwrap();
    git(&repository, &["add", "."]);
    git(&repository, &["commit", "--quiet", "-m", "one"]);
    let hooks = lab.path("hooks");
    fs::create_dir(&hooks).unwrap();
    for hook in [
        "reference-transaction",
        "post-checkout",
        "post-index-change",
    ] {
        let path = hooks.join(hook);
        fs::write(&path, format!("#!/bin/sh\ntouch {}/ran\n", hooks.display())).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let settings = format!("[core]\nhooksPath = {}\n", hooks.display());
    fs::write(lab.path(".gitconfig"), settings).unwrap();
    let source = format!("git+file://{}@main#motd", repository.display());
    let ran = plan(&lab, &[&source]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!hooks.join("ran").exists());
}

#[test]
fn a_file_by_https_is_locked_by_what_came_after_redirects_and_a_server_in_trouble() {
    let lab = lab();
    let site = Site::start(&lab, |path, count| match (path, count) {
        (_, 0) => ("503 busy".to_owned(), Vec::new()),
        ("/moved", _) => ("302 there\r\nlocation: /a.conf".to_owned(), Vec::new()),
        _ => ("200 OK".to_owned(), b"workers = 4".to_vec()),
    });
    let source = format!("https://{}/moved", site.address);
    let ran = plan(&lab, &[&source]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(site.asked(), 3);
    let asked = lab.asked();
    assert_eq!(asked[0], "put workers = 4");
    assert!(asked[1].contains(&source), "{}", asked[1]);
    assert!(asked[1].contains(&Digest::of("workers = 4").to_string()));
}

#[test]
fn what_is_no_file_too_large_in_the_open_or_of_a_stranger_is_not_fetched() {
    let lab = lab();
    let site = Site::start(&lab, |path, _| match path {
        "/open" => (
            "302 x\r\nlocation: http://localhost:9/a".to_owned(),
            Vec::new(),
        ),
        "/round" => ("302 x\r\nlocation: /round".to_owned(), Vec::new()),
        "/large" => ("200 OK".to_owned(), vec![0; 17 << 20]),
        _ => ("404 no".to_owned(), Vec::new()),
    });
    for (path, says, tries) in [
        ("none", "ended with 22", 1),
        ("open", "ended with 1:", 1),
        ("round", "ended with 47", 6),
        ("large", "more than 16777216 bytes", 1),
    ] {
        let before = site.asked();
        let ran = plan(&lab, &[&format!("https://{}/{path}", site.address)]);
        assert_ne!(ran.code, 0, "{path}");
        assert!(ran.err.contains(says), "{path}: {}", ran.err);
        assert_eq!(site.asked() - before, tries, "{path}");
    }
    assert!(lab.asked().is_empty());
    let lab = Lab::new(Script::default());
    let stranger = Site::start(&lab, |_, _| ("200 OK".to_owned(), b"x".to_vec()));
    let ran = plan(&lab, &[&format!("https://{}/a", stranger.address)]);
    assert!(ran.err.contains("ended with 60"), "{}", ran.err);
}
