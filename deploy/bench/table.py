#!/usr/bin/env python3
"""Usher beside its peers (servers.py), in one run: CPU per request over all processes, throughput and latency.

    wrk, CONNECTIONS kept alive, or a new one for each request ─▶ one server at a time

All servers are started once. Each round measures every call at every server, one after another and in alternating order;
figures are medians over the rounds. workload.py has the requests. Polls are also offered at half of Usher's capacity by an
open load (latency.py). Usher runs with its default settings, journal.policy commit among them; limits are on, with room for
a load.

An answer that is not 200, a broken connection or a timeout makes the run invalid, and the exit code 1. A goal that is not met
does not.

From the environment: CALLS and PEERS with commas between them, MODES (keep,close), ROUNDS (5), SECONDS_PER_ROUND (2),
LATENCY_ROUNDS (5), SHARDS (1), GATEWAYS (1), CONNECTIONS, DISK. Leaves bench/table.json and pictures beside it. A valid run of
all peers and modes writes the page's part of each call that it measured.
"""

import contextlib
import os
import pathlib
import statistics
import subprocess
import urllib.request

import bench
import latency
import servers
import svg
import workload

ROUNDS = bench.setting("ROUNDS", 5)
SECONDS_PER_ROUND = bench.setting("SECONDS_PER_ROUND", 2)
SHARDS = bench.setting("SHARDS", "1")
WARMING_SECONDS, LAUNCH_SECONDS, STARTING_SECONDS = 1, 1, 60  # to know how long the lines have to be
MODES = {"keep": "connections kept alive", "close": "a new connection for each request"}

ALL = ("schedules", "join", "poll", "reserve")
# The calls of each server. Redis keeps a line and nothing else; a file holds only what is the same for everybody.
SERVERS = {
    "usher": ALL, "nginx": ALL, "nginx file": ("schedules",), "nginx nginx": ALL, "haproxy nginx": ALL,
    "redis": ("join", "poll"), "redis unix": ("join", "poll"),
}
PRINTED = {
    "usher": "Usher", "nginx": "nginx", "nginx file": "nginx, from a file", "nginx nginx": "nginx → nginx",
    "haproxy nginx": "HAProxy → nginx", "redis": "nginx, Lua, Redis", "redis unix": "nginx, Lua, Redis (Unix)",
}
TITLES = {"schedules": "the list of 240 schedules, 24 kB", "join": "join, durable at Usher and Redis", "poll": "poll",
          "reserve": "reserve a seat, durable at Usher"}

# By call: figure, mode, peers of which the cheapest counts, and the most that Usher's CPU may be of theirs.
GOALS = {
    "poll": [("over nginx, kept connections", "keep", ("nginx",), 1.1), ("over nginx, new connections", "close", ("nginx",), 1.1),
             ("over nginx with Lua and Redis", "keep", ("redis",), 1 / 6),
             ("over the same by a Unix socket", "keep", ("redis unix",), 1 / 6)],
    "join": [("over nginx, kept connections", "keep", ("nginx",), 2.0),
             ("over nginx with Lua and Redis", "keep", ("redis",), 1 / 8),
             ("over the same by a Unix socket", "keep", ("redis unix",), 1 / 8)],
    "schedules": [("over nginx from memory or a file, kept connections", "keep", ("nginx", "nginx file"), 1.1)],
}
LATENCY_GOAL = 1.5  # p99 over nginx's


def chosen(variable, known):
    """The part of `known` that the environment names, in the order of `known`; all of it where it names none."""
    wanted = [word.strip() for word in (os.environ.get(variable) or ",".join(known)).split(",") if word.strip()]
    for word in wanted:
        if word not in known:
            raise servers.ServerError(f"{variable} has `{word}`; there are {', '.join(known)}")
    return [each for each in known if each in wanted]


def main():
    calls, modes = chosen("CALLS", ALL), chosen("MODES", MODES)
    names = ["usher", *(name for name in chosen("PEERS", SERVERS) if name != "usher")]
    load_before, disk = os.getloadavg()[0], bench.disk()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(servers.scratch_folder("table"))
        targets = start(names, folder, stack)
        people = workload.Workload(folder, targets)
        bench.say("filling the lines")
        people.prepare(seconds_at_most(calls, modes, names))
        runs = measure_all(targets, people, calls, modes)
        problems = [each for run in runs for each in
                    bench.failures_of(run, f"round {run['round']}, {run['call']} {run['server']}")]
        slow = None
        if "poll" in calls and "nginx" in names:
            slow = latency.measure({name: targets[name] for name in ("usher", "nginx")}, people.words("poll", "usher"))
            problems += latency.problems_of(slow)
        problems += people.problems()
    results = summarise(runs)
    record = {
        "settings": {"rounds": ROUNDS, "secondsPerRound": SECONDS_PER_ROUND, "connections": bench.CONNECTIONS, "shards": SHARDS,
                     "gateways": bench.GATEWAYS},
        "versions": versions(), "disk": disk, "loadAverageBefore": load_before, "results": results, "latency": slow, "runs": runs,
    }
    is_whole = modes == list(MODES) and names == list(SERVERS)
    parts, pictures = told(record)
    return bench.finish("table", record, parts, problems, pictures, is_whole)


