"""Hue and Cry: alerts for police, distributed as events by jurisdiction and clearance."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hueandcry.alerts.model import Alert
    from hueandcry.sdk.publisher import Publisher
    from hueandcry.sdk.reports import Reports
    from hueandcry.sdk.subscriber import Notices, Receipts, Subscriber

__version__ = version("hueandcry")
__all__ = ["Alert", "Notices", "Publisher", "Receipts", "Reports", "Subscriber", "__version__"]

#: Loaded when first asked for, so that a processor does not pay for the SDK.
_LAZY = {
    "Alert": "hueandcry.alerts.model",
    "Notices": "hueandcry.sdk.subscriber",
    "Publisher": "hueandcry.sdk.publisher",
    "Receipts": "hueandcry.sdk.subscriber",
    "Reports": "hueandcry.sdk.reports",
    "Subscriber": "hueandcry.sdk.subscriber",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
