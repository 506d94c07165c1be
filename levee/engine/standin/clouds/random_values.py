"""The ``random`` provider really is random: nothing here depends on a seed.

Source of the rules: ``hashicorp/terraform-provider-random``, ``internal/random/string.go`` and ``internal/provider``.
"""

from __future__ import annotations

import base64
import secrets
import string
import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

from levee.engine.standin.values import Values

_SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"
_RANDOM: Final = secrets.SystemRandom()
_ADJECTIVES: Final = (
    "able",
    "brave",
    "calm",
    "deep",
    "eager",
    "fair",
    "glad",
    "keen",
    "light",
    "neat",
    "proud",
    "quick",
)
_ANIMALS: Final = (
    "badger",
    "crane",
    "dove",
    "eagle",
    "finch",
    "gecko",
    "heron",
    "ibis",
    "lynx",
    "otter",
    "raven",
    "wren",
)
_NO_ID: Final = "none"


def draw(type_name: str, inputs: Values) -> tuple[str, Values]:
    """The id and the outputs of one new ``random`` resource.

    Args:
        type_name: The class (``RandomPassword``).
        inputs: Its inputs, known and without secret wrappers.
    """
    if type_name in {"RandomPassword", "RandomString"}:
        text = _text(inputs)
        if type_name == "RandomString":
            return text, {"result": text}
        return _NO_ID, {"result": text, "bcryptHash": _bcrypt_shaped()}
    if type_name == "RandomInteger":
        number = _RANDOM.randint(int(inputs["min"]), int(inputs["max"]))
        return str(number), {"result": number}
    if type_name in {"RandomUuid", "RandomUuid4"}:
        text = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
        return text, {"result": text}
    if type_name == "RandomUuid7":
        text = _uuid7()
        return text, {"result": text}
    if type_name in {"RandomId", "RandomBytes"}:
        return _bytes(type_name, inputs)
    if type_name == "RandomPet":
        return _pet(inputs)
    if type_name == "RandomShuffle":
        items = list(inputs.get("inputs") or [])
        count = int(inputs.get("resultCount") or len(items))
        result: list[Any] = []
        while items and len(result) < count:
            result += _RANDOM.sample(items, len(items))
        return "-", {"results": result[:count]}
    return secrets.token_hex(8), {}


def _text(inputs: Mapping[str, Any]) -> str:
    classes = {
        "Lower": string.ascii_lowercase,
        "Upper": string.ascii_uppercase,
        "Numeric": string.digits,
        "Special": inputs.get("overrideSpecial") or _SPECIAL,
    }
    on = {name: chars for name, chars in classes.items() if _flag(inputs, name)}
    needed = [_RANDOM.choice(classes[name]) for name in classes for _ in range(int(inputs.get(f"min{name}") or 0))]
    alphabet = "".join(on.values()) or string.ascii_letters
    length = int(inputs.get("length") or len(needed))
    chosen = needed + [_RANDOM.choice(alphabet) for _ in range(length - len(needed))]
    _RANDOM.shuffle(chosen)
    return "".join(chosen)


def _flag(inputs: Mapping[str, Any], name: str) -> bool:
    given = inputs.get(name.lower())
    if given is None and name == "Numeric":
        given = inputs.get("number")
    return given is not False


def _bcrypt_shaped() -> str:
    """Sixty characters in bcrypt's form; it is the hash of nothing, for no bcrypt library is at hand."""
    alphabet = "./" + string.ascii_letters + string.digits
    return "$2a$10$" + "".join(_RANDOM.choice(alphabet) for _ in range(53))


def _bytes(type_name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    raw = secrets.token_bytes(int(inputs.get("byteLength") or inputs.get("length") or 1))
    if type_name == "RandomBytes":
        return _NO_ID, {"base64": base64.b64encode(raw).decode(), "hex": raw.hex()}
    prefix = str(inputs.get("prefix") or "")
    url = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return url, {
        "b64Url": prefix + url,
        "b64Std": prefix + base64.b64encode(raw).decode(),
        "hex": prefix + raw.hex(),
        "dec": prefix + str(int.from_bytes(raw, "big")),
    }


def _pet(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    length, separator = int(inputs.get("length") or 2), str(inputs.get("separator") or "-")
    words = [_RANDOM.choice(_ADJECTIVES) for _ in range(length - 1)] + [_RANDOM.choice(_ANIMALS)]
    prefix = [str(inputs["prefix"])] if inputs.get("prefix") else []
    return separator.join([*prefix, *words]), {"length": length, "separator": separator}


def _uuid7() -> str:
    """RFC 9562, section 5.7: 48 bits of Unix milliseconds, version 7, 74 random bits."""
    number = (int(time.time() * 1000) & (1 << 48) - 1) << 80 | secrets.randbits(80)
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=number))
