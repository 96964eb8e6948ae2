"""The network as code: topics/ is read and checked (load), compared with the cluster (plan) and carried out (apply)."""

from hueandcry.control.network.cluster import Cluster
from hueandcry.control.network.difference import Change, Plan
from hueandcry.control.network.execute import apply, plan
from hueandcry.control.network.load import load_network
from hueandcry.control.network.models import NetworkSpec
from hueandcry.control.network.places import NetworkFilesError, Place, Problem

__all__ = [
    "Change",
    "Cluster",
    "NetworkFilesError",
    "NetworkSpec",
    "Place",
    "Plan",
    "Problem",
    "apply",
    "load_network",
    "plan",
]
