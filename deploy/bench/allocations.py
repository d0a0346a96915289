#!/usr/bin/env python3
"""Allocations and system calls of each process per request, in the steady state: counted, not believed.

    allocations.c, built here and loaded into every process with LD_PRELOAD, counts while it is told to
    wrk: warm-up ── counted run ─▶ a table of calls per request, and the places in the program that allocated

The lines are filled and both calls run once before anything is counted, so that buffers have their size. What grows with
what there is to remember (a line's chunk each 4,096 people) is counted, and is why a join is not exactly 0. Counting
costs time, so nothing else is measured here; and system calls per request fall as batches grow, so these are those of
CONNECTIONS connections without think time.

From the environment: CALLS ("poll join"), SECONDS_PER_ROUND (5), CONNECTIONS (64), SHARDS (2), GATEWAYS (1), JOURNAL
(memory, or sqlite), PLACES (8; how many places to name), STRACE=1 (strace beside it, which slows all down). Leaves
bench/allocations.json.
"""

import bisect
import collections
import contextlib
import mmap
import os
import pathlib
import re
import signal
import struct
import subprocess
import time

import bench
import servers

CALLS = (os.environ.get("CALLS") or "poll join").split()
JOURNAL = os.environ.get("JOURNAL") or "memory"
PLACES = int(os.environ.get("PLACES") or 8)
STRACE = os.environ.get("STRACE") == "1"
SHARDS = os.environ.get("SHARDS") or "2"
# In the order of `enum call` in allocations.c.
ALLOCATIONS = ["malloc", "calloc", "realloc", "aligned", "free"]
SYSTEM_CALLS = ["read", "readv", "recv", "write", "writev", "send", "epoll_wait", "epoll_ctl", "accept", "close",
                "fdatasync", "pread", "pwrite"]
COUNTERS, FRAMES, STACKS = 32, 16, 2048
HEAD = 8 * (2 + COUNTERS)
STACK = 8 * (2 + FRAMES)
SAMPLE_EVERY = 7  # no divisor of what a request is likely to allocate


class Counted:
    """One process's file of counts."""

    def __init__(self, name, pid, path):
        self.name, self.pid = name, pid
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)

    def arm(self):
        self.memory[16:] = bytes(len(self.memory) - 16)
        self.memory[:16] = struct.pack("<QQ", 1, SAMPLE_EVERY)

    def disarm(self):
        self.memory[:8] = bytes(8)

    def counters(self):
        names = ALLOCATIONS + SYSTEM_CALLS
        return dict(zip(names, struct.unpack_from(f"<{len(names)}Q", self.memory, 16)))

    def stacks(self):
        """Most frequent first: samples, bytes, and return addresses from the allocator's caller outwards."""
        found = []
        for at in range(STACKS):
            count, size, *frames = struct.unpack_from(f"<{2 + FRAMES}Q", self.memory, HEAD + at * STACK)
            if count:
                found.append((count, size, [frame for frame in frames if frame]))
        return sorted(found, reverse=True)


class Symbols:
    """Names of functions by address, in one process."""

    def __init__(self, pid):
        self.mappings, self.tables = [], {}
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, mode, offset, _, _, *path = line.split(None, 5)
            if "x" in mode and path and path[0].startswith("/"):
                first, end = (int(each, 16) for each in span.split("-"))
                self.mappings.append((first, end, int(offset, 16), path[0]))

    def name(self, address):
        for first, end, offset, path in self.mappings:
            if first <= address < end:
                addresses, names, segments = self.table(path)
                place = address - first + offset
                for start, size, virtual in segments:  # a place in the file is not always that in memory
                    if start <= place < start + size:
                        place += virtual - start
                        break
                at = bisect.bisect_right(addresses, place - 1) - 1
                return names[at] if at >= 0 else f"? in {pathlib.Path(path).name}"
        return "?"

    def table(self, path):
        if path not in self.tables:
            text = ""
            for flags in ([], ["-D"]):
                text += subprocess.run(["nm", *flags, path], capture_output=True, text=True, check=False).stdout
            found = sorted((int(a, 16), n) for a, n in re.findall(r"^([0-9a-f]+) [tTwWiVv] (\S+)$", text, re.M))
            headers = subprocess.run(["readelf", "-lW", path], capture_output=True, text=True, check=False).stdout
            segments = [(int(o, 16), int(s, 16), int(v, 16)) for o, v, s in re.findall(
                r"LOAD\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)", headers)]
            self.tables[path] = ([each[0] for each in found], [each[1] for each in found], segments)
        return self.tables[path]


def main():
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    with servers.scratch_folder("counting") as folder, counted_cluster(folder) as cluster:
        record = {call: {} for call in CALLS}
        tokens = folder / "tokens"
        print(f"allocations: filling the lines of {bench.CONCERTS} concerts", flush=True)
        tokens.write_text("\n".join(bench.fill_lines(cluster.port, len(CALLS) * 2 * (bench.SECONDS_PER_ROUND + 3) + 30)) + "\n")
        processes = members(cluster, folder)
        first = bench.FIRST_USER
        for warm in (True, False):
            for call in CALLS:
                first += bench.USERS_PER_RUN
                what = ["poll", str(tokens)] if call == "poll" else ["join", str(first), str(bench.CONCERTS)]
                print(f"allocations: {call}, {'warming up' if warm else 'counted'}", flush=True)
                if warm:
                    bench.measure(cluster, what, bench.SECONDS_PER_ROUND)
                else:
                    record[call] = counted(cluster, what, processes)
        symbols = {each.name: Symbols(each.pid) for each in processes}
        for call, run in record.items():
            show(call, run, symbols)
    bench.write_record("allocations.json", {
        "settings": {"connections": bench.CONNECTIONS, "shards": SHARDS, "gateways": bench.GATEWAYS, "journal": JOURNAL},
        "results": {call: {"requests": run["requests"], "processes": {
            name: {kind: count / run["requests"] for kind, count in each["counters"].items()}
            for name, each in run["processes"].items()}} for call, run in record.items()},
    })
    return 0


