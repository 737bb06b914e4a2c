# Every target is one script in ci/, which can be run by hand as well.

.DEFAULT_GOAL := help
.PHONY: help demo test verify fix bench bench-languages bench-scale crash mutants guard guard-update \
	install uninstall package abi abi-update

PREFIX ?= /usr/local
DESTDIR ?=
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
PLACES = PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' \
	MANDIR='$(MANDIR)'

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

bench-languages: ## measure the packages for all languages, and what else their users could take
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

abi: ## compare the C ABI with the committed one, and have Doxygen read the header
	@ci/abi.sh

abi-update: ## make the C ABI there is the committed one
	@ci/abi.sh update

install: ## install library, headers, command, manuals; PREFIX= DESTDIR= LIBDIR= INCLUDEDIR= MANDIR=
	@$(PLACES) ci/install.sh

uninstall: ## remove what install has put there; the same variables
	@$(PLACES) ci/install.sh uninstall

package: ## build the Debian packages and an archive in target/package
	@ci/package.sh
