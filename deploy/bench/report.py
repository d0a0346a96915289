#!/usr/bin/env python3
"""Writes PERFORMANCE.md and its pictures from what `make bench` has left: deploy/bench/report.py [FILE], bench/table.json
without. The numbers go to deploy/bench/report/, so that the page can be written again from them; figures and pictures that
other commands have left in the folder bench since then come along."""

import json
import pathlib
import shutil
import sys

import bench
import goals
import peers
import pictures
import servers

PAGE = servers.ROOT / "PERFORMANCE.md"
FOLDER = servers.HERE / "report"
NOTES = FOLDER / "notes.md"  # written by hand: what stands behind the figures
MODES = {"keep": "Connections kept alive", "close": "A new connection for each request"}
CALLS = {"schedules": "240 schedules", "join": "join", "poll": "poll", "reserve": "reserve"}
# Pictures of other commands, where they are there.
ELSEWHERE = [
    # file in bench, title, what it shows and the command that draws it
    ("overload.svg", "More than can be done", "What is completed and how long it takes, from a quarter to three times of what "
     "one core carries\n(`make overload`)."),
    ("million.svg", "A line of a million", "A million people join one concert and ask as they are told to (`make bench-million`)."),
]
ALTERNATIVES = {
    "cpu": "CPU of a request by call and server, as bars",
    "throughput": "requests a second by call and server, as bars",
    "latency": "latency of polls at Usher and nginx, as bars",
}


def write(path):
    record = json.loads(path.read_text())
    FOLDER.mkdir(exist_ok=True)
    kept = FOLDER / "table.json"
    # What other commands have seen, and have not seen again since, stays as the last report had it.
    earlier = json.loads(kept.read_text())["figures"] if kept.exists() else record["figures"]
    record["figures"] = goals.figures(record["results"], record["latency"], earlier)
    kept.write_text(json.dumps(record, indent=1) + "\n")
    for name in (*(each[0] for each in ELSEWHERE), "scaling.svg", "scaling.json"):
        if (servers.ROOT / "bench" / name).exists():
            shutil.copy(servers.ROOT / "bench" / name, FOLDER)
    drawn = pictures.draw_all(kept, FOLDER)
    PAGE.write_text("\n".join(page(record, drawn)))
    print(f"bench: the report is in {PAGE.relative_to(servers.ROOT)}")


