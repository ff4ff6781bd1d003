//! Where the coordinator is and who we are: flags over environment over file.
//!
//! The file is `cofferdam/config.toml` in `$XDG_CONFIG_HOME`, or in `~/.config`:
//!
//! ```toml
//! endpoint = "https://coordinator.example.org:7300"
//! ca = "ca.crt"                       # paths are relative to this file
//! cert = "operator-ana.crt"
//! key = "operator-ana.key"
//! server_name = "coordinator"         # optional: the endpoint's host unless given
//! trust_domain = "example.org"        # optional: the certificate's own unless given
//! ```

use crate::exit::UsageError;
use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

/// What one source says. Everything is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
#[command(next_help_heading = "Connection")]
pub struct Fragment {
    /// The coordinator's operator API, as in `https://coordinator.example.org:7300`
    #[arg(
        long,
        global = true,
        env = "COFFERDAM_ENDPOINT",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub endpoint: Option<String>,
    /// This operator's certificate (PEM)
    #[arg(
        long,
        global = true,
        env = "COFFERDAM_CERT",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(
        long,
        global = true,
        env = "COFFERDAM_KEY",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub key: Option<PathBuf>,
    /// The authority's certificate (PEM)
    #[arg(
        long,
        global = true,
        env = "COFFERDAM_CA",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub ca: Option<PathBuf>,
    /// The trust domain that all certificates must be of, as in example.org [default: this
    /// operator's own]
    #[arg(
        long,
        global = true,
        env = "COFFERDAM_TRUST_DOMAIN",
        hide_env_values = true,
        value_name = "DOMAIN"
    )]
    pub trust_domain: Option<String>,
    /// The name in the coordinator's certificate [default: the endpoint's host]
    #[arg(
        long,
        global = true,
        env = "COFFERDAM_SERVER_NAME",
        hide_env_values = true,
        value_name = "NAME"
    )]
    pub server_name: Option<String>,
}

/// What flags and environment say, and where the file is that says the rest.
#[derive(Debug, Clone)]
pub struct Config {
    flags: Fragment,
    file: PathBuf,
    is_named: bool,
}

impl Config {
    /// Takes what the command line says. `file` is the config file when it was given.
    pub fn new(flags: Fragment, file: Option<PathBuf>) -> Self {
        let is_named = file.is_some();
        let file = file.unwrap_or_else(default_file);
        Self {
            flags,
            file,
            is_named,
        }
    }

    /// The config file, there or not.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The trust domain, when flags or environment say it.
    pub fn trust_domain(&self) -> Option<String> {
        self.flags.trust_domain.clone()
    }

    /// Reads the file and merges all.
    ///
    /// # Errors
    /// When the file is wrong, was named and is not there, or something is said nowhere.
    pub fn settings(&self) -> Result<Settings> {
        if self.is_named && !self.file.exists() {
            let file = self.file.display();
            return Err(UsageError(format!("there is no config file {file}")).into());
        }
        let file = Fragment::read(&self.file)?;
        Ok(self.flags.clone().over(file).settings(&self.file)?)
    }
}

/// Everything that a connection needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The coordinator's address.
    pub endpoint: Endpoint,
    /// The name in the coordinator's certificate.
    pub server_name: String,
    /// This operator's certificate.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The trust domain that this operator's certificate must be of. Absent: any.
    pub trust_domain: Option<String>,
}

/// Where the operator API is. Displays as `https://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A DNS name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "https://[{}]:{}", self.host, self.port),
            false => write!(f, "https://{}:{}", self.host, self.port),
        }
    }
}

impl FromStr for Endpoint {
    type Err = UsageError;

    /// Reads `https://HOST:PORT`; the scheme may be left out.
    fn from_str(text: &str) -> Result<Self, UsageError> {
        let wrong = || {
            UsageError(format!(
                "`{text}` is not an endpoint: https://HOST:PORT is expected"
            ))
        };
        let address = text.strip_prefix("https://").unwrap_or(text);
        let address = address.trim_end_matches('/');
        let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let host = host.trim_matches(['[', ']']);
        if host.is_empty() || host.contains(['/', '@', ' ']) {
            return Err(wrong());
        }
        let host = host.to_owned();
        Ok(Self { host, port })
    }
}

