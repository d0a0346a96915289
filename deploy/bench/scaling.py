#!/usr/bin/env python3
"""CPU of a request by the number of gateways and shards, and a model for machines with more cores.

For each of POINTS (gateways x shards) a cluster is started; wrk polls and joins over kept connections. Counted are the CPU of
gateways and of shards per request, and their system calls to read and write (/proc/PID/io): a gateway writes all requests of
one turn for one shard in one call, so the calls tell how many requests share one.

**The model** is two lines for each call, fitted to all points: a process takes a time per request, and a time per system call
beyond the two of every HTTP request. For larger machines the model takes the turn of a busy gateway as measured here, spreads
its polls over the shards, and looks for the split of the cores that carries most; a network of NETWORK_GBITS is a limit of its
own. Joins are not foretold: the busier a shard, the more of them share a commit, and two cores do not show how many.

From the environment: POINTS ("1x1 1x2 1x4 2x1 2x2 2x4"), ROUNDS (3), SECONDS_PER_ROUND (3), CONNECTIONS, NETWORK_GBITS (25),
CORES ("8 32 128"), DISK. Leaves bench/scaling.json and bench/scaling.svg.
"""

import contextlib
import os
import pathlib
import statistics

import bench
import servers
import svg
import workload

POINTS = [tuple(map(int, word.split("x"))) for word in bench.setting("POINTS", "1x1 1x2 1x4 2x1 2x2 2x4").split()]
ROUNDS = bench.setting("ROUNDS", 3)
SECONDS_PER_ROUND = bench.setting("SECONDS_PER_ROUND", 3)
NETWORK_GBITS = bench.setting("NETWORK_GBITS", 25.0)
CORES = [int(word) for word in bench.setting("CORES", "8 32 128").split()]
CALLS = ("poll", "join")
WAITING_SECONDS_MAX = 40 + ROUNDS * (SECONDS_PER_ROUND + 2) * 2 * len(CALLS)

# Bytes of a request and its answer on a wire beside their own: a segment each way and an ACK, with Ethernet's frame and gap.
WIRE_BYTES = 3 * 90
REQUEST_BYTES = 180  # of a poll


def main():
    points = [measure(gateways, shards) for gateways, shards in POINTS]
    problems = [problem for point in points for problem in point.pop("problems")]
    models = {call: fit(call, points) for call in CALLS}
    for point in points:
        for call in CALLS:
            one = point["calls"][call]["oneCore"]
            one["foretoldPerSecond"] = 1e6 / sum(cost(models[call], one["gatewayCalls"] - 2, one["shardCalls"]))
    record = {"points": points, "models": models, "machines": [larger(cores, models["poll"], points) for cores in CORES]}
    return bench.finish("scaling", record, {"scaling": told(record)}, problems, [("scaling.svg", picture(record))])


def measure(gateways, shards):
    """All runs of one cluster."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(servers.scratch_folder("scaling"))
        cluster = stack.enter_context(workload.cluster(str(shards), str(gateways), folder))
        people = workload.Workload(folder, {"usher": cluster})
        people.prepare(WAITING_SECONDS_MAX)
        calls, problems = {}, []
        for call in CALLS:
            bench.measure(cluster, people.words(call, "usher"), 1)
            free = [counted(cluster, people.words(call, "usher")) for _ in range(ROUNDS)]
            with servers.pinned(cluster.pids(), bench.SERVER_CORE), servers.pinned([os.getpid()], bench.LOAD_CORE):
                one = [counted(cluster, people.words(call, "usher")) for _ in range(ROUNDS)]
            problems += [each for run in free + one for each in bench.failures_of(run, f"{gateways}x{shards}, {call}")]
            calls[call] = {"free": medians(free), "oneCore": medians(one)}
            each = calls[call]["free"]
            bench.say(f"{bench.processes(gateways, shards)}: {call} {each['gatewayMicroseconds']:.1f} + "
                      f"{each['shardMicroseconds']:.1f} us")
        return {"gateways": gateways, "shards": shards, "calls": calls, "problems": problems + people.problems()}


def counted(cluster, words):
    """One run of wrk, with the CPU and the system calls of gateways and shards per request."""
    members = cluster.members()
    groups = {"gateway": members["gateways"], "shard": members["shards"]}
    before = {name: (servers.cpu_seconds(pids), system_calls(pids)) for name, pids in groups.items()}
    run = bench.measure(cluster, words, SECONDS_PER_ROUND)
    for name, pids in groups.items():
        cpu, calls = before[name]
        run[f"{name}Microseconds"] = (servers.cpu_seconds(pids) - cpu) * 1e6 / run["requests"]
        run[f"{name}Calls"] = (system_calls(pids) - calls) / run["requests"]
    return run


def system_calls(pids):
    """Reads and writes so far, of all threads."""
    lines = (line.partition(": ") for pid in pids for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines())
    return sum(int(number) for name, _, number in lines if name in ("syscr", "syscw"))


def medians(runs):
    keys = ("gatewayMicroseconds", "gatewayCalls", "shardMicroseconds", "shardCalls", "perSecond")
    found = {key: statistics.median(run[key] for run in runs) for key in keys}
    return found | {"bytesPerAnswer": statistics.median(run["bytes"] / run["requests"] for run in runs)}


# The model


def fit(call, points):
    """For gateways and shards: microseconds a request, and for each system call more than a request's own."""
    seen = [point["calls"][call]["free"] for point in points]
    return {name: line([(each[f"{name}Calls"] - own, each[f"{name}Microseconds"]) for each in seen])
            for name, own in (("gateway", 2), ("shard", 0))}


