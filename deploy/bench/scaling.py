#!/usr/bin/env python3
"""How Usher's speed goes with the number of its gateways and shards, here, and by a model on machines with more cores.

For each of POINTS (gateways x shards) a cluster is started; wrk polls and joins over CONNECTIONS kept alive, for
SECONDS_PER_ROUND in each of ROUNDS. Counted are the CPU of gateways and of shards a request, and their system calls to read and
write (/proc/PID/io): what a gateway has for one shard at the end of a turn leaves in one call, so those calls say how many
requests shared one.

**The model** is two lines for each call, fitted to all points: a process takes so much for a request, and so much for each
system call beyond the two that every HTTP request takes. Then, on one core for all processes (taskset), it has to foretell how
much is completed, from the calls that were counted there. For larger machines it takes the turn of a busy gateway as it was
here, spreads its polls over the shards, and looks for the split of the cores that carries most; a network of NETWORK_GBITS is a
limit of its own. Joins are not foretold there: the busier a shard is, the more of them share a commit, and two cores do not show
how many.

From the environment: POINTS ("1x1 1x2 1x4 2x1 2x2 2x4"), ROUNDS (3), SECONDS_PER_ROUND (3), CONNECTIONS (64), NETWORK_GBITS
(25), CORES ("8 32 128"), DISK (/var/tmp). Leaves bench/scaling.json and bench/scaling.svg.
"""

import contextlib
import json
import os
import pathlib
import statistics

import bench
import latency
import servers
import svg
import workload

POINTS = [tuple(map(int, word.split("x"))) for word in (os.environ.get("POINTS") or "1x1 1x2 1x4 2x1 2x2 2x4").split()]
ROUNDS = int(os.environ.get("ROUNDS") or 3)
SECONDS_PER_ROUND = int(os.environ.get("SECONDS_PER_ROUND") or 3)
NETWORK_GBITS = float(os.environ.get("NETWORK_GBITS") or 25)
CORES = [int(word) for word in (os.environ.get("CORES") or "8 32 128").split()]
CALLS = ("poll", "join")
WAITING_SECONDS_MAX = 40 + ROUNDS * (SECONDS_PER_ROUND + 2) * 2 * len(CALLS)

# What a request and its answer take on a wire beside their own bytes: a segment each way and an ACK, with Ethernet's frame and gap.
SEGMENT_BYTES, SEGMENTS = 90, 3
REQUEST_BYTES = 180  # of a poll


def main():
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    servers.program("wrk", "bench")
    points = [measure(gateways, shards) for gateways, shards in POINTS]
    problems = [problem for point in points for problem in point.pop("problems")]
    models = {call: fit(call, points) for call in CALLS}
    for point in points:
        for call in CALLS:
            foretell(models[call], point["calls"][call])
    record = {
        "settings": {"rounds": ROUNDS, "secondsPerRound": SECONDS_PER_ROUND, "connections": bench.CONNECTIONS,
                     "networkGbits": NETWORK_GBITS},
        "valid": not problems,
        "problems": problems,
        "points": points,
        "models": models,
        "machines": [machine(cores, models["poll"], points) for cores in CORES],
    }
    print(table(record))
    path = bench.write_record("scaling.json", record)
    picture(record).write(path.parent / "scaling.svg")
    for problem in problems:
        print(f"bench: INVALID: {problem}")
    return 1 if problems else 0


# Measuring

def measure(gateways, shards):
    """All runs of one cluster."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(servers.scratch_folder("scaling"))
        cluster = stack.enter_context(workload.cluster(shards, gateways, folder))
        people = workload.Workload(folder, {"usher": cluster})
        people.prepare(WAITING_SECONDS_MAX)
        calls, runs = {}, []
        for call in CALLS:
            bench.measure(cluster, people.words(call, "usher"), 1)
            free = [counted(cluster, people.words(call, "usher")) for _ in range(ROUNDS)]
            with latency.pinned(cluster.pids(), latency.SERVER_CORE), latency.pinned([os.getpid()], latency.LOAD_CORE):
                one = [counted(cluster, people.words(call, "usher")) for _ in range(ROUNDS)]
            runs += [{"round": number, "server": f"{gateways}x{shards}", "call": call, **run} for number, run in enumerate(free + one)]
            calls[call] = {"free": medians(free), "oneCore": medians(one)}
            each = calls[call]["free"]
            print(f"bench: {bench.processes(gateways, shards)}: {call} {each['gatewayMicroseconds']:.1f} + "
                  f"{each['shardMicroseconds']:.1f} us", flush=True)
        return {"gateways": gateways, "shards": shards, "calls": calls,
                "problems": bench.problems_of(runs) + people.problems()}


def counted(cluster, words):
    """One run of wrk, with the CPU and the system calls of gateways and shards a request."""
    record = json.loads((cluster.state / "cluster.json").read_text())
    groups = {"gateway": record["gateways"], "shard": record["shards"]}
    before = {name: (servers.cpu_seconds(pids), system_calls(pids)) for name, pids in groups.items()}
    run = bench.measure(cluster, words, SECONDS_PER_ROUND)
    for name, pids in groups.items():
        cpu, calls = before[name]
        run[f"{name}Microseconds"] = (servers.cpu_seconds(pids) - cpu) * 1e6 / run["requests"]
        run[f"{name}Calls"] = (system_calls(pids) - calls) / run["requests"]
    return run


def system_calls(pids):
    """Reads and writes so far, of all threads."""
    found = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines():
            name, _, number = line.partition(": ")
            found += int(number) if name in ("syscr", "syscw") else 0
    return found


def medians(runs):
    keys = ("gatewayMicroseconds", "gatewayCalls", "shardMicroseconds", "shardCalls", "perSecond")
    found = {key: statistics.median(run[key] for run in runs) for key in keys}
    found["bytesPerAnswer"] = statistics.median(run["bytes"] / run["requests"] for run in runs)
    return found


# The model

def fit(call, points):
    """For gateways and shards: microseconds a request, and for each system call more than a request's own."""
    lines = {}
    for name, own in (("gateway", 2), ("shard", 0)):
        seen = [point["calls"][call]["free"] for point in points]
        lines[name] = line([(each[f"{name}Calls"] - own, each[f"{name}Microseconds"]) for each in seen])
    return lines


