"""Hue and Cry: alerts for police, distributed as events by jurisdiction and clearance."""

from importlib.metadata import version

__version__ = version("hueandcry")
