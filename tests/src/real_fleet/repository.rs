//! The signed apt repository that the hosts of a fleet install from, served on the bridge's address.

use super::{
    cgroup::Cgroup,
    ground::Ground,
    launch::Place,
    network::{BRIDGE_ADDRESS, Network},
    trouble::{FleetError, file, late, part},
};
use crate::{patience, process::built};
use cofferdam::demo::archive::Archive;
use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// What the repository says it is of.
pub const ORIGIN: &str = "Cofferdam fleet";

/// HTTP, at the port that needs no mention.
const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(BRIDGE_ADDRESS), 80);

/// Where the paragraphs of what was built are, one file a package.
const ENTRIES: &str = "entries";

/// A server starts within milliseconds; a busy machine is waited for.
const SERVED_WITHIN: Duration = Duration::from_secs(30);

/// A package to be built. It runs on every architecture.
#[derive(Debug, Clone)]
pub struct Package {
    name: String,
    version: String,
    fields: String,
    control: Vec<(String, String)>,
    files: Vec<(String, Vec<u8>)>,
    scripts: Vec<(String, String)>,
}

impl Package {
    /// A package with one file, `/usr/share/NAME/version`, that holds its version.
    pub fn new(name: &str, version: &str) -> Self {
        let file = format!("usr/share/{name}/version");
        let content = format!("{version}\n").into_bytes();
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            fields: String::new(),
            control: Vec::new(),
            files: vec![(file, content)],
            scripts: Vec::new(),
        }
    }

    /// With another file; `path` is relative to the root.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), content.into()));
        self
    }

    /// With a config file that dpkg asks about; `path` is relative to the root.
    #[must_use]
    pub fn conffile(self, path: &str, content: &str) -> Self {
        self.control("conffiles", &format!("/{path}\n"))
            .file(path, content)
    }

    /// With a further file of its control archive, as `templates`. One of the same name goes on.
    #[must_use]
    pub fn control(mut self, name: &str, content: &str) -> Self {
        self.control.push((name.to_owned(), content.to_owned()));
        self
    }

    /// With a further field, as `Depends: milk`.
    #[must_use]
    pub fn field(mut self, line: &str) -> Self {
        self.fields += line;
        self.fields.push('\n');
        self
    }

    /// With a maintainer script: `preinst`, `postinst`, `prerm` or `postrm`, without its first line,
    /// which makes it a shell script that stops at the first failure.
    #[must_use]
    pub fn script(mut self, name: &str, body: &str) -> Self {
        let text = format!("#!/bin/sh\nset -e\n{body}\n");
        self.scripts.push((name.to_owned(), text));
        self
    }

    /// Its file's name.
    pub fn file_name(&self) -> String {
        format!("{}_{}_all.deb", self.name, self.version)
    }

    fn paragraph(&self) -> String {
        format!(
            "Package: {}\nVersion: {}\nArchitecture: all\nMaintainer: Cofferdam <fleet@localhost>\n\
             {}Description: a package of a fleet\n",
            self.name, self.version, self.fields
        )
    }

    fn lay_out(&self, tree: &Path) -> Result<(), FleetError> {
        for (path, content) in &self.files {
            write(&tree.join(path), content, 0o644)?;
        }
        for (name, content) in &self.scripts {
            write(&tree.join("DEBIAN").join(name), content, 0o755)?;
        }
        let mut control = BTreeMap::<&str, String>::new();
        for (name, content) in &self.control {
            *control.entry(name).or_default() += content;
        }
        for (name, content) in control {
            write(&tree.join("DEBIAN").join(name), content, 0o644)?;
        }
        write(&tree.join("DEBIAN/control"), self.paragraph(), 0o644)
    }
}

/// The repository of a fleet.
#[derive(Debug)]
pub struct Repository {
    archive: Archive,
    folder: PathBuf,
    network: Network,
    cgroup: Cgroup,
    is_shared: bool,
}

impl Repository {
    /// The repository of a fleet, made or not.
    pub fn of(ground: &Ground) -> Self {
        let folder = ground.folder().join("repository");
        let archive = Archive::new(
            ORIGIN,
            folder.join("served"),
            folder.join("gpg"),
            folder.join("tmp"),
        );
        Self {
            archive,
            folder,
            network: Network::in_folder(ground.folder()),
            cgroup: ground.cgroup().within("repository"),
            is_shared: false,
        }
    }

    /// The same repository, to be served in the network of another fleet as well.
    pub fn also_in(&self, ground: &Ground) -> Self {
        let shared = Self::of(ground);
        Self {
            archive: self.archive.clone(),
            folder: self.folder.clone(),
            is_shared: true,
            ..shared
        }
    }

