"""Puts published prices into a price file: their lines are written anew, all others stay as they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from levee.cost.catalogue import PRICE_COLUMNS, Price, Tier, read_prices
from levee.cost.refresh.selector import Published
from levee.files import write_whole


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did: keys added, keys whose price changed, keys confirmed, and keys left as they were."""

    added: int
    changed: int
    confirmed: int
    kept: int


def rebuild(path: Path, published: Iterable[Published], source: str) -> Rebuilt:
    """Rewrite a price file.

    A price of zero is not taken: vendors publish reserved and free offers beside the paid one. Where a key is published
    at several prices, which a selector should prevent, the highest counts.

    Args:
        path: The file.
        published: What the vendor publishes now.
        source: Id of the source that those lines get, with the date of each behind an ``@``.

    Raises:
        UsageError: The file is malformed.
        EngineError: From ``published``; the file then stays as it was.
    """
    before = dict(read_prices(path))
    tiers: dict[str, dict[Published, None]] = {}
    for one in published:
        if one.usd > 0:
            tiers.setdefault(one.key, {})[one] = None
    fresh = {key: _price(key, tuple(found), before.get(key), source) for key, found in tiers.items()}
    fresh = {key: price for key, price in fresh.items() if price is not None}
    _write(path, {**before, **fresh}.values())
    old = {key: before[key].tiers for key in fresh if key in before}
    changed = sum(_amounts(fresh[key].tiers) != _amounts(tiers_) for key, tiers_ in old.items())
    return Rebuilt(len(fresh) - len(old), changed, len(old) - changed, len(before) - len(old))


def _price(key: str, found: tuple[Published, ...], before: Price | None, source: str) -> Price | None:
    by_start = {
        start: max(one.usd for one in found if one.start == start) for start in sorted({o.start for o in found})
    }
    if 0 not in by_start:
        return None
    tiers = tuple(Tier(start, usd, f"from {start:,f}" if start else "") for start, usd in by_start.items())
    dated = f"{source}@{max(one.as_of for one in found)}"
    return Price(key, found[0].unit, tiers, before.fact if before else "", dated)


def _amounts(tiers: tuple[Tier, ...]) -> list[tuple[object, object]]:
    return [(tier.start, tier.usd) for tier in tiers]


def _write(path: Path, prices: Iterable[Price]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(PRICE_COLUMNS)
    for price in sorted(prices, key=lambda price: price.key):
        for tier in price.tiers:
            amounts = (f"{tier.start.normalize():f}", price.unit, f"{tier.usd.normalize():f}", tier.label)
            writer.writerow((price.key, *amounts, price.fact, price.source))
    write_whole(path, text.getvalue())