def start(names, folder, stack):
    """All servers by name, running; Usher first, because the others answer with its list of schedules."""
    cluster = stack.enter_context(workload.cluster(SHARDS, bench.GATEWAYS, folder))
    with urllib.request.urlopen(f"{cluster.url}/api/v1/concert/schedules?concertId=1", timeout=5) as answer:
        schedules = answer.read().decode()
    peers = {name: stack.enter_context(servers.peer(name, schedules, bench.DISK)) for name in names if name != "usher"}
    return {"usher": cluster} | peers


def seconds_at_most(calls, modes, names):
    """How long the whole may take, so that nobody who is polled is let in meanwhile."""
    runs = sum(1 for name in names for call in calls if call in SERVERS[name]) * len(modes)
    each = ROUNDS * (SECONDS_PER_ROUND + LAUNCH_SECONDS) + WARMING_SECONDS + LAUNCH_SECONDS
    return runs * each + latency.SECONDS_MAX + STARTING_SECONDS


def measure_all(targets, people, calls, modes):
    """A short warming round, then those that count; which server goes first alternates."""
    runs = []
    for number in range(ROUNDS + 1):
        names = list(targets) if number % 2 else list(reversed(targets))
        for mode in modes:
            for call in calls:
                told = []
                if call == "reserve":
                    people.begin_reservations(targets["usher"])
                for name in (each for each in names if call in SERVERS[each]):
                    seconds = SECONDS_PER_ROUND if number else WARMING_SECONDS
                    run = bench.measure(targets[name], people.words(call, name), seconds, mode == "keep")
                    if name == "usher":
                        people.took(call, run)
                    told.append(f"{name} {run['cpuMicroseconds']:.1f} us")
                    if number:
                        runs.append({"round": number, "server": name, "call": call, "mode": mode, **run})
                title = f"round {number} of {ROUNDS}" if number else "warming up"
                bench.say(f"{title}: {call}, {MODES[mode]}: {', '.join(told)}")
    return runs


def summarise(runs):
    """By call, mode and server: medians, the spread of the CPU, and how many times a server's CPU is Usher's."""
    results = {}
    for call, mode, name in dict.fromkeys((run["call"], run["mode"], run["server"]) for run in runs):
        these, usher = ([run for run in runs if (run["call"], run["mode"], run["server"]) == (call, mode, each)]
                        for each in (name, "usher"))
        cpu = [run["cpuMicroseconds"] for run in these]
        rounds = [mine["cpuMicroseconds"] / its["cpuMicroseconds"] for its, mine in zip(these, usher)]
        # The parts of a median are not medians: they are shared out as in all rounds together.
        user = sum(run["userMicroseconds"] for run in these) / sum(cpu)
        median = {key: statistics.median(run[key] for run in these) for key in ("perSecond", "p50", "p90", "p99")}
        results.setdefault(call, {}).setdefault(mode, {})[name] = {
            "cpuMicroseconds": statistics.median(cpu), "least": min(cpu), "most": max(cpu),
            "userMicroseconds": user * statistics.median(cpu), **median,
            "bytesPerAnswer": statistics.median(run["bytes"] / run["requests"] for run in these),
            "ofUsher": {"median": statistics.median(run["cpuMicroseconds"] for run in usher) / statistics.median(cpu),
                        "least": min(rounds), "most": max(rounds)},
        }
    return {call: {mode: {name: row[name] for name in SERVERS if name in row} for mode, row in rows.items()}
            for call, rows in results.items()}


