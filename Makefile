# The commands of this repository; `make` alone lists them. Each target is one command or one script, so that CI and people
# run the same.
#
# Ports and folder of the local stack: KAFKA_PORT, REGISTRY_PORT, ELASTICSEARCH_PORT, STACK_DIR.

.DEFAULT_GOAL := help
.PHONY: help demo test unit fuzz chaos soak bench build-bench build package upgrade-test stack stack-stop lint lint-deploy

# How many minutes `make chaos` causes faults, and the seed that chooses them. Without a seed, each run takes a new one.
MINUTES ?= 5
SEED ?=

# Events that `make demo` posts.
COUNT ?= 10000
export COUNT

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r target what; do printf '  make %-11s %s\n' "$$target" "$$what"; done

demo: ## everything on this machine, with sample events and a check of each; COUNT=10000. With DEMO_EXIT=1, it ends by itself
	@tests/scripts/demo

test: ## all tests; starts and stops the stack that they need
	@tests/scripts/test

unit: ## the tests that need only cargo
	cargo test --workspace --lib --bins

chaos: ## random faults on three of everything, then an audit; MINUTES=5 SEED=7. Other scenarios: CHAOS_ARGS="outages churn long_outage full_queue read_only"
	@MINUTES=$(MINUTES) SEED=$(SEED) tests/scripts/chaos $(CHAOS_ARGS)

soak: build-bench ## the same cluster at 2,000 events a second, with a fault every minute; plots what the services hold. SOAK_ARGS="--minutes 60 --seed 1"
	@target/release/penstock-bench --only soak $(SOAK_ARGS)

fuzz: ## looks for input that breaks the receiver; FUZZ_ARGS="--target schema|header|head|signature --seconds 60"
	cargo run --release --workspace --bin penstock-fuzz -- $(FUZZ_ARGS)

bench: build-bench ## throughput and cost, compared with floors of the same run; BENCH_ARGS="--only indexer --rounds 1", see docs/benchmarks.md
	@target/release/penstock-bench $(BENCH_ARGS)

build-bench:
	cargo build --release --workspace --bin penstock-bench --bin penstock-receiver --bin penstock-indexer

build: ## release binaries in target/release
	PENSTOCK_REVISION=$$(git rev-parse --short=12 HEAD || echo unknown) cargo build --release -p penstock-receiver -p penstock-indexer

package: ## Debian packages in target/debian, installed and tried in a fresh Debian 12; needs root. PACKAGE_ARGS="--bins FOLDER" takes binaries from there
	@deploy/debian/build $(PACKAGE_ARGS)
	@deploy/debian/verify

upgrade-test: ## checks that this version reads the data of the release FROM (a tag or commit), and the other way round
	@tests/scripts/upgrade $(FROM)

stack: ## starts the local stack and prints its addresses
	@deploy/local/stack up

stack-stop: ## stops the local stack
	@deploy/local/stack down

lint: ## every check that needs no stack: format, clippy, docs, layers, links, dependencies, spelling, alerts
	@tools/lint

lint-deploy: ## chart, units, workflows, Dockerfile, YAML and shell scripts; the tools are installed into ~/.cache/penstock-tools
	@deploy/lint/run $(LINT_ARGS)
