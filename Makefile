# Every target is one script in ci/, which can be run by hand as well.

.DEFAULT_GOAL := help
.PHONY: help demo test verify fix bench bench-languages bench-scale crash mutants guard guard-update install

PREFIX ?= /usr/local
DESTDIR ?=

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do \
		printf '  make %-15s %s\n' "$$name" "$$text"; done

demo: ## build the command, kill a writer, and count what it was promised
	@ci/demo.sh

test: ## set the machine up and run every check and test
	@ci/test.sh

verify: ## the checks that only read: format, lints, layers, links, codes, licences
	@ci/verify.sh

fix: ## mend what a program can mend: format, lints, generated files
	@ci/fix.sh

bench: ## measure against the bare device and other logs, 15 minutes; QUICK=1, BENCH_DIR=
	@ci/bench.sh run

bench-languages: ## measure the packages for Python, Java and Node beside what else there is
	@ci/bindings/bench.sh

bench-scale: ## measure how cost grows, and logs of 10 GB, 15 minutes; QUICK=1, BENCH_DIR=
	@ci/bench.sh scale

crash: ## the crash campaign, an hour at most; SOAK=1 goes on until stopped, RUNGS="kills disks"
	@ci/crash.sh

mutants: ## change recovery and format a little, and see that a test notices; hours; FILES= SHARD=
	@ci/mutants.sh

guard: ## count instructions, syncs and journal commits, and compare with ci/guard.toml
	@ci/guard.sh

guard-update: ## count them and make them the baseline
	@ci/guard.sh update

install: ## install library, header and command; PREFIX=/usr/local DESTDIR=
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' ci/install.sh
