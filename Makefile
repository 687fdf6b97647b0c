# `make check` is what CI runs; `make test` is the README's second command.

TOOL = go tool -modfile=.ci/tools/go.mod

.PHONY: check fix test clients peers race vet format lint build bench fuzz prove generate

check: format vet lint build race test

# Formats every Go file.
fix:
	$(TOOL) gofumpt -w .

test:
	go test ./...

# Clients that other people wrote, against the simulator; a module of its own.
clients:
	cd builtins/pagerduty/simulator/clients && go vet ./... && go test ./...

# The same work as whole processes beside other tools, as one table.
peers:
	cd .ci/peers && go run .

race:
	go test -race -short ./...

vet:
	go vet ./...

format:
	@unformatted=$$($(TOOL) gofumpt -l .); if [ -n "$$unformatted" ]; then echo "not formatted; run make fix:"; echo "$$unformatted"; exit 1; fi

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
FUZZ = go test -run '^$$' -fuzztime 1m -fuzz
fuzz:
	$(FUZZ) '^FuzzParse$$' ./engine/workflow
	$(FUZZ) '^FuzzParseConfiguration$$' ./cmd/pdflow/internal/setup
	$(FUZZ) '^FuzzControlGroups$$' ./cmd/pdflow/internal/setup
	$(FUZZ) '^FuzzScript$$' ./cmd/pdflow/internal/runbooktest
	$(FUZZ) '^FuzzCheck$$' ./engine/lua/syntax
	$(FUZZ) '^FuzzPath$$' ./engine/lua/syntax
	$(FUZZ) '^FuzzValues$$' ./engine/lua
	$(FUZZ) '^FuzzPattern$$' ./engine/lua
	$(FUZZ) '^FuzzApply$$' ./engine/run
	$(FUZZ) '^FuzzEventCodec$$' ./engine/journal
	$(FUZZ) '^FuzzValueCodec$$' ./engine/journal
	$(FUZZ) '^FuzzNormalize$$' ./engine/action
	$(FUZZ) '^FuzzDuration$$' ./engine/action
	$(FUZZ) '^FuzzRedact$$' ./engine/redact
	$(FUZZ) '^FuzzParse$$' ./engine/schedule
	$(FUZZ) '^FuzzJSONDecode$$' ./builtins/jsonvalue
	$(FUZZ) '^FuzzCountJSON$$' ./builtins/jsonvalue
	$(FUZZ) '^FuzzSearch$$' ./builtins/text
	$(FUZZ) '^FuzzTimeLayout$$' ./builtins/times
	$(FUZZ) '^FuzzDecodeError$$' ./builtins/pagerduty/client
	$(FUZZ) '^FuzzValidate$$' ./builtins/pagerduty/client
	$(FUZZ) '^FuzzServeHTTP$$' ./builtins/pagerduty/simulator
	$(FUZZ) '^FuzzParseState$$' ./builtins/pagerduty/simulator
	$(FUZZ) '^FuzzParseFaults$$' ./builtins/pagerduty/simulator

# The long forms of some proofs, of minutes each: that nothing happens twice, whenever
# the process or the daemon is killed, that many runs leave nothing behind, and that a
# month of health checks pages once for each outage; and that hostile workflows keep a
# daemon neither from its memory nor from its work.
prove:
	PDFLOW_KILL_POINTS=1000 go test ./cmd/pdflow/internal/killtest -run '^TestKill$$' -v -timeout 30m
	PDFLOW_SOAK=100000 go test ./engine/journal/sqlite -run '^TestSoak$$' -v -timeout 30m
	PDFLOW_SERVE_DAYS=30 go test ./cmd/pdflow/internal/daemon -run '^TestServeDays$$' -v -timeout 30m
	PDFLOW_SERVE_MEMORY=40 go test ./cmd/pdflow/internal/daemon -run '^TestServeMemory$$' -v -timeout 30m
	PDFLOW_SERVE_KILLS=200 go test ./cmd/pdflow/internal/killtest -run '^TestServeKills$$' -v -timeout 30m
	PDFLOW_SERVE_KILLS=200 PDFLOW_SERVE_WORKFLOWS=1000 go test ./cmd/pdflow/internal/killtest -run '^TestServeKills$$' -v -timeout 30m

# Files that are made from the code; CI fails when they are stale.
generate:
	go test ./cmd/pdflow -run TestReference -update
