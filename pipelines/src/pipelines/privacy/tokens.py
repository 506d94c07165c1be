"""Format-preserving tokens: a keyed permutation of all texts of one form.

A Feistel network on the text's letters and digits, read as a number of mixed radix, with HMAC-SHA256 as its round
function (M. Bellare, T. Ristenpart, P. Rogaway, T. Stegers, "Format-Preserving Encryption", SAC 2009, scheme FE2; the
rounds of NIST SP 800-38G, FF1). A permutation gives no token twice, whatever the order in which values come: there
is no collision to resolve, and the workers need not know of each other.

A form with few texts hides little: NIST SP 800-38G Rev. 1 asks for a million or more.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from functools import lru_cache
from math import prod

ROUNDS = 10
SPARE_BITS = 128
"""Bits beyond the modulus' own, so that the remainder's bias does not matter."""
BLOCK = 256
"""Code points of a block beyond ASCII within which a letter stays."""


def token(key: bytes, value: str) -> str:
    """Return the token of a text: of the same length, with digits, letters and their case, and all else where it was.

    Args:
        key: Key of the permutation, 32 bytes.
        value: Any text; one without letters and digits is its own token.
    """
    alphabets = [_alphabet(character) for character in value]
    places = [index for index, alphabet in enumerate(alphabets) if alphabet]
    if not places:
        return value
    radices = [len(alphabets[index]) for index in places]
    digits = [alphabets[index].index(value[index]) for index in places]
    form = "".join(alphabet[0] if alphabet else character for alphabet, character in zip(alphabets, value, strict=True))
    half = len(places) // 2
    left, right = _number(digits[:half], radices[:half]), _number(digits[half:], radices[half:])
    left, right = _permuted(key, form, (left, prod(radices[:half])), (right, prod(radices[half:])))
    made = list(value)
    for index, digit in zip(places, [*_digits(left, radices[:half]), *_digits(right, radices[half:])], strict=True):
        made[index] = alphabets[index][digit]
    return "".join(made)


def _permuted(key: bytes, form: str, left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    """Permute a pair of numbers, each given with its modulus."""
    (a, modulus_a), (b, modulus_b) = left, right
    for number in range(ROUNDS):
        if number % 2:
            a = (a + _round(key, f"{number}/{b}/{form}", modulus_a)) % modulus_a
        else:
            b = (b + _round(key, f"{number}/{a}/{form}", modulus_b)) % modulus_b
    return a, b


def _round(key: bytes, message: str, modulus: int) -> int:
    octets, block = b"", 0
    while len(octets) * 8 < modulus.bit_length() + SPARE_BITS:
        octets += hmac.digest(key, f"{block}/{message}".encode(), "sha256")
        block += 1
    return int.from_bytes(octets, "big")


def _number(digits: Iterable[int], radices: Iterable[int]) -> int:
    number = 0
    for digit, radix in zip(digits, radices, strict=True):
        number = number * radix + digit
    return number


def _digits(number: int, radices: list[int]) -> list[int]:
    digits: list[int] = []
    for radix in reversed(radices):
        number, digit = divmod(number, radix)
        digits.append(digit)
    return digits[::-1]


@lru_cache(maxsize=4096)
def _alphabet(character: str) -> str:
    """Return the characters that may take the place of one, itself among them; nothing where it stays."""
    if not character.isalnum():
        return ""
    kind = _kind(character)
    block = ord(character) // BLOCK * BLOCK
    candidates = range(128) if character.isascii() else range(max(block, 128), block + BLOCK)
    return "".join(other for other in map(chr, candidates) if other.isalnum() and _kind(other) == kind)


def _kind(character: str) -> tuple[bool, bool, bool]:
    return character.isdecimal(), character.isupper(), character.islower()
