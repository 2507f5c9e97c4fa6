"""Draws an INS datamatrix: ISO/IEC 16022, ECC 200, square (spec: ins.md §7)."""

from typing import Final

from ppf.datamatrix import DataMatrix

MENTION: Final = "INS à scanner"
QUIET_ZONE: Final = 2
"""Modules of white around; the format asks for one at least."""

_MENTION_HEIGHT: Final = 5
_MILLIMETRES_PER_MODULE: Final = 0.5


def svg(text: str) -> str:
    """The symbol with its mention beneath, for print at half a millimetre a module.

    Everything is in C40, as the format wants its header: whoever scans reads no difference.
    """
    rows = DataMatrix(text, codecs=["C40"]).matrix
    side = len(rows) + 2 * QUIET_ZONE
    height = side + _MENTION_HEIGHT
    dark = "".join(
        f"M{x + QUIET_ZONE} {y + QUIET_ZONE}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, module in enumerate(row)
        if module
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'aria-label="{MENTION}" viewBox="0 0 {side} {height}" '
        f'width="{side * _MILLIMETRES_PER_MODULE:g}mm" '
        f'height="{height * _MILLIMETRES_PER_MODULE:g}mm">'
        f'<rect width="{side}" height="{height}" fill="#fff"/>'
        f'<path d="{dark}" shape-rendering="crispEdges"/>'
        f'<text x="{side / 2:g}" y="{height - 1.5:g}" font-family="sans-serif" font-size="4" '
        f'text-anchor="middle">{MENTION}</text></svg>'
    )