def line(pairs):
    """Least squares of y = request + perCall * x, neither below 0."""
    mean_x, mean_y = (statistics.fmean(values) for values in zip(*pairs))
    spread = sum((x - mean_x) ** 2 for x, _ in pairs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread if spread else 0.0
    slope = min(max(slope, 0.0), mean_y / mean_x if mean_x > 0 else 0.0)
    return {"request": mean_y - slope * mean_x, "perCall": slope}


def cost(model, gateway_calls, shard_calls):
    """Microseconds of a gateway and of a shard a request."""
    return (model["gateway"]["request"] + model["gateway"]["perCall"] * gateway_calls,
            model["shard"]["request"] + model["shard"]["perCall"] * shard_calls)


def foretell(model, each):
    """What one core should complete, beside what it did."""
    one = each["oneCore"]
    gateway, shard = cost(model, one["gatewayCalls"] - 2, one["shardCalls"])
    one["foretoldPerSecond"] = 1e6 / (gateway + shard)


def machine(cores, model, points):
    """The best split of so many cores for polls, and what limits it first."""
    base = min(points, key=lambda point: (point["gateways"], point["shards"]))["calls"]["poll"]["free"]
    turn = 2 / max(base["gatewayCalls"] - 2, 0.01)  # requests that a gateway hands to its only shard at once
    best = None
    for shards in range(1, cores):
        gateways = cores - shards
        batch = max(turn / shards, 1.0)  # of one gateway for one shard: a write and a read each, on either side
        gateway, shard = cost(model, 2 / batch, base["shardCalls"] * turn / batch)
        carried = min(gateways / gateway, shards / shard) * 1e6
        if best is None or carried > best["perSecond"]:
            limit = "gateways" if gateways / gateway <= shards / shard else "shards"
            best = {"gateways": gateways, "shards": shards, "perSecond": carried, "limit": limit,
                    "requestsPerBatch": batch, "gatewayMicroseconds": gateway, "shardMicroseconds": shard}
    wire = 8 * (base["bytesPerAnswer"] + REQUEST_BYTES + SEGMENTS * SEGMENT_BYTES)
    best["gbits"] = best["perSecond"] * wire / 1e9
    best["networkPerSecond"] = NETWORK_GBITS * 1e9 / wire
    if best["networkPerSecond"] < best["perSecond"]:
        best["limit"] = "network"
    return {"cores": cores, **best}


# Telling

def table(record):
    lines = ["", "CPU a request, and what one core for all processes carries", "",
             f"  {'gateways':>8}{'shards':>8}  {'call':<6}{'gateway us':>11}{'calls':>7}{'shards us':>11}{'calls':>7}"
             f"{'us':>8}{'a second':>10}{'one core':>10}{'foretold':>10}"]
    for point in record["points"]:
        for call, each in point["calls"].items():
            free, one = each["free"], each["oneCore"]
            whole = free["gatewayMicroseconds"] + free["shardMicroseconds"]
            lines.append(f"  {point['gateways']:>8}{point['shards']:>8}  {call:<6}{free['gatewayMicroseconds']:>11.2f}"
                         f"{free['gatewayCalls']:>7.2f}{free['shardMicroseconds']:>11.2f}{free['shardCalls']:>7.2f}{whole:>8.2f}"
                         f"{free['perSecond']:>10,.0f}{one['perSecond']:>10,.0f}{one['foretoldPerSecond']:>10,.0f}")
    lines += ["", "The model", ""]
    for call, model in record["models"].items():
        for name, each in model.items():
            lines.append(f"  {call:<6}{name:<9}{each['request']:>7.2f} us a request, {each['perCall']:.2f} us a system call more")
    lines += ["", f"  {'cores':>6}{'gateways':>9}{'shards':>8}{'polls a second':>16}{'Gbit/s':>8}  first limit"]
    for each in record["machines"]:
        lines.append(f"  {each['cores']:>6}{each['gateways']:>9}{each['shards']:>8}{each['perSecond']:>16,.0f}"
                     f"{each['gbits']:>8.1f}  {each['limit']}")
    return "\n".join(lines) + "\n"


def picture(record):
    settings = record["settings"]
    drawn = svg.Picture("CPU of a request by gateways and shards",
                        "Microseconds over all processes, connections kept alive; the load runs on the same two cores. Median of "
                        f"rounds: {settings['rounds']}.")
    drawn.key(("own", "gateways"), ("own2", "shards"))
    for call in CALLS:
        rows = []
        for point in record["points"]:
            free = point["calls"][call]["free"]
            parts = [("own", free["gatewayMicroseconds"]), ("own2", free["shardMicroseconds"])]
            whole = free["gatewayMicroseconds"] + free["shardMicroseconds"]
            rows.append((bench.processes(point["gateways"], point["shards"]), parts, f"{whole:.1f}", None))
        drawn.bars("poll" if call == "poll" else "join (durable)", rows)
    return drawn


if __name__ == "__main__":
    servers.run(main, "bench")
