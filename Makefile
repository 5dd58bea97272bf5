# What a person types; .ci/run types the same.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

RELAY := cargo run --release --quiet -p steadycast-relay --

.PHONY: help
help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

node_modules/.package-lock.json: package-lock.json package.json web/package.json codec-glue/ts/package.json tests/browser/package.json tests/peer-to-peer-app/package.json docs/package.json
	@# Not `npm ci`: it insists on lock entries for platforms that some registries do not carry.
	npm install --no-audit --no-fund
	@touch $@

.PHONY: web
web: node_modules/.package-lock.json ## Build the web pages (they are embedded in the relay)
	npm run build --silent

.PHONY: run
run: web ## Build everything, start a relay and print the admin and player links
	cargo build --release -p steadycast-relay
	chmod 700 certs
	$(RELAY) serve --dev

.PHONY: cluster
cluster: web ## Start an engine and three relays on this machine and print links to each
	scripts/install-test-tools engine
	cargo run --release --quiet -p bench -- cluster

.PHONY: vectors
vectors: ## Write the golden vectors anew
	cargo run --quiet -p steadycast-codec-glue --example vectors

.PHONY: test
test: test-rust test-api test-web test-browser ## Install what tests need and run every test

.PHONY: test-rust
test-rust: web ## Rust: units, vectors, scenarios over the real relay
	scripts/install-test-tools rust
	cargo test --workspace

.PHONY: test-api
test-api: web ## The API against its own document
	scripts/check-api

.PHONY: test-web
test-web: node_modules/.package-lock.json ## TypeScript: units, vectors
	npm test

.PHONY: test-browser
test-browser: web browsers ## Scenarios in real browsers
	@# As for the Rust tests: with other features everything would be compiled once more. Brings the relay itself as well.
	cargo test --workspace --no-run --quiet
	npm test --workspace tests/browser

.PHONY: browsers
browsers: ## Install Chromium, Firefox and a virtual display where they are missing
	scripts/install-test-tools browsers

.PHONY: check
check: node_modules/.package-lock.json ## Format, lints, the package, docs and their site, licences and advisories
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
	npm run check
	npm run package:check --workspace web --silent
	npm run docs --silent
	scripts/check-dependencies

.PHONY: format
format: node_modules/.package-lock.json ## Format everything
	cargo fmt --all
	npm run format

.PHONY: docs
docs: node_modules/.package-lock.json ## Build the documentation site into target/docs
	npm run docs --silent

.PHONY: deb
deb: web ## Build the Debian package into target/debian
	[ -x target/tools/bin/cargo-deb ] || cargo install --locked cargo-deb --version 3.8.0 --root target/tools
	cargo build --release --locked -p steadycast-relay
	package/stage target/release/steadycast target/release/package
	target/tools/bin/cargo-deb deb -p steadycast-relay --no-build --locked --dbgsym

.PHONY: image
image: web ## Build the container image with buildah
	package/image

.PHONY: release-binaries
release-binaries: web ## Build archives for other systems (x86-64, arm64) into target/dist
	package/release-binaries

.PHONY: bench
bench: web ## Measure fan-out, joins, restarts, latency and memory with real sessions and real browsers
	cargo build --release -p steadycast-relay
	cargo run --release --quiet -p bench -- fanout
	cargo run --release --quiet -p steadycast-tests --bin endurance
	npm run bench --workspace tests/browser

.PHONY: mutants
mutants: web ## How strong the tests of the rooms without I/O are (two hours): MUTANTS="--shard 1/8" takes a part
	scripts/mutants $(MUTANTS)

.PHONY: peers
peers: ## Build other projects' relays into target/peers, for `bench peer` and `bench network --peer`
	@# Not --locked: its lock file can name versions that a registry does not carry.
	cargo install moq-relay --version 0.17.10 --no-default-features --features noq,websocket --root target/peers
	cargo install --path bench/peers/moq --locked --root target/peers
