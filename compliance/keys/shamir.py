"""Shamir's secret sharing over GF(2^8) with the polynomial of AES, x^8 + x^4 + x^3 + x + 1.

Any `threshold` of the shares give the secret back, fewer tell nothing of it. This is what draft-mcgrew-tss-03 writes
down; its test vector and the field's from FIPS 197 are among the tests. Nothing here tells whether the outcome is the
right one: the caller authenticates it.
"""

import secrets
from collections.abc import Iterable, Mapping

MOST = 255


def _tables() -> tuple[list[int], list[int]]:
    """Powers of the generator 3, and logarithms to it."""
    powers, logarithms, value = [0] * 510, [0] * 256, 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = value
        logarithms[value] = exponent
        value ^= (value << 1) ^ (0x11B if value & 0x80 else 0)
    return powers, logarithms


_POWERS, _LOGARITHMS = _tables()


def multiply(a: int, b: int) -> int:
    return _POWERS[_LOGARITHMS[a] + _LOGARITHMS[b]] if a and b else 0


def divide(a: int, b: int) -> int:
    if not b:
        raise ZeroDivisionError("division by zero in GF(256)")
    return _POWERS[_LOGARITHMS[a] + 255 - _LOGARITHMS[b]] if a else 0


def split(secret: bytes, *, threshold: int, shares: int) -> dict[int, bytes]:
    """{number from 1: share}, each as long as the secret."""
    if not secret:
        raise ValueError("secret: it is empty.")
    if not 2 <= threshold <= shares <= MOST:
        raise ValueError(f"threshold and shares: 2 <= {threshold} <= {shares} <= {MOST} does not hold.")
    polynomials = [bytes([byte]) + secrets.token_bytes(threshold - 1) for byte in secret]
    return {number: bytes(_at(number, each) for each in polynomials) for number in range(1, shares + 1)}


def combine(shares: Mapping[int, bytes]) -> bytes:
    """The secret, from at least as many shares as the threshold was; with fewer, other bytes without any meaning."""
    numbers = list(shares)
    if not numbers or not all(1 <= number <= MOST for number in numbers):
        raise ValueError("shares: numbers from 1 to 255 are needed.")
    if len({len(share) for share in shares.values()}) != 1:
        raise ValueError("shares: they are of different lengths.")
    weights = {number: _weight(number, numbers) for number in numbers}
    return bytes(
        _sum(multiply(weights[number], shares[number][at]) for number in numbers)
        for at in range(len(shares[numbers[0]]))
    )


def _at(x: int, polynomial: bytes) -> int:
    value = 0
    for coefficient in reversed(polynomial):
        value = multiply(value, x) ^ coefficient
    return value


def _weight(number: int, numbers: list[int]) -> int:
    """Lagrange's coefficient at 0."""
    weight = 1
    for other in numbers:
        if other != number:
            weight = multiply(weight, divide(other, other ^ number))
    return weight


def _sum(values: Iterable[int]) -> int:
    total = 0
    for value in values:
        total ^= value
    return total
