# Each target does its own set-up. Needed beforehand: a Rust toolchain, a C compiler, make and Python 3.9 or later.
.PHONY: help demo test conformance check bench wheel header clean

help: ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/\1\t\2/p' Makefile | expand -t 13

demo: ## the main job on a live service, on CPython and on PyPy
	@python3 scripts/demo

test: ## what every commit must pass, on every interpreter found
	@python3 scripts/test

conformance: ## every scenario on every interpreter and backend; what differs
	@python3 scripts/conformance

check: ## the long parts: suites of other projects, sanitizers, a soak, random programs, deliberate faults
	@python3 scripts/check

bench: ## the figures: the engine's tables, and the benchmark of the talk on every interpreter found
	@python3 scripts/bench

wheel: ## build the wheel into dist/
	@cd scripts && python3 -c 'import environments; print(environments.wheel())'

header: ## make include/nonstop.h again from the sources
	NONSTOP_UPDATE_HEADER=1 cargo test --locked --quiet --test header

clean: ## remove what was built
	rm -rf target dist .venvs
