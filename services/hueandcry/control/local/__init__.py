"""A real Kafka, the registry and the processors on this machine, with one call: `LocalCluster(home).up()`."""

from hueandcry.control.local.cluster import LocalCluster, Status
from hueandcry.control.local.process import ProcessError
from hueandcry.control.local.profiles import passwords

__all__ = ["LocalCluster", "ProcessError", "Status", "passwords"]
