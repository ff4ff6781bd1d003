//! What a made-up fleet is made of: names of regions, services with their machines, images.
//!
//! All of it is a guess at what a large fleet of one provider looks like; sizes and places follow
//! from the order of these lists.

/// Regions as Amazon names them, the largest first.
const REGIONS: [&str; 28] = [
    "us-east-1",
    "us-west-2",
    "eu-west-1",
    "us-east-2",
    "eu-central-1",
    "ap-southeast-1",
    "ap-northeast-1",
    "ap-southeast-2",
    "us-west-1",
    "eu-west-2",
    "ap-south-1",
    "ca-central-1",
    "eu-west-3",
    "sa-east-1",
    "eu-north-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-east-1",
    "eu-south-1",
    "me-south-1",
    "af-south-1",
    "ap-southeast-3",
    "me-central-1",
    "eu-central-2",
    "eu-south-2",
    "ap-south-2",
    "il-central-1",
    "ca-west-1",
];

/// The name of a region by its place, from 0, in order of size.
pub(super) fn region(place: usize) -> String {
    match REGIONS.get(place) {
        Some(name) => (*name).to_owned(),
        None => format!("region-{}", place + 1),
    }
}

/// A service, and which machines it runs on.
#[derive(Debug)]
pub(super) struct Service {
    /// What it is called.
    pub(super) name: &'static str,
    /// The instance type of most of its hosts.
    pub(super) usual: &'static str,
    /// The instance type of some hosts where it has many.
    pub(super) other: &'static str,
}

const fn on(name: &'static str, usual: &'static str, other: &'static str) -> Service {
    Service { name, usual, other }
}

/// How many of the services, from the first, are in every zone.
pub(super) const EVERYWHERE: usize = 7;
/// How many of the services, from the first, are in every zone of the regions where they are; those
/// after them are in two zones of each.
pub(super) const WIDE: usize = 23;

/// The services, the largest first.
pub(super) const SERVICES: [Service; 47] = [
    on("web", "c5.2xlarge", "m5.2xlarge"),
    on("api", "c5.4xlarge", "m6g.2xlarge"),
    on("search", "r5.2xlarge", "r5.12xlarge"),
    on("worker", "m6g.large", "m5.large"),
    on("cache", "r5.xlarge", "r6g.xlarge"),
    on("db", "r5.24xlarge", "r5.12xlarge"),
    on("stream", "m5.4xlarge", "m5.2xlarge"),
    on("checkout", "c5.xlarge", "c5.2xlarge"),
    on("catalog", "m5.xlarge", "m6g.xlarge"),
    on("cart", "m5.xlarge", "m5.large"),
    on("orders", "m5.2xlarge", "m5.xlarge"),
    on("payments", "m5.2xlarge", "c5.2xlarge"),
    on("users", "m5.large", "m5.xlarge"),
    on("auth", "c5.large", "c6g.large"),
    on("sessions", "r6g.large", "r5.large"),
    on("recommend", "c5.9xlarge", "c5.4xlarge"),
    on("images", "c6g.2xlarge", "c5.2xlarge"),
    on("queue", "m5.xlarge", "m6g.xlarge"),
    on("metrics", "r5.2xlarge", "r5.xlarge"),
    on("logs", "i3.2xlarge", "i3.4xlarge"),
    on("events", "i3.xlarge", "i3.2xlarge"),
    on("inventory", "m5.large", "m6g.large"),
    on("pricing", "c5.2xlarge", "c5.xlarge"),
    on("billing", "m5.xlarge", "m5.large"),
    on("invoices", "m5.large", "t3.large"),
    on("mail", "t3.large", "t3.medium"),
    on("push", "t3.medium", "t3.large"),
    on("sms", "t3.small", "t3.medium"),
    on("geo", "r5.large", "r5.xlarge"),
    on("tax", "t3.medium", "t3.large"),
    on("fraud", "c5.4xlarge", "c5.2xlarge"),
    on("reviews", "m5.large", "m6g.large"),
    on("ratings", "t3.large", "t3.medium"),
    on("wishlist", "t3.medium", "t3.small"),
    on("coupons", "t3.medium", "t3.small"),
    on("exports", "m5.2xlarge", "m5.xlarge"),
    on("imports", "m5.2xlarge", "m5.xlarge"),
    on("reports", "r5.2xlarge", "r5.xlarge"),
    on("audit", "m5.large", "m5.xlarge"),
    on("flags", "t4g.small", "t3.small"),
    on("config", "t3.small", "t4g.small"),
    on("scheduler", "m5.large", "t3.large"),
    on("proxy", "c6g.large", "c5.large"),
    on("dns", "t4g.medium", "t3.medium"),
    on("directory", "m5.large", "t3.large"),
    on("vault", "m5.large", "m5.xlarge"),
    on("wiki", "t3.small", "t3.medium"),
];

/// The instance type that is rare and spread thin: the one that a real rollout met too late.
pub(super) const RARE_TYPE: &str = "r5.4xlarge";

/// The package architecture of an instance type: Amazon's own processors are a `g` after the
/// generation, as in `m6g.large`.
pub(super) fn architecture(instance_type: &str) -> &'static str {
    let family = instance_type.split('.').next().unwrap_or_default();
    match family.ends_with('g') {
        true => "arm64",
        false => "amd64",
    }
}

/// What hosts are installed from.
#[derive(Debug)]
pub(super) struct Image {
    /// The release.
    pub(super) os_release: &'static str,
    /// The kernel's version, which an architecture is added to.
    pub(super) kernel: &'static str,
    /// The version of the kernel's package.
    pub(super) kernel_package: &'static str,
    /// Other packages, each with its version.
    pub(super) packages: [(&'static str, &'static str); 3],
}

/// The newest image, and the only one for machines of the newer architecture.
pub(super) const NEWEST: Image = Image {
    os_release: "debian-12",
    kernel: "6.1.0-38",
    kernel_package: "6.1.147-1",
    packages: [
        ("libc6", "2.36-9+deb12u13"),
        ("openssl", "3.0.17-1~deb12u2"),
        ("systemd", "252.39-1~deb12u1"),
    ],
};

/// The same release before its last point release, with the newest kernel.
const BEFORE: Image = Image {
    packages: [
        ("libc6", "2.36-9+deb12u10"),
        ("openssl", "3.0.15-1~deb12u1"),
        ("systemd", "252.36-1~deb12u1"),
    ],
    ..NEWEST
};

const OLD: Image = Image {
    os_release: "debian-11",
    kernel: "5.10.0-35",
    kernel_package: "5.10.237-1",
    packages: [
        ("libc6", "2.31-13+deb11u13"),
        ("openssl", "1.1.1w-0+deb11u3"),
        ("systemd", "247.3-7+deb11u7"),
    ],
};

/// The image of a draw below 100: most hosts have the newest.
pub(super) fn image(percent: u64) -> &'static Image {
    match percent {
        0..60 => &NEWEST,
        60..85 => &BEFORE,
        85.. => &OLD,
    }
}
