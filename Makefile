# What CI runs is `make check`; `make demo` is the tool doing its job in a pretend account.
SHELL := bash
GOLANGCI := v2.15.0
VERSION ?= 0.1.0-dev
# How often each benchmark runs.
COUNT ?= 3
# The matrices live thousands of lives in memory; collecting their garbage less often saves a third of the time.
TEST_ENV := GOGC=400
# The detector sleeps for a second at the end of every process; the scripts start hundreds.
RACE_ENV := $(TEST_ENV) GORACE=atexit_sleep_ms=10

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.PHONY: build
build: ## build bin/geusemaker
	go build -trimpath -ldflags '-s -w -X geusemaker/internal/cli.version=$(VERSION)' -o bin/geusemaker ./cmd/geusemaker

.PHONY: demo
demo: build ## deploy into the pretend account, list, inspect and destroy
	@bash demo.sh

.PHONY: pictures
pictures: build ## record the README's terminal pictures anew from real runs (needs tmux)
	bash pictures/record.sh

.PHONY: test
test: ## all tests of the Go code
	$(TEST_ENV) go test -timeout 30m ./...

.PHONY: race
race: ## the same under the race detector, with a sample of the long matrices
	$(RACE_ENV) go test -race -short -timeout 30m ./...

.PHONY: cover
cover: ## statement coverage, all rooms seen by all tests
	go test -coverpkg=./internal/... -coverprofile=cover.out ./... >/dev/null
	@go tool cover -func=cover.out | tail -n 1

.PHONY: lint
lint: bin/golangci-lint-$(GOLANGCI) ## the floor plan and the style; the machine's scripts; the judges' Python
	bin/golangci-lint-$(GOLANGCI) run ./...
	bash internal/host/lint.sh
	shellcheck .ci/run demo.sh fuzz.sh pictures/*.sh conformance/*.sh conformance/machine/*.sh conformance/machine/edge/*
	bash conformance/setup.sh
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	cd conformance/machine && $(CURDIR)/bin/golangci-lint-$(GOLANGCI) run ./...
	go mod tidy -diff

bin/golangci-lint-$(GOLANGCI):
	GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	mv bin/golangci-lint $@

.PHONY: conformance
conformance: build ## the built binary against moto, an AWS mock that others wrote
	bash conformance/setup.sh
	cd conformance && GEUSEMAKER_BIN=$(CURDIR)/bin/geusemaker ../.venv/bin/python -W error::ResourceWarning -m unittest -v

.PHONY: conformance-full
conformance-full: build ## the same, killed at every call, in every kind of bad network, and with every variant of a configuration
	bash conformance/setup.sh
	cd conformance && KILL_MATRIX=full VARIANTS=full GEUSEMAKER_BIN=$(CURDIR)/bin/geusemaker ../.venv/bin/python -W error::ResourceWarning -m unittest -v test_kill test_variants

.PHONY: machine
machine: build ## the machine for real: booted, rebooted, backed up, interrupted and restored; needs root
	bash conformance/machine/setup.sh
	cd conformance/machine && CGO_ENABLED=0 go build -trimpath -o $(CURDIR)/.machine/bin/stub ./stub
	cd conformance/machine && GEUSEMAKER_BIN=$(CURDIR)/bin/geusemaker go test -count=1 -v -timeout 40m -run '$(or $(MACHINE_TESTS),CloudInit|Programs|Machine)' .

.PHONY: machine-full
machine-full: ## the same for every operating system, and n8n itself on PostgreSQL
	bash conformance/machine/setup.sh n8n
	MACHINES=all $(MAKE) machine MACHINE_TESTS=.

.PHONY: bench
bench: build ## start-up, lists, deploys, each beside what else could be run; bin/bench.txt is for benchstat
	bash conformance/setup.sh
	set -o pipefail; BENCH_PYTHON=$(CURDIR)/.venv/bin/python go test -run '^$$' -bench . -benchmem -count $(COUNT) ./... | tee bin/bench.txt
	cd conformance && GEUSEMAKER_BIN=$(CURDIR)/bin/geusemaker ../.venv/bin/python bench.py ../bin/bench.txt

.PHONY: fuzz
fuzz: ## every fuzz test in turn, ten minutes in all (FUZZ_SECONDS)
	bash fuzz.sh

.PHONY: check
check: test race lint conformance machine demo ## what CI runs

.PHONY: clean
clean: ## remove what was built
	rm -rf bin .venv .machine cover.out