def page(record, drawn):
    settings, versions = record["settings"], record["versions"]
    yield "# How fast Usher is"
    yield ""
    yield ("Usher beside a web server that does nothing, two that forward to it, and the same line with Redis, in one run on one\n"
           "machine. `make bench` measures it and writes this page; what stands here was seen at "
           f"{record['at'].replace('T', ' ').replace('Z', ' UTC')}.")
    yield ""
    yield "## What was wanted, and what was seen"
    yield ""
    yield from markdown(("figure", "goal", "seen", "met"), [met(goals.words(each)) for each in record["figures"]])
    yield ""
    yield ("A ratio is that of the medians; in brackets the least and the most of the single rounds. Rows of other commands have\n"
           "what those have left in the folder `bench`.")
    yield ""
    if NOTES.exists():
        yield NOTES.read_text()
    yield "## By call and server"
    yield ""
    yield ("CPU is user and kernel time of all processes of a server with all their threads, from `/proc`, per request that was\n"
           "answered. Latencies here are those of wrk, which asks as fast as it is answered, on the same cores.")
    for mode, calls in record["results"].items():
        yield from ("", f"### {MODES[mode]}", "")
        yield from images(drawn, f"cpu-{mode}")
        yield from markdown(
            ("call", "server", "µs of CPU", "least to most", "user", "kernel", "a second", "p50 µs", "p90 µs", "p99 µs",
             "bytes", "Usher's CPU over its"),
            [row_of(call, name, each) for call, row in calls.items() for name, each in row.items()],
        )
        yield ""
        yield from images(drawn, f"throughput-{mode}")
    if record["latency"]:
        yield from latency(record["latency"], drawn)
    for name, title, words in ELSEWHERE:
        if (FOLDER / name).exists():
            yield from ("", f"## {title}", "", words, "", f"![{title}](deploy/bench/report/{name})")
    yield from more_cores()
    yield from ("", "## Who is measured", "")
    yield from markdown(("server", "what it is", "version"), [
        (peers.PRINTED["usher"], f"{bench.processes(settings['gateways'], settings['shards'])}, the default settings; the journal in "
         "SQLite, `journal.policy=commit`: an answer leaves when it is on the disk. All limits are on, those by address and by user "
         "too, with room for a load. Compactions are put off",
         f"{versions.get('usher', '')}, commit {versions.get('commit', 'unknown')}"),
        (peers.PRINTED["nginx"], "`return 200` with bodies like Usher's ([configuration](deploy/bench/nginx-return-200.conf))",
         versions.get("nginx", "")),
        (peers.PRINTED["nginx file"], "the same; the schedules from a file in the page cache, by sendfile", ""),
        (peers.PRINTED["nginx nginx"], "nginx, forwarding over a Unix socket to that nginx ([configuration](deploy/bench/nginx-forward.conf))", ""),
        (peers.PRINTED["haproxy nginx"], "HAProxy, forwarding over a Unix socket to that nginx ([configuration](deploy/bench/haproxy.cfg))",
         versions.get("haproxy", "")),
        (peers.PRINTED["redis"], "nginx with [Lua](deploy/bench/nginx-redis.lua), and Redis behind it over TCP, `appendfsync always`: a join is a "
         "[script](deploy/bench/redis-join.lua) of three writes, a poll is a rank", versions.get("redis", "")),
        (peers.PRINTED["redis unix"], "the same over a Unix socket", ""),
    ])
    yield ""
    yield (f"For clients each has as many processes or threads, {settings['gateways']}: Usher's gateways, nginx's workers, HAProxy's\n"
           "threads. Behind them Usher has its shards, and the others the nginx or the Redis that they ask. Their settings are the cheap ones\n"
           "wherever there is a choice.")
    machine = record["machine"]
    yield from ("", "## The machine", "")
    yield from markdown(("what", ""), [
        ("processor", f"{machine['processor']}, {machine['cores']} cores; the load runs on them too"),
        ("system", machine["system"]),
        ("beside it", f"a load average of {record['loadAverageBefore']:.1f} before the run; 0 is a quiet machine"),
        ("disk of the journals", f"{record['disk']['fileSystem']}; it flushes 4 KiB {record['disk']['flushesPerSecond']:,.0f} "
         "times a second, one after the other"),
        ("Swift", versions.get("swift", "")),
        ("load", f"{versions.get('wrk', '').split(' Copyright')[0]}, {settings['connections']} connections, one thread; "
         f"{settings['rounds']} rounds of {settings['secondsPerRound']} s"),
    ])
    yield from ("", "## To repeat it", "", "```sh", "make bench", "```", "")
    yield ("That builds Usher, installs the packages of the section `bench` of [deploy/packages.txt](deploy/packages.txt) where they\n"
           "are missing, measures for some ten minutes, and writes `bench/table.json`, pictures beside it, and this page. Nothing\n"
           "else should run meanwhile. Parts of it leave the page as it is: `make bench CALLS=poll,join PEERS=usher,nginx ROUNDS=1`;\n"
           "[table.py](deploy/bench/table.py) has all that can be set. The numbers behind this page, round by round, are in\n"
           "[table.json](deploy/bench/report/table.json); `deploy/bench/report.py deploy/bench/report/table.json` writes it again.")
    yield ""


