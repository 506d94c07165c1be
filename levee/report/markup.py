"""Pieces of HTML: text, tables, cards, sections. Every text is escaped here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape


def section(title: str, cards: Sequence[str]) -> str:
    """Cards under a heading; nothing where there are none."""
    return (
        f'<section><h2>{escape(title)}</h2><div class="charts">{"".join(cards)}</div></section>' if any(cards) else ""
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose cells are text; columns that hold only numbers stand right."""
    numeric = {index for index in range(1, len(header)) if all(_is_number(row[index]) for row in rows)}
    head = "".join(f'<th scope="col"{_right(i, numeric)}>{escape(name)}</th>' for i, name in enumerate(header))
    body = "".join(
        f"<tr>{''.join(f'<td{_right(i, numeric)}>{escape(cell)}</td>' for i, cell in enumerate(row))}</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def heads(names: Sequence[str]) -> str:
    """The cells of a table's head."""
    return "".join(f'<th scope="col">{escape(name)}</th>' for name in names)


def _right(index: int, numeric: set[int]) -> str:
    return ' class="num"' if index in numeric else ""


def _is_number(cell: str) -> bool:
    return not cell or cell.lstrip("-£$€")[:1].isdigit()


def card(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A wide card with a table."""
    return f'<div class="card wide"><h3>{escape(title)}</h3>{table(header, rows)}</div>'


def unbroken(text: str) -> str:
    """Escaped text in which a line never ends between a number and its unit."""
    return re.sub(r"(?<=\d) (?=[Mk%]\b|%)", "\u00a0", escape(text))


def with_command(text: str) -> str:
    """Escaped text whose part after the last ``: `` is a command."""
    before, colon, command = text.rpartition(": ")
    return f"{escape(before)}: <code>{escape(command)}</code>" if colon else escape(text)


def with_code(text: str) -> str:
    """Escaped text with `code` in backticks as code."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
