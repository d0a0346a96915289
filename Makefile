# The contributor's menu: `make` alone lists it. Each target does one thing; longer scripts are in deploy/, k6/ and Tests/, and
# run by hand as well.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.SUFFIXES:

SHARDS ?= 4
GATEWAYS ?= 1
PORT ?= 8080
OPERATOR_PORT ?= 8081
STATE ?= .usher
SCENARIO ?= seed
SELF ?=
COMPARE ?=
FRONT ?=
SEED ?= 1
SEEDS ?= 1
STEPS ?= 10000

USHER := .build/release/usher
VENV := .venv
SCRIPTS := deploy/setup deploy/front/certificates .ci/run Tests/run Tests/Mutants/run Tests/Fuzzing/run
PYTHON := k6/run deploy/bench/*.py deploy/front/try deploy/systemd/try Tests/Contract/run \
    Tests/SecondOpinion/http-compare Tests/SecondOpinion/smuggle Tests/SecondOpinion/*.py

# Defaults of the scripts below; other settings (USERS, RAMP, ROUNDS, ...) reach them from the command line as they are.
export SHARDS GATEWAYS PORT OPERATOR_PORT STATE SCENARIO SELF COMPARE USHER VENV

.PHONY: help setup build build-benchmarks run-cluster k6 bench bench-scaling bench-recovery bench-hot bench-million bench-core bench-guard bench-costs \
    bench-variants bench-compaction overload slow-clients test kills restart-load simulate simulate-mutants fuzz http-compare smuggle \
    contract front systemd lint format clean

help:  # This list
	@echo 'make TARGET [NAME=value ...]'; echo
	@sed -n 's/^\([a-z0-9-]*\):[^#]*# \(.*\)/  \1\t\2/p' Makefile | expand -t 20
	@echo; echo '  SHARDS=$(SHARDS) GATEWAYS=$(GATEWAYS) PORT=$(PORT) OPERATOR_PORT=$(OPERATOR_PORT) STATE=$(STATE)'

setup:  # Install the Debian packages for building; quick when they are there
	@deploy/setup build

build: setup  # Build the release binary, .build/release/usher
	swift build -c release --product usher

build-benchmarks: build
	swift build -c release --product benchmarks

# Exec, so that Ctrl-C and SIGTERM reach the supervisor itself. Each connection takes a file descriptor, and many shells allow 1,024.
run-cluster: build  # Serve on PORT in the foreground, until Ctrl-C
	@most=$$(ulimit -Hn); [[ $$most != unlimited && $$most -lt 65536 ]] || most=65536; ulimit -n "$$most" || true; \
	exec $(USHER) cluster --shards $(SHARDS) --gateways $(GATEWAYS) --port $(PORT) \
	    --operator-port $(OPERATOR_PORT) --state $(STATE)

k6: $(if $(SELF),build)  # k6 load: SCENARIO=seed|spike|arrival|soak SELF=1 COMPARE=nginx USERS=5000 RAMP=20s
	@deploy/setup k6 $(if $(COMPARE),bench)
	@k6/run

# As many processes as this machine has cores for beside the load: see docs/benchmarks.md, "More cores".
bench: SHARDS := $(if $(filter file,$(origin SHARDS)),1,$(SHARDS))
bench: build-benchmarks  # Usher beside its peers, into docs/benchmarks.md: CALLS=poll,join PEERS=usher,nginx ROUNDS=5 DISK=/var/tmp
	@deploy/setup bench bench-redis
	@deploy/bench/table.py

bench-scaling: build  # CPU by number of gateways and shards, and a model for more cores: POINTS='1x1 1x4 2x2' ROUNDS=3 CORES='8 32'
	@deploy/setup bench
	@deploy/bench/scaling.py

bench-recovery: build-benchmarks  # A shard with a million people waiting, after kill -9: ROUNDS=3 DISK=/var/tmp
	@deploy/bench/recovery.py

bench-hot: build-benchmarks  # One hot concert on one shard's core, asked as gateways ask: ROUNDS=3 PEOPLE=100000 BATCHES='16 64 256'
	@deploy/bench/hot.py

bench-million: build-benchmarks  # A million in one line, polling as Retry-After says: PEOPLE=1000000 RATE=5000 DISK=/var/tmp
	@deploy/bench/million.py

bench-core: build-benchmarks  # Time, instructions and memory of each operation of the core: ROUNDS=9 WAITING_MAX=
	swift build -c release --product simulator
	@deploy/setup bench-core
	@deploy/bench/core.py

bench-guard: setup  # Fails if an operation of the core takes 5 % more instructions than deploy/bench/instructions.json: UPDATE=1
	swift build -c release --product benchmarks
	@deploy/setup bench-core
	@deploy/bench/guard.py

bench-costs: setup  # Fails if an odd request takes more instructions than ten polls for each request that it is charged as
	swift build -c release --product benchmarks
	@deploy/setup bench-core
	@deploy/bench/costs.py

bench-variants: build  # CPU with an access log, logins, each journal.policy, four shards: CALLS=poll,join ROUNDS=3 DISK=/var/tmp
	@deploy/setup bench
	@deploy/bench/variants.py

bench-compaction: build  # p99 of joins and polls during a compaction: ROUNDS=3 FILL_SECONDS=10 ARCHIVE=on DISK=/var/tmp
	@deploy/setup bench
	@deploy/bench/compaction.py

overload: build-benchmarks  # Completed requests and p99 at 0.25 to 3 times of one core's capacity: SHARDS=4 MIX=join=6,poll=3,reserve=1
	@deploy/bench/overload.py

slow-clients: build  # 10,000 slow connections beside k6's seed scenario: ROUNDS=1 COUNT=10000 USERS=300
	@deploy/setup k6
	@deploy/bench/slow.py

restart-load: build  # Rolling restarts under wrk and k6, failed requests counted: SECONDS=30 EVERY=5 USERS=300
	@deploy/setup bench k6
	@deploy/bench/restart.py

test: setup  # Build everything and run every test
	@Tests/run

kills: build  # A minute of load with a kill -9 every 2 s, then the books: KILLS_SECONDS=60 KILLS_FACTS=100000 KILLS_SEED=
	swift build --build-tests
	@TESTED_EXECUTABLE=$(abspath $(USHER)) KILLS_SECONDS=$(or $(KILLS_SECONDS),60) KILLS_FACTS=$(or $(KILLS_FACTS),100000) \
	    swift test --disable-xctest --skip-build --filter KillsTests

simulate: setup  # Whole clusters in one process with every kind of fault: SEED=1 SEEDS=1000 STEPS=10000
	USHER_EXCLUSIVITY=checked swift build -c release --scratch-path .build-checked --product simulator
	@.build-checked/release/simulator --seed $(SEED) --seeds $(SEEDS) --steps $(STEPS)

simulate-mutants: setup  # Planted bugs, each to be found by the simulator
	@Tests/Mutants/run

fuzz: setup  # libFuzzer on all code that reads bytes from outside: TARGET=http MINUTES=1 or RUNS=10000000 (each)
	@Tests/Fuzzing/run

http-compare: setup  # The gateway's HTTP parser and h11, the same requests to both: SEED=1 REQUESTS=100000
	swift build --product framing
	@deploy/setup http-compare
	@$(VENV)/bin/python3 Tests/SecondOpinion/http-compare

smuggle: build  # Request smuggling through nginx and through HAProxy to a gateway: FRONTS=nginx,haproxy VERBOSE=1
	swift build --product framing
	@deploy/setup fronts
	@Tests/SecondOpinion/smuggle

contract: build  # A cluster held against the HTTP contract by schemathesis: SEED=1 EXAMPLES=100
	@deploy/setup contract
	@SEED=$(SEED) $(VENV)/bin/python3 Tests/Contract/run

front: build  # A booking through a TLS front: FRONT=nginx|haproxy, or both
	@deploy/setup fronts
	@for front in $(or $(FRONT),nginx haproxy); do deploy/front/try "$$front"; done

systemd: build  # The systemd unit verified, and a cluster run under its system call filter
	@deploy/setup systemd
	@deploy/systemd/try

lint:  # Check the style of Swift, shell, Python and k6 files
	swift format lint --strict --configuration .swift-format --recursive Sources Tests Package.swift
	@for file in $(SCRIPTS); do bash -n "$$file"; done
	@if command -v shellcheck > /dev/null; then shellcheck $(SCRIPTS); else echo 'lint: no shellcheck here, skipped'; fi
	@python3 -c 'import ast, sys; [ast.parse(open(name).read(), name) for name in sys.argv[1:]]' $(PYTHON)
	@if [[ -x $(VENV)/bin/k6 ]]; then \
	    for file in k6/*.js; do $(VENV)/bin/k6 inspect "$$file" > /dev/null; done; \
	else echo 'lint: no k6 here (make k6 installs it), skipped'; fi
	@for file in Tests/Mutants/*.patch; do \
	    git apply --check "$$file" || { echo "lint: $$file does not fit the sources any more"; exit 1; }; \
	done
	@echo 'lint: clean'

format:  # Bring Swift files into the house style
	swift format --in-place --configuration .swift-format --recursive Sources Tests Package.swift

clean:  # Remove build products, measurements and .venv; not the state in STATE
	rm -rf .build .build-checked .build-fuzz $(VENV) k6/results bench
	find k6 deploy Tests -name __pycache__ -type d -prune -exec rm -rf {} +