def more_cores():
    """What `make bench-scaling` has left, as far as it has."""
    kept = FOLDER / "scaling.json"
    if not kept.exists():
        return
    record = json.loads(kept.read_text())
    yield from ("", "## More cores", "", "![CPU of a request by gateways and shards](deploy/bench/report/scaling.svg)", "")
    yield ("What a request takes of gateways and shards, by how many there are of each (`make bench-scaling`, 64 connections kept alive).\n"
           "Calls are reads and writes of the process a request, two of them the HTTP request's own. *One core* is what all processes carry\n"
           "together there, and *foretold* what the model says.")
    yield ""
    yield from markdown(
        ("gateways", "shards", "call", "gateways µs", "calls", "shards µs", "calls", "a second", "one core", "foretold"),
        [(str(point["gateways"]), str(point["shards"]), call, f"{each['free']['gatewayMicroseconds']:.2f}",
          f"{each['free']['gatewayCalls']:.2f}", f"{each['free']['shardMicroseconds']:.2f}", f"{each['free']['shardCalls']:.2f}",
          f"{each['free']['perSecond']:,.0f}", f"{each['oneCore']['perSecond']:,.0f}",
          f"{each['oneCore']['foretoldPerSecond']:,.0f}")
         for point in record["points"] for call, each in point["calls"].items()],
    )
    yield ""
    yield ("**The model.** A process takes so much for a request, and so much for each system call beyond the two of the HTTP request; both\n"
           "are fitted to the points above.")
    yield ""
    yield from markdown(
        ("call", "process", "µs a request", "µs a call more"),
        [(call, name, f"{each['request']:.2f}", f"{each['perCall']:.2f}")
         for call, model in record["models"].items() for name, each in model.items()],
    )
    yield ""
    gbits = record["settings"]["networkGbits"]
    yield ("**Larger machines**, by the model: the load is on other ones, a core each for gateways and shards in the split that carries most,\n"
           f"every concert wanted alike, a network of {gbits:g} Gbit/s.")
    yield ""
    yield from markdown(
        ("cores", "gateways", "shards", "polls a second", "Gbit/s", "the first limit"),
        [(str(each["cores"]), str(each["gateways"]), str(each["shards"]), f"{each['perSecond']:,.0f}",
          f"{each['gbits']:.1f}", each["limit"]) for each in record["machines"]],
    )


def latency(slow, drawn):
    yield from ("", "### Latency at half of what Usher carries", "")
    yield from images(drawn, "latency")
    yield from markdown(("server", "p50 µs", "p90 µs", "p99 µs", "p99.9 µs", "answered a second"), [
        (peers.PRINTED[name], *(f"{each[key]:,.0f}" for key in ("p50", "p90", "p99", "p999", "completedPerSecond")))
        for name, each in slow["servers"].items()
    ])
    late = max(each["lateP99"] for each in slow["servers"].values())
    yield ""
    yield (f"All processes of the server share one core, and the load has the other. Usher carries {slow['capacityPerSecond']:,.0f} polls\n"
           f"a second there (wrk); half of it, {slow['offeredPerSecond']:,.0f}, is offered to each by an open load: polls come at random\n"
           "moments whether others were answered or not, and a latency counts from when a poll was due, so that a server that\n"
           f"stalls is charged for everybody who would have come meanwhile. The load sent 99 % of them within {late:,.0f} µs of that.")


def row_of(call, name, each):
    of = each["ofUsher"]
    return (
        CALLS[call], peers.PRINTED[name], f"{each['cpuMicroseconds']:.2f}", f"{each['least']:.2f} to {each['most']:.2f}",
        f"{each['userMicroseconds']:.2f}", f"{each['systemMicroseconds']:.2f}", f"{each['perSecond']:,.0f}",
        f"{each['p50Microseconds']:,.0f}", f"{each['p90Microseconds']:,.0f}", f"{each['p99Microseconds']:,.0f}",
        f"{each['bytesPerAnswer']:,.0f}",
        "" if name == "usher" else f"{of['median']:.2f} ({of['least']:.2f} to {of['most']:.2f})",
    )


def met(words):
    return (*words[:3], f"**{words[3].lower()}**" if words[3] == "NO" else words[3])


def markdown(titles, rows):
    yield "| " + " | ".join(titles) + " |"
    yield "|" + "---|" * len(titles)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def images(drawn, start):
    """The pictures whose names begin so."""
    for name in drawn:
        if name.startswith(start):
            yield f"![{ALTERNATIVES[name.split('-')[0].removesuffix('.svg')]}](deploy/bench/report/{name})"
            yield ""


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else servers.ROOT / "bench/table.json"))
