"""The pictures of `make bench`, from its JSON: CPU per request, requests a second, and latency."""

import json

import peers
import svg

CALLS = {
    "schedules": "the list of 240 schedules, 24 kB",
    "join": "join (durable at Usher and Redis)",
    "poll": "poll",
    "reserve": "reserve a seat (durable at Usher)",
}
CPU_TITLES = {"keep": "CPU of a request, connections kept alive", "close": "CPU of a request, a new connection for each"}


def draw_all(path, folder):
    """From the file `path`, into `folder`; the names of the pictures, in the order in which they read best."""
    record = json.loads(path.read_text())
    names = []
    for mode, calls in record["results"].items():
        names += [f"cpu-{mode}.svg", f"throughput-{mode}.svg"]
        cpu(record, mode, calls).write(folder / names[-2])
        throughput(mode, calls).write(folder / names[-1])
    if record["latency"]:
        names.append("latency.svg")
        latency(record["latency"]).write(folder / names[-1])
    return names


def style_of(name):
    return "own" if name == "usher" else "other"


def cpu(record, mode, calls):
    settings = record["settings"]
    picture = svg.Picture(
        CPU_TITLES[mode],
        f"Microseconds over all processes of a server; in brackets, how many times Usher's. Median of rounds: "
        f"{settings['rounds']}.",
        "The thin lines are from the least to the most.",
    )
    picture.key(("own", "Usher, user"), ("own2", "kernel"), ("other", "others, user"), ("other2", "kernel"))
    for call, row in calls.items():
        picture.bars(CALLS[call], [
            (
                peers.PRINTED[name],
                [(style_of(name), each["userMicroseconds"]), (style_of(name) + "2", each["systemMicroseconds"])],
                end_of(name, each),
                (each["least"], each["most"]),
            )
            for name, each in row.items()
        ])
    return picture


def end_of(name, each):
    """The number behind a bar, and how many times Usher's it is."""
    times = "" if name == "usher" else f"  ({1 / each['ofUsher']['median']:.2f}×)"
    return f"{each['cpuMicroseconds']:.1f}{times}"


def throughput(mode, calls):
    kind = "connections kept alive" if mode == "keep" else "a new connection for each"
    picture = svg.Picture(f"Requests a second, {kind}", "As fast as wrk goes, on the same cores as the server.")
    for call, row in calls.items():
        picture.bars(CALLS[call], [
            (peers.PRINTED[name], [(style_of(name), each["perSecond"])], f"{each['perSecond']:,.0f}", None) for name, each in row.items()
        ])
    return picture


def latency(slow):
    picture = svg.Picture(
        "Latency of polls at half of what Usher carries",
        f"Microseconds, {slow['offeredPerSecond']:,.0f} polls a second to each, an open load; from when a poll was due.",
    )
    for key, title in (("p50", "half are faster (p50)"), ("p90", "90 % are faster (p90)"), ("p99", "99 % are faster (p99)")):
        runs = {name: [run[key] for run in slow["runs"] if run["server"] == name] for name in slow["servers"]}
        picture.bars(title, [
            (peers.PRINTED[name], [(style_of(name), each[key])], f"{each[key]:,.0f}", (min(runs[name]), max(runs[name])))
            for name, each in slow["servers"].items()
        ])
    return picture
