"""What was wanted of Usher's speed, and what was seen: ratios of this run, and figures that other commands have left in the
folder bench, as far as they are there."""

import json

import servers

AT_MOST, AT_LEAST = "at most", "at least"

# Usher's CPU per request over that of the cheapest of these peers.
RATIOS = [
    # figure, mode, call, peers, goal
    ("CPU per poll, kept connections, over nginx `return 200`", "keep", "poll", ("nginx",), 1.1),
    ("CPU per poll, new connections, over nginx `return 200`", "close", "poll", ("nginx",), 1.1),
    ("CPU per list of schedules, over nginx from memory or a file", "keep", "schedules", ("nginx", "nginx file"), 1.1),
    ("CPU per durable join, over nginx `return 200`", "keep", "join", ("nginx",), 2.0),
    ("CPU per poll, over nginx with Lua and Redis", "keep", "poll", ("redis",), 1 / 6),
    ("CPU per poll, over the same by a Unix socket", "keep", "poll", ("redis unix",), 1 / 6),
    ("CPU per durable join, over nginx with Lua and Redis", "keep", "join", ("redis",), 1 / 8),
    ("CPU per durable join, over the same by a Unix socket", "keep", "join", ("redis unix",), 1 / 8),
]
LATENCY = ("p99 of polls at half of the capacity, over nginx `return 200` at that rate", 1.5)

# What other commands measure: figure, the command, its file in bench, where in it the number stands, and the goal. A place
# is names with dots between them, or, for a file with a list of `goals`, how the `what` of one begins.
ELSEWHERE = [
    ("polls a second on one shard's core (hot concert)", "make bench-hot", "hot.json", "best", AT_LEAST, 400_000),
    ("core: joins a second, in process, one core", "make bench-core", "core.json", "join, ", AT_LEAST, 5_000_000),
    ("core: polls a second, in process, one core", "make bench-core", "core.json", "poll, ", AT_LEAST, 10_000_000),
    ("place of the last person, 10 million waiting over 1 thousand: instructions", "make bench-core", "core.json",
     "poll of the last: instructions", AT_MOST, 2),
    ("memory per person waiting, all told, bytes", "make bench-core", "core.json", "bytes a person waiting", AT_MOST, 64),
    ("replay: facts a second", "make bench-core", "core.json", "replay, a fact", AT_LEAST, 3_000_000),
]


def figures(results, slow, earlier=()):
    """One for each goal: `seen` is None where it was not measured. What other commands have not left here is as it was
    among `earlier` figures."""
    found = []
    known = {each["figure"]: each["seen"] for each in earlier}
    for name, mode, call, others, goal in RATIOS:
        row = results.get(mode, {}).get(call, {})
        measured = [row[other] for other in others if other in row]
        cheapest = min(measured, key=lambda each: each["cpuMicroseconds"], default=None)
        spread = cheapest and cheapest["ofUsher"]
        found.append(figure(name, "make bench", AT_MOST, goal, spread and spread["median"],
                            spread and [spread["least"], spread["most"]]))
    both = slow and slow["servers"]
    found.append(figure(LATENCY[0], "make bench", AT_MOST, LATENCY[1], both and both["usher"]["p99"] / both["nginx"]["p99"]))
    for name, command, file, place, sense, goal in ELSEWHERE:
        seen = number_in(file, place)
        found.append(figure(name, command, sense, goal, known.get(name) if seen is None else seen))
    return found


def figure(name, command, sense, goal, seen, spread=None):
    is_met = None if seen is None else (seen <= goal if sense == AT_MOST else seen >= goal)
    return {"figure": name, "command": command, "sense": sense, "goal": goal, "seen": seen, "spread": spread, "met": is_met}


def number_in(file, place):
    """The number at a place of a file in the folder bench; None where either is missing."""
    try:
        record = json.loads((servers.ROOT / "bench" / file).read_text())
        for each in record.get("goals", []):
            if each["what"].startswith(place):
                return float(each["value"])
        for name in place.split("."):
            record = record[name]
        return float(record)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def table(found):
    """For the terminal."""
    rows = [("figure", "goal", "seen", "met"), *(words(each) for each in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n" + "\n".join("  " + "  ".join(word.ljust(width) for word, width in zip(row, widths)).rstrip()
                            for row in rows) + "\n"


def words(each):
    """A figure as four words: what, the goal, what was seen, whether that is enough."""
    if each["seen"] is None:
        return each["figure"], goal_of(each), f"not measured: `{each['command']}`", ""
    seen = shown(each["seen"], each["goal"])
    if each["spread"]:
        seen += f" ({' to '.join(shown(end, each['goal']) for end in each['spread'])})"
    return each["figure"], goal_of(each), seen, "yes" if each["met"] else "NO"


def goal_of(each):
    return f"{each['sense']} {shown(each['goal'], each['goal'])}"


def shown(number, goal):
    """As its goal is said: parts of one as 1/6, ratios with two digits, counts whole."""
    if goal < 1:
        text = f"{1 / number:.1f}"
        return f"1/{text.removesuffix('.0')}"
    return f"{number:,.0f}" if goal > 10 else f"{number:.2f}" if number != goal else f"{number:g}"
