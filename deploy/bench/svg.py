"""Pictures as SVG: rows of bars, and lines over a scale, in light and dark colours as the reader's browser prefers."""

import math
from xml.sax.saxutils import escape

# Colours that colour-blind people tell apart; the pale ones are for a bar's second part.
STYLE = """
svg { font-family: system-ui, sans-serif; font-size: 13px }
text { fill: #1f2328; stroke: #ffffff; stroke-width: 4px; paint-order: stroke } .quiet { fill: #59636e } .title { font-size: 16px; font-weight: 600 } .group { font-weight: 600 }
.paper { fill: #ffffff } .grid { stroke: #d1d9e0 }
.own { fill: #0969da } .own2 { fill: #80b6f5 } .other { fill: #6e7781 } .other2 { fill: #b7bec6 }
.spread { stroke: #1f2328; fill: none }
.blue { fill: #0969da; stroke: #0969da } .green { fill: #1a7f37; stroke: #1a7f37 }
.orange { fill: #bc4c00; stroke: #bc4c00 } .red { fill: #cf222e; stroke: #cf222e } .goal { fill: #59636e; stroke: #59636e }
.line { fill: none; stroke-width: 2 } .dashed { stroke-dasharray: 5 4 } .named { stroke: none }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; stroke: #0d1117 } .quiet { fill: #9198a1 }
.paper { fill: #0d1117 } .grid { stroke: #3d444d }
.own { fill: #4493f8 } .own2 { fill: #255ca8 } .other { fill: #8b949e } .other2 { fill: #565e67 }
.spread { stroke: #f0f6fc }
.blue { fill: #4493f8; stroke: #4493f8 } .green { fill: #3fb950; stroke: #3fb950 }
.orange { fill: #db6d28; stroke: #db6d28 } .red { fill: #f85149; stroke: #f85149 } .goal { fill: #9198a1; stroke: #9198a1 }
.line { fill: none } .named { stroke: none }
}
"""

PANEL, SCALE = 200, 76  # of a panel with lines: its height, and the room for its numbers
WIDTH, MARGIN, ROW, BAR, NAMES, NUMBERS = 820, 24, 24, 15, 170, 120


class Picture:
    """Grows downwards as things are added."""

    def __init__(self, title, *remarks):
        self.parts, self.y = [], MARGIN + 6
        self.text(MARGIN, title, "title")
        for remark in remarks:
            self.y += 20
            self.text(MARGIN, remark, "quiet")
        self.y += 16

    def text(self, x, words, style="", anchor="start", y=None):
        self.parts.append(f'<text x="{x:.1f}" y="{self.y if y is None else y:.1f}" class="{style}" '
                          f'text-anchor="{anchor}">{escape(words)}</text>')

    def key(self, *entries):
        """What the colours mean: pairs of a style and words."""
        x = MARGIN
        self.y += 10
        for style, words in entries:
            self.parts.append(f'<rect x="{x}" y="{self.y - 10}" width="12" height="12" rx="2" class="{style}"/>')
            self.text(x + 18, words, "quiet")
            x += 18 + 7.2 * len(words) + 24
        self.y += 6

    def bars(self, title, rows):
        """A group of bars to one scale from 0. Each row: name, its parts as pairs of a style and a length, the end as words,
        and the least and most of the whole, or None."""
        most = max(max(sum(length for _, length in parts), spread[1] if spread else 0) for _, parts, _, spread in rows)
        left, room = MARGIN + NAMES, WIDTH - 2 * MARGIN - NAMES - NUMBERS
        self.y += 26
        self.text(MARGIN, title, "group")
        self.y += 8
        top, bottom = self.y, self.y + ROW * len(rows)
        for value in ticks(most):
            x = left + value / most * room
            self.parts.append(f'<path d="M{x:.1f} {top}V{bottom}" class="grid"/>')
            self.text(x, f"{value:,g}", "quiet", "middle", bottom + 16)
        for name, parts, end, spread in rows:
            middle = self.y + ROW / 2
            self.text(left - 10, name, "", "end", middle + 4.5)
            x = left
            for style, length in parts:
                width = length / most * room
                self.parts.append(f'<rect x="{x:.1f}" y="{middle - BAR / 2}" width="{width:.1f}" height="{BAR}" class="{style}"/>')
                x += width
            if spread:
                low, high = (left + value / most * room for value in spread)
                self.parts.append(f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8'
                                  f'M{high:.1f} {middle - 4}v8" class="spread"/>')
                x = max(x, high)
            self.text(x + 8, end, "", "start", middle + 4.5)
            self.y += ROW
        self.y += 20

    def lines(self, title, span, lines, most=None, least=None, height=PANEL):
        """A panel of lines over `span`, the first and last of the scale. Each line: a name, a style, its points as pairs, and
        whether it is only there to compare with. With `least` the scale of values is logarithmic, from there; points are
        marked where there are few."""
        values = [y for _, _, points, _ in lines for _, y in points]
        most = most or 1.15 * max(values)
        marks = ticks(most)
        if least:
            most = 10 ** math.ceil(math.log10(max(values)))
            marks = [least * 10**power for power in range(10) if least * 10**power <= most]
        left, room = MARGIN + SCALE, WIDTH - 2 * MARGIN - SCALE
        self.y += 24
        self.text(MARGIN, title, "group")
        top, bottom = self.y + 10, self.y + 10 + height

        def across(x):
            return left + (x - span[0]) / (span[1] - span[0]) * room

        def up(y):
            part = math.log10(max(y, least) / least) / math.log10(most / least) if least else max(y, 0) / most
            return bottom - min(part, 1) * height

        for value in marks:
            self.parts.append(f'<path d="M{left} {up(value):.1f}h{room}" class="grid"/>')
            self.text(left - 8, f"{value:,g}", "quiet", "end", up(value) + 4.5)
        step = ticks(span[1] - span[0])[1]
        for number in range(math.ceil(span[0] / step), int(span[1] / step + 1e-9) + 1):
            x = across(number * step)
            self.parts.append(f'<path d="M{x:.1f} {top}v{height}" class="{"goal" if number == 0 > span[0] else "grid"}"/>')
            self.text(x, f"{number * step:,g}", "quiet", "middle", bottom + 17)
        x = WIDTH - MARGIN - sum(7.2 * len(name) + 28 for name, *_ in lines)
        for name, style, points, is_compared in lines:
            path = " ".join(f"{across(at):.1f},{up(y):.1f}" for at, y in points)
            self.parts.append(f'<polyline points="{path}" class="{style} line{" dashed" if is_compared else ""}"/>')
            if not is_compared and len(points) < 20:
                self.parts += [f'<circle cx="{across(at):.1f}" cy="{up(y):.1f}" r="3" class="{style}"/>' for at, y in points]
            self.text(x, name, f"{style} named")
            x += 7.2 * len(name) + 28
        self.y = bottom + 22

    def write(self, path):
        height = self.y + MARGIN
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
            f'viewBox="0 0 {WIDTH} {height:.0f}">\n<style>{STYLE}</style>\n'
            f'<rect width="{WIDTH}" height="{height:.0f}" class="paper"/>\n' + "\n".join(self.parts) + "\n</svg>\n"
        )


def ticks(most):
    """The marks of a scale from 0 to `most`, at most seven: multiples of 1, 2 or 5 of a power of ten."""
    power = 1.0
    while power * 10 < most:
        power *= 10
    while power > most / 4:
        power /= 10
    step = next(power * each for each in (1, 2, 5, 10) if most / (power * each) <= 6)
    return [step * number for number in range(int(most / step + 1e-9) + 1)]
