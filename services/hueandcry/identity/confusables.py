"""Characters that readers of paper, plates and cameras take for one another."""

from __future__ import annotations

# Our own choice, after the pairs that makers of plates and of check digits avoid: ISO 3779 leaves I, O and Q out of
# VINs, Germany's FE-Schrift and the Netherlands' plates cut their letters so that O and 0 or E and F differ.
CLASSES = ("0ODQ", "1IL", "2Z", "5S", "6G", "8B")
_FOLD = str.maketrans({char: group[0] for group in CLASSES for char in group[1:]})


def fold_confusables(serial: str) -> str:
    """The serial (upper case) with one character for all that are read for one another; twice changes nothing."""
    return serial.translate(_FOLD)