@contextlib.contextmanager
def counted_cluster(folder):
    """A cluster whose processes count into `folder`."""
    library = folder / "allocations.so"
    source = servers.HERE / "allocations.c"
    subprocess.run([servers.program("cc", "bench-allocations"), "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"],
                   check=True)
    # Nothing is shed: what is counted is what is served.
    flags = ["--set", "gateway.overloadDelayMilliseconds=0"]
    flags += ["--set", "journal.kind=memory"] if JOURNAL == "memory" else []
    os.environ |= {"LD_PRELOAD": str(library), "COUNTING_FOLDER": str(folder)}
    cluster = servers.Cluster(SHARDS, bench.GATEWAYS, flags)
    try:
        with cluster:
            del os.environ["LD_PRELOAD"], os.environ["COUNTING_FOLDER"]
            yield cluster
    finally:
        os.environ.pop("LD_PRELOAD", None)


def members(cluster, folder):
    pids = cluster.pids()[1:]
    names = [f"shard {at}" for at in range(int(SHARDS))] + [f"gateway {at}" for at in range(int(bench.GATEWAYS))]
    return [Counted(name, pid, folder / str(pid)) for name, pid in zip(names, pids)]


def counted(cluster, what, processes):
    tracers = []
    if STRACE:
        for each in processes:
            command = [servers.program("strace", "bench-allocations"), "-f", "-c", "-p", str(each.pid)]
            tracers.append(subprocess.Popen([*command, "-o", cluster.folder / f"strace-{each.pid}"],
                                            stderr=subprocess.DEVNULL))
        time.sleep(1)
    for each in processes:
        each.arm()
    run = bench.measure(cluster, what, bench.SECONDS_PER_ROUND)
    for each in processes:
        each.disarm()
    for tracer in tracers:
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
    if run["notOK"] or run["broken"] or run["timeouts"]:
        raise servers.ServerError(f"not everything was answered: {run}")
    return {"requests": run["requests"], "processes": {
        each.name: {"counters": each.counters(), "stacks": each.stacks(), "strace": traced(cluster, each.pid)}
        for each in processes}}


def traced(cluster, pid):
    """Calls by name, as strace counted them."""
    path = cluster.folder / f"strace-{pid}"
    if not path.exists():
        return {}
    rows = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", path.read_text(), re.M)
    return {name: int(count) for count, name in rows if name != "total"}


def show(call, run, symbols):
    requests = run["requests"]
    print(f"\n{call}: {requests} requests counted; calls per request, over all processes' share of them\n")
    names = [name for name in ALLOCATIONS + SYSTEM_CALLS
             if any(each["counters"][name] for each in run["processes"].values())]
    print("  " + " " * 12 + "".join(f"{name:>11}" for name in names))
    for name, each in run["processes"].items():
        print(f"  {name:<12}" + "".join(f"{each['counters'][kind] / requests:>11.4f}" for kind in names))
    for name, each in run["processes"].items():
        if each["strace"]:
            print(f"  {name}, by strace: " + ", ".join(
                f"{kind} {count / requests:.4f}" for kind, count in sorted(each["strace"].items(), key=lambda e: -e[1])))
    for name, each in run["processes"].items():
        places(name, each["stacks"], requests, symbols[name])


def places(name, stacks, requests, symbols):
    """Where the program itself allocates: the frames of Swift's runtime and of the allocator are left out."""
    total, paths = collections.Counter(), {}
    for count, size, frames in stacks:
        words = demangled([symbols.name(frame) for frame in frames])
        ours = [word for word in words if not re.match(r"(\?|\$?_?swift|operator new|_Zn|std::|malloc)", word)]
        key = " < ".join(ours[:4])
        total[key] += count
        paths.setdefault(key, [0, 0])
        paths[key][0] += count
        paths[key][1] += size
    if total:
        print(f"\n  {name} allocates (per request, bytes each, where < called by):")
    for key, count in total.most_common(PLACES):
        print(f"  {count * SAMPLE_EVERY / requests:>9.4f} {paths[key][1] / paths[key][0]:>6.0f} B  {key}")


NAMES = {}


def demangled(names):
    missing = [name for name in dict.fromkeys(names) if name not in NAMES]
    if missing:
        run = subprocess.run(["swift", "demangle", "--simplified", "--compact", *missing], capture_output=True, text=True,
                             check=False)
        lines = run.stdout.splitlines()
        for name, line in zip(missing, lines if len(lines) == len(missing) else missing):
            NAMES[name] = re.sub(r"\(.*", "", re.sub(r"^(?:(?:closure|implicit closure) #\d+ .*? in |"
                                 r"(?:function signature|generic) special\w+ .*? of )+", "{} ", line))[:90]
    return [NAMES[name] for name in names]


if __name__ == "__main__":
    servers.run(main, "allocations")
