"""The list of shapes.json, with its places filled in:

    {id}        a number of nine digits that stands for the request; {hidden} another, for the one that hides in it
    {H}         the hidden request
    {n} {x}     its length, decimal and hexadecimal; {n+5} five more
    {k}         the length of the line `{x}`, with its end
"""

import json
import pathlib

ALL = json.loads((pathlib.Path(__file__).resolve().parent / "shapes.json").read_text())
ID, HIDDEN = 100_000_000, 500_000_000  # and up


def hidden(number):
    return f"GET /api/v1/point?userId={HIDDEN + number} HTTP/1.1\r\nHost: a\r\n\r\n"


def filled(shape, number):
    """The bytes of a shape, marked with `number`."""
    text = hidden(number)
    count = len(text)
    places = {"id": ID + number, "hidden": HIDDEN + number, "H": text, "n": count, "x": f"{count:x}", "n+5": count + 5}
    places["k"] = len(places["x"]) + 2
    filled = shape["bytes"]
    for name, value in places.items():
        filled = filled.replace("{" + name + "}", str(value))
    return filled.encode("latin-1")