def told(record):
    """The parts of the page, and the pictures."""
    parts, pictures = {}, []
    settings, results = record["settings"], record["results"]
    for call, rows in results.items():
        parts[f"bench-{call}"] = [goals_of(call, rows, record["latency"]), *(table_of(mode, row) for mode, row in rows.items())]
        pictures.append((f"bench-{call}.svg", picture_of(call, rows, settings)))
    if record["latency"]:
        parts["bench-latency"] = latency.told(record["latency"], PRINTED)
        pictures.append(("bench-latency.svg", latency.picture(record["latency"], PRINTED)))
    versions, disk = record["versions"], record["disk"]
    parts["bench-machine"] = [bench.Table(("what", "it is"), [
        ("Usher", f"{bench.processes(settings['gateways'], settings['shards'])}; {versions.get('usher', '')}"),
        *((name, versions[key]) for name, key in (("nginx", "nginx"), ("HAProxy", "haproxy"), ("Redis", "redis"), ("Swift", "swift"))
          if key in versions),
        ("load", f"{versions.get('wrk', '')}, {settings['connections']} connections, one thread, on the same cores; "
         f"{settings['rounds']} rounds of {settings['secondsPerRound']} s"),
        ("disk of the journals", f"{disk['fileSystem']}; it flushes 4 KiB {disk['flushesPerSecond']:,.0f} times a second, one after "
         "the other"),
        ("before the run", f"a load average of {record['loadAverageBefore']:.1f}; 0 is a quiet machine"),
    ])]
    return parts, pictures


def goals_of(call, rows, slow):
    found = []
    for figure, mode, names, goal in GOALS.get(call, []):
        measured = [rows[mode][name] for name in names if name in rows.get(mode, {})]
        if measured:
            ratio = min(measured, key=lambda each: each["cpuMicroseconds"])["ofUsher"]["median"]
            found.append((f"Usher's CPU {figure}", "at most", goal, ratio, "{:.2f}"))
    if call == "poll" and slow:
        p99 = {name: each["p99"] for name, each in slow["servers"].items()}
        found.append(("p99 at half of the capacity over nginx's", "at most", LATENCY_GOAL, p99["usher"] / p99["nginx"], "{:.2f}"))
    return bench.goals(*found)


def table_of(mode, row):
    titles = (MODES[mode], "µs of CPU", "least to most", "user", "a second", "p50 µs", "p99 µs", "bytes", "Usher's CPU over its")

    def words(name, each):
        of = each["ofUsher"]
        return (PRINTED[name], f"{each['cpuMicroseconds']:.2f}", f"{each['least']:.2f} to {each['most']:.2f}",
                f"{each['userMicroseconds']:.2f}", f"{each['perSecond']:,.0f}", f"{each['p50']:,.0f}", f"{each['p99']:,.0f}",
                f"{each['bytesPerAnswer']:,.0f}",
                "" if name == "usher" else f"{of['median']:.2f} ({of['least']:.2f} to {of['most']:.2f})")

    return bench.Table(titles, [words(name, each) for name, each in row.items()])


def picture_of(call, rows, settings):
    picture = svg.Picture(f"CPU of a request: {TITLES[call]}",
                          "Microseconds over all processes of a server; behind it, how many times Usher's. Median of rounds: "
                          f"{settings['rounds']}.", "The thin lines are from the least to the most.")
    picture.key(("own", "Usher, user"), ("own2", "kernel"), ("other", "others, user"), ("other2", "kernel"))
    for mode, row in rows.items():
        bars = []
        for name, each in row.items():
            style, user = ("own" if name == "usher" else "other"), each["userMicroseconds"]
            times = "" if name == "usher" else f"  ({1 / each['ofUsher']['median']:.2f}×)"
            bars.append((PRINTED[name], [(style, user), (style + "2", each["cpuMicroseconds"] - user)],
                         f"{each['cpuMicroseconds']:.1f}{times}", (each["least"], each["most"])))
        picture.bars(MODES[mode], bars)
    return picture


def versions():
    """Of all programs that took part, as they tell them."""
    usher = os.environ.get("USHER") or servers.ROOT / ".build/release/usher"
    commands = {"usher": [usher, "--version"], "swift": ["swift", "--version"], "nginx": ["nginx", "-v"],
                "haproxy": ["haproxy", "-v"], "redis": ["redis-server", "--version"], "wrk": ["wrk", "-v"]}
    found = {}
    for name, [command, *words] in commands.items():
        with contextlib.suppress(servers.ServerError, OSError):  # not here, and so not measured
            path = command if isinstance(command, pathlib.Path) else servers.program(str(command), "bench")
            run = subprocess.run([path, *words], capture_output=True, text=True, check=False)
            line = next(iter((run.stdout + run.stderr).strip().splitlines()), "")
            found[name] = line.split(" Copyright")[0].split(" - https")[0].split(" sha=")[0]
    return found


if __name__ == "__main__":
    bench.run(main, "bench")
