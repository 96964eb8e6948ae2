"""What is wrong with a set-up: checks in order, each with one line that says what is wrong and what to do."""

from hueandcry.control.doctor.as_agency import agency_checks
from hueandcry.control.doctor.as_operator import operator_checks
from hueandcry.control.doctor.examine import Check, Finding, examine

__all__ = ["Check", "Finding", "agency_checks", "examine", "operator_checks"]