def line(pairs):
    """Least squares of y = request + perCall * x, neither below 0."""
    mean_x, mean_y = (statistics.fmean(values) for values in zip(*pairs))
    spread = sum((x - mean_x) ** 2 for x, _ in pairs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread if spread else 0.0
    slope = min(max(slope, 0.0), mean_y / mean_x if mean_x > 0 else 0.0)
    return {"request": mean_y - slope * mean_x, "perCall": slope}


def cost(model, gateway_calls, shard_calls):
    """Microseconds of a gateway and of a shard per request."""
    return (model["gateway"]["request"] + model["gateway"]["perCall"] * gateway_calls,
            model["shard"]["request"] + model["shard"]["perCall"] * shard_calls)


def larger(cores, model, points):
    """The best split of so many cores for polls, and its first limit."""
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
            best = {"cores": cores, "gateways": gateways, "shards": shards, "perSecond": carried, "limit": limit}
    wire = 8 * (base["bytesPerAnswer"] + REQUEST_BYTES + WIRE_BYTES)
    best["gbits"] = best["perSecond"] * wire / 1e9
    if best["gbits"] > NETWORK_GBITS:
        best["limit"] = "network"
    return best


# Telling


def told(record):
    def point_words(point, call, free, one):
        return (point["gateways"], point["shards"], call, f"{free['gatewayMicroseconds']:.2f}", f"{free['gatewayCalls']:.2f}",
                f"{free['shardMicroseconds']:.2f}", f"{free['shardCalls']:.2f}", f"{free['perSecond']:,.0f}",
                f"{one['perSecond']:,.0f}", f"{one['foretoldPerSecond']:,.0f}")

    return [
        bench.Table(
            ("gateways", "shards", "call", "gateways µs", "calls", "shards µs", "calls", "a second", "one core", "foretold"),
            [point_words(point, call, each["free"], each["oneCore"])
             for point in record["points"] for call, each in point["calls"].items()]),
        bench.Table(("the model", "process", "µs a request", "µs a call more"), [
            (call, name, f"{each['request']:.2f}", f"{each['perCall']:.2f}")
            for call, model in record["models"].items() for name, each in model.items()]),
        bench.Table(("cores", "gateways", "shards", "polls a second, foretold", "Gbit/s", "the first limit"), [
            (each["cores"], each["gateways"], each["shards"], f"{each['perSecond']:,.0f}", f"{each['gbits']:.1f}", each["limit"])
            for each in record["machines"]]),
    ]


def picture(record):
    drawn = svg.Picture("CPU of a request by gateways and shards",
                        "Microseconds over all processes, connections kept alive; the load runs on the same cores. Median of "
                        f"rounds: {ROUNDS}.")
    drawn.key(("own", "gateways"), ("own2", "shards"))
    for call in CALLS:
        rows = []
        for point in record["points"]:
            both = [point["calls"][call]["free"][f"{name}Microseconds"] for name in ("gateway", "shard")]
            rows.append((bench.processes(point["gateways"], point["shards"]), list(zip(("own", "own2"), both)), f"{sum(both):.1f}",
                         None))
        drawn.bars("poll" if call == "poll" else "join (durable)", rows)
    return drawn


if __name__ == "__main__":
    bench.run(main, "bench-scaling")
