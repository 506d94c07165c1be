"""A chart as data: its finding, its Plotly figure, and the same numbers as a table for who cannot see it.

Colours are names of CSS variables (``--clean``); the page puts in their value for the light or the dark theme.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any

Figure = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart of the page.

    Attributes:
        id: HTML id.
        finding: The title: what the numbers say, one sentence.
        note: How to read it, one sentence; may be empty.
        figure: ``data`` and ``layout`` for Plotly; ``None`` where there is nothing to draw. For the page itself:
            ``room`` (see :func:`bars`), and ``narrow`` with changes by axis for a narrow screen; where that is given,
            texts on bars are left out when they would not fit.
        height: Pixels.
        header: Column heads of the table.
        rows: Its cells, formatted.
        empty: What to say and do where there is nothing to draw.
        wide: Whether it takes the whole width of the page.
        min_width: Pixels below which it is panned instead of squeezed; 0 where it can be squeezed.
    """

    id: str
    finding: str
    note: str = ""
    figure: Figure | None = None
    height: int = 320
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    empty: str = ""
    wide: bool = False
    min_width: int = 0


SYMBOLS: Mapping[str, str] = {"GBP": "£", "USD": "$", "EUR": "€"}


def money(amount: Decimal, currency: str) -> str:
    """An amount to the cent: ``£8,887,208.89``."""
    return _with_currency(f"{amount:,.2f}", currency)


def short_money(amount: Decimal, currency: str) -> str:
    """An amount for a title: ``£8.89 M``, ``£12.3 k``, ``£950``."""
    for size, unit in ((Decimal(1_000_000), " M"), (Decimal(1_000), " k")):
        if abs(amount) >= size:
            scaled = amount / size
            return _with_currency(f"{scaled:.2f}" if scaled < 10 else f"{scaled:.1f}", currency) + unit
    return _with_currency(f"{amount:.0f}", currency)


def share(part: float | Decimal, whole: float | Decimal) -> str:
    """A share in percent with one digit; ``0.1 %`` is never rounded to nothing."""
    if not whole:
        return "0 %"
    percent = float(part) / float(whole) * 100
    if 0 < percent < 0.1:
        return "under 0.1 %"
    if 99.9 < percent < 100:
        return "over 99.9 %"
    return f"{percent:.1f} %"


def _with_currency(number: str, currency: str) -> str:
    if not currency:
        return number
    symbol = SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{number} {currency}"


def literal(text: str) -> str:
    """Text that Plotly shows as it is; it reads ``<b>`` and its like otherwise."""
    return escape(text, quote=False)


def bars(
    labels: Sequence[str],
    values: Sequence[float],
    texts: Sequence[str],
    *,
    colour: str,
    hover: Sequence[str] | None = None,
) -> Figure:
    """Horizontal bars, the first label on top, each value written at its bar's end.

    ``room`` tells the page what it needs to leave space for the texts at any width: the largest value, and the longest
    text and label in characters.
    """
    said = [literal(f"{label}: {text}") for label, text in zip(labels, hover or texts, strict=True)]
    places = list(range(len(labels), 0, -1))  # two labels may read alike: a bar's place is its number
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "y": places,
                "x": list(values),
                "text": list(texts),
                "textposition": "outside",
                "cliponaxis": False,
                "marker": {"color": colour},
                "hovertext": said,
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        ],
        "room": {"most": max(values), "text": max(map(len, texts)), "label": max(map(len, labels))},
        "layout": {
            "xaxis": {"visible": False, "rangemode": "tozero"},
            "yaxis": {
                "automargin": True,
                "ticksuffix": "  ",
                "tickvals": places,
                "ticktext": [literal(label) for label in labels],
                "showgrid": False,
                "zeroline": False,
            },
            "bargap": 0.28,
            "margin": {"l": 8, "r": 8, "t": 4, "b": 4},
        },
    }


def bar_height(bars_shown: int) -> int:
    """Pixels that so many horizontal bars want."""
    return max(120, 26 * bars_shown + 16)
