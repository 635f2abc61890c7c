# Onggi: `make run` starts a node, `make cluster` three, `make test` runs every test. Both set up what they need (.ci/setup).
#
# Build output goes to a cache outside of the tree, so that a fresh clone does not compile RocksDB again.

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)
export CARGO_TARGET_DIR ?= $(CACHE)/onggi-target
DATA_DIR ?= onggi-data

SEEDS ?= 400

.PHONY: help run cluster build test test-rust test-clients simulate lint doc bench

help:
	@echo "make run     build a release binary and start a node on this machine (DATA_DIR=$(DATA_DIR))"
	@echo "make cluster start three nodes on this machine, and say how to break one and watch it heal"
	@echo "make test    every test: Rust, then real S3 clients against the real binary"
	@echo "make simulate  clusters on one thread under faults, from SEEDS=$(SEEDS) seeds (docs/testing.md)"
	@echo "make lint    formatting and lints"
	@echo "make bench   measure a node on this machine"

run: build
	@$(CARGO_TARGET_DIR)/release/onggi server --data-dir $(DATA_DIR) --welcome

cluster: build
	@docs/operations/examples/three_nodes.sh $(CARGO_TARGET_DIR)/release/onggi

build:
	@.ci/setup
	cargo build --release --locked --bin onggi

test: test-rust test-clients test-console

test-rust:
	@.ci/setup test
	cargo test --workspace --locked

# The binary is the one that the Rust tests just built: alone, it would be compiled with other features of its dependencies.
test-clients:
	@.ci/setup test
	cargo build --workspace --tests --locked
	ONGGI_BIN=$(CARGO_TARGET_DIR)/debug/onggi PYTHONDONTWRITEBYTECODE=1 python3 tests/clients/run.py

simulate:
	@.ci/setup
	ONGGI_TEST_SEEDS=$(SEEDS) cargo test -p onggi-cluster --locked --lib simulation::whatever -- --nocapture

# The web page is committed as it was built: is it what its sources make? And then in a browser.
test-console:
	@.ci/setup test
	node tests/console/check.mjs
	cargo build --workspace --tests --locked
	ONGGI_BIN=$(CARGO_TARGET_DIR)/debug/onggi node tests/console/browser.mjs

lint:
	@.ci/setup
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

doc:
	@.ci/setup
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

bench:
	@.ci/setup
	cargo build --release --locked -p onggi -p onggi-bench --bins
	$(CARGO_TARGET_DIR)/release/bench calib
