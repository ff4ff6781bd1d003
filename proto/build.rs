//! Compiles the wire: the `.proto` files to Rust, without an installed `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = [
        "proto/cofferdam/v1/agent.proto",
        "proto/cofferdam/v1/operator.proto",
        "proto/cofferdam/v1/link.proto",
    ];
    let descriptors = protox::compile(files, ["proto"])?;
    // Ordered maps: the same message gives the same bytes.
    tonic_prost_build::configure()
        .btree_map(".")
        .compile_fds(descriptors)?;
    Ok(())
}
