# `make check` is what CI runs; `make test` is the README's second command.

TOOL = go tool -modfile=.ci/tools/go.mod

.PHONY: check test race vet format lint build bench fuzz generate

check: format vet lint build race test

test:
	go test ./...

race:
	go test -race -short ./...

vet:
	go vet ./...

format:
	@unformatted=$$($(TOOL) gofumpt -l .); if [ -n "$$unformatted" ]; then echo "run gofumpt on:"; echo "$$unformatted"; exit 1; fi

lint:
	$(TOOL) staticcheck ./...

# The product builds for every system that it supports.
build:
	GOOS=linux go build -o /dev/null ./cmd/pdflow
	GOOS=darwin go build -o /dev/null ./cmd/pdflow
	GOOS=windows go build -o /dev/null ./cmd/pdflow

bench:
	go test -run '^$$' -bench . -benchmem ./...

# Each fuzz target for a while; seeds that were found live in testdata/fuzz.
fuzz:
	go test -run '^$$' -fuzz FuzzParse -fuzztime 1m ./engine/workflow
	go test -run '^$$' -fuzz FuzzCheck -fuzztime 1m ./engine/lua
	go test -run '^$$' -fuzz FuzzValues -fuzztime 1m ./engine/lua
	go test -run '^$$' -fuzz FuzzApply -fuzztime 1m ./engine

# Files that are made from the code; CI fails when they are stale.
generate:
	go test ./cmd/pdflow -run TestReference -update
