# Targets work on every Go module of the tree but tools/. Continuous integration
# (.ci/run) calls these targets and nothing else.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

GO ?= go
FUZZTIME ?= 20s
TIMEOUT ?= 10m

MODULES := $(shell find . \( -name '.?*' -o -name testdata -o -path ./bin -o -path ./tools \) -prune \
	-o -name go.mod -print | sort | xargs -r -n 1 dirname)

# Tools are built once for each set of versions, the compiler's included.
TOOLS := bin/.tools-$(shell { cat tools/go.mod tools/go.sum; $(GO) env GOVERSION; } | cksum | cut -d ' ' -f 1)
GOLANGCI := $(CURDIR)/bin/golangci-lint

# $(call each,command) runs the command in all modules, and then fails if it failed
# in one.
define each
@failed=; \
for module in $(MODULES); do \
	if [ "$(words $(MODULES))" != 1 ]; then echo "# $$module"; fi; \
	(cd "$$module" && $(1)) || failed="$$failed $$module"; \
done; \
if [ -n "$$failed" ]; then echo "$@ failed in:$$failed" >&2; exit 1; fi
endef

.PHONY: help
help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r target text; do \
		printf '%-10s %s\n' "$$target" "$$text"; done

.PHONY: test
test: databases ## run all tests, after installing database servers where that can be done
	$(call each,$(GO) test -timeout $(TIMEOUT) ./...)

.PHONY: databases
databases: ## install the database servers that tests start (Debian, Ubuntu)
	@scripts/install-databases.sh

.PHONY: race
race: ## run all tests with the race detector
	$(call each,$(GO) test -race -timeout $(TIMEOUT) ./...)

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (20s)
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

.PHONY: bench
bench: ## run every benchmark once
	$(call each,$(GO) test -run '^$$' -bench . -benchtime 1x -timeout $(TIMEOUT) ./...)

.PHONY: vet
vet: ## run go vet
	$(call each,$(GO) vet ./...)

.PHONY: lint
lint: $(TOOLS) ## check formatting (gofumpt, gci) and run the linters
	@$(GOLANGCI) config verify
	$(call each,status=0; $(GOLANGCI) fmt --config $(CURDIR)/.golangci.yml --diff || status=1; \
		$(GOLANGCI) run --config $(CURDIR)/.golangci.yml ./... || status=1; exit $$status)

.PHONY: format
format: $(TOOLS) ## format all code
	$(call each,$(GOLANGCI) fmt --config $(CURDIR)/.golangci.yml)

.PHONY: tidy
tidy: ## check that go.mod files are tidy
	$(call each,$(GO) mod tidy -diff)

.PHONY: tools
tools: $(TOOLS) ## build the linters into ./bin

$(TOOLS): tools/go.mod tools/go.sum
	@rm -f bin/.tools-*
	GOWORK=off GOBIN=$(CURDIR)/bin $(GO) -C tools install tool
	@touch $@

.PHONY: check
check: lint vet tidy test ## what a change must pass: lint, vet, tidy, test

.PHONY: ci
ci: ## everything, as continuous integration does it
	@.ci/run

.PHONY: clean
clean: ## remove what make has built
	rm -rf bin
