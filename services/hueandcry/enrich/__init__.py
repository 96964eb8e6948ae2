"""What the platform adds to an alert beside what the issuer signed: names and facts that its codes hold, and doubts."""

from hueandcry.enrich.doubts import doubts
from hueandcry.enrich.facts import enrich

__all__ = ["doubts", "enrich"]
