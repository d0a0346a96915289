# The contributor's menu: `make` alone lists it. Each target does one thing; scripts that need more than a few lines
# live in deploy/ and k6/, and run by hand as well.

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

# What the scripts below read; the rest (USERS, RAMP, ROUNDS, ...) reaches them from the command line as it is.
export SHARDS GATEWAYS PORT OPERATOR_PORT STATE SCENARIO SELF COMPARE USHER VENV

.PHONY: help setup build run-cluster k6 bench bench-journal bench-compaction bench-recovery bench-hot bench-million bench-core bench-scaling \
    bench-guard bench-costs bench-allocations bench-extras forge overload burst slow-clients test kills \
    restart-load simulate simulate-mutants fuzz http-compare smuggle contract front systemd lint format clean

help:  # This list
	@echo 'make TARGET [NAME=value ...]'; echo
	@sed -n 's/^\([a-z0-9-]*\):[^#]*# \(.*\)/  \1\t\2/p' Makefile | expand -t 16
	@echo; echo '  SHARDS=$(SHARDS) GATEWAYS=$(GATEWAYS) PORT=$(PORT) OPERATOR_PORT=$(OPERATOR_PORT) STATE=$(STATE)'

setup:  # Install what building needs (Debian packages; quick when they are there)
	@deploy/setup build

build: setup  # Build the release binary, .build/release/usher
	swift build -c release --product usher

# Exec, so that Ctrl-C and SIGTERM reach the supervisor itself. Many distributions start a shell with 1,024 file
# descriptors, and each connection takes one.
run-cluster: build  # Serve on PORT, in the foreground, until Ctrl-C
	@most=$$(ulimit -Hn); [[ $$most != unlimited && $$most -lt 65536 ]] || most=65536; ulimit -n "$$most" || true; \
	exec $(USHER) cluster --shards $(SHARDS) --gateways $(GATEWAYS) --port $(PORT) \
	    --operator-port $(OPERATOR_PORT) --state $(STATE)

k6: $(if $(SELF),build)  # Load: SCENARIO=seed|spike|arrival|soak SELF=1 COMPARE=nginx USERS=5000 RAMP=20s
	@deploy/setup k6 $(if $(COMPARE),bench)
	@k6/run

# As many processes as this machine has cores for beside the load: see PERFORMANCE.md, "More cores".
bench: SHARDS := $(if $(filter file,$(origin SHARDS)),1,$(SHARDS))
bench: build  # Usher beside its peers, one table and PERFORMANCE.md: CALLS=poll,join PEERS=usher,nginx ROUNDS=5 DISK=/var/tmp
	swift build -c release --product benchmarks
	@deploy/setup bench bench-journal
	@deploy/bench/table.py

bench-scaling: build  # CPU a request by number of gateways and shards, and a model for more cores: POINTS='1x1 1x4 2x2' ROUNDS=3 CORES='8 32'
	@deploy/setup bench
	@deploy/bench/scaling.py

bench-recovery: build  # A shard with a million people waiting, after kill -9: ROUNDS=3 DISK=/var/tmp
	swift build -c release --product benchmarks
	@deploy/bench/recovery.py

bench-hot: build  # One hot concert on one shard's core, asked as gateways ask: ROUNDS=3 PEOPLE=100000 BATCHES='16 64 256' DISK=/var/tmp
	swift build -c release --product benchmarks
	@deploy/bench/hot.py

bench-million: build  # A million in one line, who ask as Retry-After says, as a picture: PEOPLE=1000000 RATE=5000 DISK=/var/tmp
	swift build -c release --product benchmarks
	@deploy/bench/million.py

bench-core: setup  # Time, instructions and memory of each operation of the core, to 10 million waiting: ROUNDS=9 WAITING_MAX=
	swift build -c release --product benchmarks
	swift build -c release --product simulator
	@deploy/setup bench-core
	@deploy/bench/core.py

bench-guard: setup  # Fails if an operation of the core takes 5 % more instructions than deploy/bench/instructions.json says: UPDATE=1
	swift build -c release --product benchmarks
	@deploy/setup bench-core
	@deploy/bench/guard.py

bench-costs: setup  # Fails if an odd request takes more instructions than ten polls for each request that it is charged as
	swift build -c release --product benchmarks
	@deploy/setup bench-core
	@deploy/bench/costs.py