    /// Makes its key, and offers nothing yet, unless it is another fleet's.
    ///
    /// # Errors
    /// When gpg fails or a file cannot be written.
    pub async fn create(&self) -> Result<(), FleetError> {
        if self.is_shared {
            return Ok(());
        }
        let what = "the repository";
        self.archive.create().await.map_err(part(what))?;
        let entries = self.entries();
        fs::create_dir_all(&entries).map_err(file("make", &entries))?;
        self.archive.publish(&[]).await.map_err(part(what))
    }

    /// Builds a package, and offers it beside all that was published before.
    ///
    /// # Errors
    /// When a tool fails or a file cannot be written.
    pub async fn publish(&self, package: &Package) -> Result<(), FleetError> {
        let name = package.file_name();
        let tree = self.folder.join("tmp").join(&name);
        package.lay_out(&tree)?;
        let built = self.archive.build(&tree, &name).await;
        built.map_err(part("a package"))?;
        self.offer(&package.paragraph(), &name).await
    }

    /// Offers a file that was built beside all that was published before.
    async fn offer(&self, paragraph: &str, name: &str) -> Result<(), FleetError> {
        let entry = self.archive.entry(paragraph, name);
        let path = self.entries().join(name);
        fs::write(&path, entry.map_err(part("a package"))?).map_err(file("write", &path))?;
        self.publish_entries().await
    }

    /// Builds a package of a folder that `dpkg-deb --raw-extract` made, and offers it. `name` is its file's.
    ///
    /// # Errors
    /// When a tool fails or a file cannot be read or written.
    pub async fn publish_unpacked(&self, tree: &Path, name: &str) -> Result<(), FleetError> {
        let control = tree.join("DEBIAN/control");
        let paragraph = fs::read_to_string(&control).map_err(file("read", &control))?;
        let built = self.archive.build(tree, name).await;
        built.map_err(part("a package"))?;
        self.offer(&paragraph, name).await
    }

    /// Takes a package out of what is offered, as archives do with old versions.
    ///
    /// # Errors
    /// When it is not offered, or a file cannot be written.
    pub async fn withdraw(&self, package: &Package) -> Result<(), FleetError> {
        let name = package.file_name();
        for path in [self.entries().join(&name), self.served().join(&name)] {
            fs::remove_file(&path).map_err(file("remove", &path))?;
        }
        self.publish_entries().await
    }

    async fn publish_entries(&self) -> Result<(), FleetError> {
        let entries = read_all(&self.entries())?;
        let published = self.archive.publish(&entries).await;
        published.map_err(part("the index"))
    }

    /// The key that hosts trust it by.
    pub fn public_key(&self) -> PathBuf {
        self.archive.public_key()
    }

    /// The folder that is served: what is done to it is done to what hosts see.
    pub fn served(&self) -> &Path {
        self.archive.folder()
    }

    /// Serves it, until the fleet ends or it is closed.
    ///
    /// # Errors
    /// When it is not served after 30 s.
    pub async fn open(&self) -> Result<(), FleetError> {
        let log = self.folder.join("log");
        // Two of one repository write to the same log, line by line.
        let place = Place {
            network: &self.network,
            cgroup: &self.cgroup,
            log: &log,
        };
        let serve = built("fleet").into_os_string();
        let folder = self.served().as_os_str().to_owned();
        let address = ADDRESS.to_string().into();
        place
            .launch(vec![serve, "serve".into(), folder, address])
            .await?;
        let answers = async || {
            let connected = self.network.inside(|| TcpStream::connect(ADDRESS));
            let said = |error: &dyn std::error::Error| error.to_string();
            connected
                .map_err(|error| said(&error))?
                .map_err(|error| said(&error))
        };
        let answered = patience::within(SERVED_WITHIN, answers).await;
        answered
            .map(drop)
            .map_err(late("the repository to be served"))
    }

    /// Stops serving it.
    ///
    /// # Errors
    /// When its server does not go.
    pub fn close(&self) -> Result<(), FleetError> {
        self.cgroup.kill()
    }

    fn entries(&self) -> PathBuf {
        self.folder.join(ENTRIES)
    }
}

/// The files in a folder, by their names' order.
fn read_all(folder: &Path) -> Result<Vec<String>, FleetError> {
    let found = fs::read_dir(folder).map_err(file("read", folder))?;
    let mut paths: Vec<PathBuf> = found.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: &PathBuf| fs::read_to_string(path).map_err(file("read", path));
    paths.iter().map(read).collect()
}

fn write(path: &Path, content: impl AsRef<[u8]>, mode: u32) -> Result<(), FleetError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(file("make", folder))?;
    }
    fs::write(path, content).map_err(file("write", path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(file("change", path))
}
