"""Amounts as they are typed: what cannot be is refused with a sentence before anything is opened."""

import argparse
import math


def count(typed: str) -> int:
    """Read how many; at least one. Raises ArgumentTypeError."""
    return some(typed, least=1)


def some(typed: str, *, least: int = 0) -> int:
    """Read how many; none is well. Raises ArgumentTypeError."""
    try:
        number = int(typed)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{typed!r} is no whole number") from error
    if number < least:
        raise argparse.ArgumentTypeError(f"give {least} or more, not {number}")
    return number


def length(typed: str) -> float:
    """Read how long, in seconds or hours; more than nothing. Raises ArgumentTypeError."""
    number = speed(typed)
    if not number:
        raise argparse.ArgumentTypeError("give more than 0")
    return number


def speed(typed: str) -> float:
    """Read how fast; 0 is at once. Raises ArgumentTypeError."""
    try:
        number = float(typed)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{typed!r} is no number") from error
    if not math.isfinite(number) or number < 0:
        raise argparse.ArgumentTypeError(f"give 0 or more, not {typed}")
    return number