bench-allocations: build  # Allocations and system calls of each process per poll and join, counted: JOURNAL=sqlite STRACE=1
	@deploy/setup bench bench-allocations
	@deploy/bench/allocations.py

forge: build  # A million forged tokens to a gateway: none accepted, and what each costs: TOKENS=1000000
	swift build -c release --product benchmarks
	@deploy/bench/forge.py

bench-journal: build  # Durable joins by policy, beside nginx with Lua and Redis: ROUNDS=3 SECONDS_PER_ROUND=5 DISK=/var/tmp
	@deploy/setup bench bench-journal
	@deploy/bench/journal.py

bench-extras: build  # What an access log and logins add to the CPU of a poll: ROUNDS=3 SECONDS_PER_ROUND=5 DISK=/var/tmp
	@deploy/setup bench
	@deploy/bench/extras.py

bench-compaction: build  # p99 of joins and polls beside a compaction: ROUNDS=3 FILL_SECONDS=10 ARCHIVE=on DISK=/var/tmp
	@deploy/setup bench
	@deploy/bench/compaction.py

overload: build  # Completed and p99 at 0.25 to 3 times of what one core carries, as a picture: SHARDS=4 MIX=join=6,poll=3,reserve=1
	swift build -c release --product benchmarks
	@deploy/bench/overload.py

slow-clients: build  # 10,000 slow connections beside the seed's scenario, and without: ROUNDS=1 COUNT=10000 USERS=300
	@deploy/setup k6
	@deploy/bench/slow.py

burst: build  # 50,000 joins at once to one concert: places and admissions checked
	@deploy/bench/burst.py

restart-load: build  # Rolling restarts every few seconds under wrk and k6, failed requests counted: SECONDS=30 EVERY=5 USERS=300
	@deploy/setup bench k6
	@deploy/bench/restart.py

test: setup  # Build everything and run every test, one at a time
	@Tests/run

kills: build  # A minute of load with a kill -9 every 2 s, then the books: KILLS_SECONDS=60 KILLS_FACTS=100000 KILLS_SEED=
	swift build --build-tests
	@TESTED_EXECUTABLE=$(abspath $(USHER)) KILLS_SECONDS=$(or $(KILLS_SECONDS),60) KILLS_FACTS=$(or $(KILLS_FACTS),100000) \
	    swift test --disable-xctest --skip-build --filter KillsTests

simulate: setup  # Whole clusters in one process, everything going wrong: SEED=1 SEEDS=1000 STEPS=10000
	USHER_EXCLUSIVITY=checked swift build -c release --scratch-path .build-checked --product simulator
	@.build-checked/release/simulator --seed $(SEED) --seeds $(SEEDS) --steps $(STEPS)

simulate-mutants: setup  # Bugs put in on purpose, each to be found by the simulator
	@Tests/Mutants/run

fuzz: setup  # libFuzzer over what reads bytes from outside: TARGET=http MINUTES=1 or RUNS=10000000 (each)
	@Tests/Fuzzing/run

http-compare: setup  # The gateway's HTTP parser beside h11, the same requests to both: SEED=1 REQUESTS=100000
	swift build --product framing
	@deploy/setup http-compare
	@$(VENV)/bin/python3 Tests/SecondOpinion/http-compare

smuggle: build  # Request smuggling through nginx and through HAProxy to a gateway: FRONTS=nginx,haproxy VERBOSE=1
	swift build --product framing
	@deploy/setup fronts
	@Tests/SecondOpinion/smuggle

contract: build  # The HTTP contract against a cluster, by schemathesis: SEED=1 EXAMPLES=100
	@deploy/setup contract
	@SEED=$(SEED) $(VENV)/bin/python3 Tests/Contract/run

front: build  # A TLS front before a cluster, tried: FRONT=nginx|haproxy, both without
	@deploy/setup fronts
	@for front in $(or $(FRONT),nginx haproxy); do deploy/front/try "$$front"; done

systemd: build  # The systemd unit: verified, and a cluster under its system call filter
	@deploy/setup systemd
	@deploy/systemd/try

lint:  # Style of Swift, shell, Python and k6 files, without changing any
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

clean:  # Remove what was built, measured and installed here; not the state in STATE
	rm -rf .build .build-checked .build-fuzz $(VENV) k6/results bench
	find k6 deploy Tests -name __pycache__ -type d -prune -exec rm -rf {} +