impl Fragment {
    /// Reads a config file. A file that does not exist says nothing.
    ///
    /// # Errors
    /// When it cannot be read, is not TOML, or has an unknown key; the message has file and line.
    pub fn read(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let fragment: Self = toml::from_str(&text).map_err(|error| {
            let error = error.to_string();
            UsageError(format!("{} is wrong: {}", path.display(), error.trim_end()))
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let beside = |file: Option<PathBuf>| file.map(|file| folder.join(file));
        Ok(Self {
            cert: beside(fragment.cert),
            key: beside(fragment.key),
            ca: beside(fragment.ca),
            ..fragment
        })
    }

    /// What this source says, and where it is silent what `below` says.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            endpoint: self.endpoint.or(below.endpoint),
            cert: self.cert.or(below.cert),
            key: self.key.or(below.key),
            ca: self.ca.or(below.ca),
            trust_domain: self.trust_domain.or(below.trust_domain),
            server_name: self.server_name.or(below.server_name),
        }
    }

    /// Checks that nothing is missing. `file` is named in the message as the place to say it.
    ///
    /// # Errors
    /// Lists every missing key at once, with the three ways to give it.
    pub fn settings(self, file: &Path) -> Result<Settings, UsageError> {
        let missing = self.missing();
        let (Some(endpoint), Some(cert), Some(key), Some(ca)) =
            (self.endpoint, self.cert, self.key, self.ca)
        else {
            return Err(not_set(&missing, file));
        };
        let endpoint: Endpoint = endpoint.parse()?;
        Ok(Settings {
            server_name: self.server_name.unwrap_or_else(|| endpoint.host.clone()),
            endpoint,
            cert,
            key,
            ca,
            trust_domain: self.trust_domain,
        })
    }

    fn missing(&self) -> Vec<&'static str> {
        let given = [
            ("endpoint", self.endpoint.is_some()),
            ("cert", self.cert.is_some()),
            ("key", self.key.is_some()),
            ("ca", self.ca.is_some()),
        ];
        let missing = given.into_iter().filter(|(_, given)| !given);
        missing.map(|(key, _)| key).collect()
    }
}

fn not_set(missing: &[&str], file: &Path) -> UsageError {
    let lines = missing.iter().map(|key| {
        let variable = key.to_uppercase();
        format!(
            "\n  {key}: give --{key}, set COFFERDAM_{variable}, or write `{key} = \"...\"` in {}",
            file.display()
        )
    });
    UsageError(format!(
        "do not know how to reach the coordinator; not set:{}",
        lines.collect::<String>()
    ))
}

/// Where the config file is, unless a flag says otherwise.
pub fn default_file() -> PathBuf {
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
    env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(home)
        .unwrap_or_else(|| PathBuf::from("/etc"))
        .join("cofferdam/config.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn flags_win_over_the_file_and_paths_are_relative_to_the_file() {
        let (folder, path) = write(
            "endpoint = \"https://a:1\"\ntrust_domain = \"x.org\"\n\
             ca = \"ca.crt\"\ncert = \"me.crt\"\nkey = \"/etc/me.key\"\n",
        );
        let flags = Fragment {
            endpoint: Some("b:2".to_owned()),
            ..Fragment::default()
        };
        let merged = flags.over(Fragment::read(&path).unwrap());
        let settings = merged.settings(&path).unwrap();
        assert_eq!(settings.endpoint.to_string(), "https://b:2");
        assert_eq!(settings.server_name, "b");
        assert_eq!(settings.ca, folder.path().join("ca.crt"));
        assert_eq!(settings.key, Path::new("/etc/me.key"));
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line() {
        let (_folder, path) = write("endpoint = \"a:1\"\nendpiont = \"b:1\"\n");
        let text = format!("{:#}", Fragment::read(&path).unwrap_err());
        assert!(
            text.contains("line 2") && text.contains("endpiont"),
            "{text}"
        );
        assert!(text.contains("config.toml"), "{text}");
    }

    #[test]
    fn every_missing_key_is_named_at_once() {
        let text = Fragment::default().settings(Path::new("/x/config.toml"));
        let text = text.unwrap_err().to_string();
        for key in ["COFFERDAM_ENDPOINT", "--cert", "`ca = ", "key"] {
            assert!(text.contains(key), "{key} in {text}");
        }
    }

    #[test]
    fn a_file_that_does_not_exist_says_nothing() {
        let nothing = Fragment::read(Path::new("/nonexistent/config.toml")).unwrap();
        assert_eq!(nothing, Fragment::default());
    }

    #[test]
    fn a_file_that_was_named_must_exist() {
        let config = Config::new(Fragment::default(), Some("/nonexistent/x.toml".into()));
        let text = config.settings().unwrap_err().to_string();
        assert_eq!(text, "there is no config file /nonexistent/x.toml");
    }

    #[test]
    fn an_endpoint_is_a_host_and_a_port() {
        let endpoint: Endpoint = "https://[::1]:7300/".parse().unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("::1", 7300));
        assert_eq!(endpoint.to_string(), "https://[::1]:7300");
        for bad in ["", "a", "a:", "a:x", ":1", "http://a:1", "a:70000", "u@a:1"] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }
}
