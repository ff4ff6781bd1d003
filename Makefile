# The commands of this repository. `make` alone lists them.

# cargo-deny's version is pinned: its config format changes between versions.
DENY_VERSION := 0.20.2
DENY := target/tools/bin/cargo-deny

# So is cargo-mutants': its mutants, and so their names in engine/tests/mutants.txt, change too.
MUTANTS_VERSION := 25.3.1
MUTANTS := target/tools/bin/cargo-mutants
# Which part of the mutants the soak tries: another one each day. With so many parts one has some twenty mutants, of which
# each takes a build of the engine and most of its tests: one to one and a half minutes on 2 cores.
MUTANTS_SHARD ?= $(shell expr `date +%j` % 200)/200

# Hosts of `make fleet`. It builds as whoever called sudo, whose cargo it is and whose target/ must stay theirs,
# and runs as root.
HOSTS ?= 8
AS_BUILDER := $(if $(SUDO_USER),sudo --user=$(SUDO_USER) --login --,)
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo)
BUILD_FLEET := $(AS_BUILDER) sh -c 'cd "$(CURDIR)" && cargo build --workspace --bins'

.PHONY: help build demo fleet fleet-down test test-rust test-demo lint bench soak mutants audit
.DEFAULT_GOAL := help

help: ## Lists the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

# All targets: what tests need too, so that nothing is compiled twice. `cargo test` alone does not
# build the binaries that the end-to-end tests start.
build: ## Builds everything, tests included
	cargo build --workspace --all-targets

demo: ## Patches a fleet of 24 agents on this machine, and stops a bad patch
	cargo build -p cofferdam -p cofferdam-agent -p cofferdam-coordinator
	target/debug/cofferdam demo

fleet: ## Boots HOSTS=8 real Debian hosts to play with, and says how to reach them; as root or with sudo
	$(BUILD_FLEET)
	$(AS_ROOT) target/debug/fleet up --hosts $(HOSTS)

# With what was built before, so that a tree that does not compile leaves no fleet up.
fleet-down: ## Takes them down, and whatever killed or failed tests left of theirs
	test -x target/debug/fleet || $(BUILD_FLEET)
	$(AS_ROOT) target/debug/fleet down

test: test-rust test-demo ## Runs every test in its small size, and the demo

# The slow tests wait for processes rather than compute, so more of them run than there are cores.
test-rust: build
	RUST_TEST_THREADS=4 cargo test --workspace --no-fail-fast

test-demo: build
	.ci/demo

lint: ## Checks format, lints and documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --workspace --no-deps --document-private-items

bench: ## Measures; writes target/bench/*.json and prints a table
	.ci/bench

soak: build ## Runs the same tests with more seeds, more kills and more time
	COFFERDAM_SOAK=1 COFFERDAM_SEEDS=1000 PROPTEST_CASES=20000 cargo test --workspace --no-fail-fast
	cargo build --release -p cofferdam
	COFFERDAM_SOAK=1 COFFERDAM_BIN="$(CURDIR)/target/release" cargo bench -p cofferdam-tests --bench rehearse
	COFFERDAM_HISTORIES=100000 cargo test --profile soak -p cofferdam-engine --test machines model
	$(MAKE) $(MUTANTS)
	.ci/mutants $(MUTANTS_SHARD) 30

mutants: $(MUTANTS) ## Breaks the engine's rules one at a time and counts what the tests notice
	.ci/mutants

audit: $(DENY) ## Checks licences, sources and who may depend on what
	$(DENY) --workspace --config .deny.toml check bans licenses sources
	@echo "left out: advisories (their database is fetched from outside)"

$(DENY):
	cargo install --locked --version $(DENY_VERSION) --root target/tools cargo-deny

$(MUTANTS):
	cargo install --locked --version $(MUTANTS_VERSION) --root target/tools cargo-mutants
