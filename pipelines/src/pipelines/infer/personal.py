"""Which fields probably hold a person's data: by their names, and by values that have the form of such data.

Sources of the forms: RFC 5321 (addresses), ITU-T E.164 (telephone numbers), ISO 13616-1 (IBAN, check digits modulo 97),
ISO/IEC 7812-1 (card numbers, Luhn's check digit). Free text is searched by presidio-analyzer's recognisers where that
is installed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from pipelines.contracts.personal_names import personal_kind

_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PHONE: Final = re.compile(r"(\+|00)[1-9][0-9 ()/.-]{6,18}[0-9]|\(0[0-9]{1,5}\)[0-9 /.-]{4,14}[0-9]")
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_CARD: Final = re.compile(r"[2-6][0-9]{12,18}")
_ADDRESS_V4: Final = re.compile(r"(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}")
_WORDS: Final = 3
"""Words a value from which a field counts as free text."""
_SEARCHED: Final = 200
"""Free texts that are searched."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """That a field holds a person's data.

    Attributes:
        kind: What kind of data.
        why: What gave it away, in words.
        free_text: Whether it stands amid other words.
    """

    kind: str
    why: str
    free_text: bool = False


def suspicion(name: str, values: Sequence[str]) -> Suspicion | None:
    """Say what of a person a field probably holds.

    Args:
        name: The column's name, snake_case.
        values: Its different values.
    """
    if kind := personal_kind(name):
        return Suspicion(kind, "its name says so")
    if not values:
        return None
    for kind, (fits, share) in _FORMS.items():
        hits = sum(fits(value.strip()) for value in values)
        if hits and hits >= share * len(values):
            return Suspicion(kind, f"{hits / len(values):.0%} of its values have the form")
    if sum(len(value.split()) for value in values) >= _WORDS * len(values):
        return _in_free_text(values)
    return None


def _in_free_text(values: Sequence[str]) -> Suspicion | None:
    searched = values[:: max(1, len(values) // _SEARCHED)]
    for kind, pattern in _WITHIN.items():
        if any(pattern.search(value) for value in values):
            return Suspicion(kind, "it stands in some of its texts", free_text=True)
    if find_spec("presidio_analyzer") is None:
        return None
    from pipelines.privacy.free_text import detected

    found = {kind for value in searched for kind in re.findall(r"<([A-Z_]+)>", detected(value)) if kind in _ENTITIES}
    if not found:
        return None
    return Suspicion(_ENTITIES[min(found)], "presidio-analyzer finds it in some of its texts", free_text=True)


_WITHIN: Final = {"e-mail address": re.compile(rf"(?<!\S){_EMAIL.pattern}(?=[\s.,;)]|$)")}
_ENTITIES: Final = {
    "EMAIL_ADDRESS": "e-mail address",
    "IBAN_CODE": "bank account",
    "CREDIT_CARD": "payment card",
    "PHONE_NUMBER": "telephone number",
    "US_SSN": "official number",
}
"""Recognisers whose findings are rarely mistaken, and what they find."""


def is_iban(text: str) -> bool:
    """Whether a text is an IBAN, blanks aside: its check digits are right."""
    packed = text.replace(" ", "").upper()
    if not _IBAN.fullmatch(packed):
        return False
    return int("".join(str(int(sign, 36)) for sign in packed[4:] + packed[:4])) % 97 == 1


def is_card(text: str) -> bool:
    """Whether a text is a payment card's number, blanks and hyphens aside: Luhn's check digit is right."""
    digits = re.sub(r"[ -]", "", text)
    if not _CARD.fullmatch(digits):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


_FORMS: Final[Mapping[str, tuple[Callable[[str], bool], float]]] = {
    "e-mail address": (lambda text: _EMAIL.fullmatch(text) is not None, 0.02),
    "bank account": (is_iban, 0.02),
    "payment card": (is_card, 0.5),
    "telephone number": (lambda text: _PHONE.fullmatch(text) is not None, 0.2),
    "internet address": (lambda text: _ADDRESS_V4.fullmatch(text) is not None, 0.5),
}
"""Forms, and the part of a field's different values from which a form is taken for the field's own.

One number in ten has a right check digit of Luhn's by chance, and version numbers look like addresses.
"""
