"""The network as code: topics/ is read and checked (load), compared with the cluster (plan) and carried out (apply)."""

from hueandcry.control.network.apply import apply, plan
from hueandcry.control.network.cluster import Cluster
from hueandcry.control.network.load import load_network
from hueandcry.control.network.models import NetworkSpec
from hueandcry.control.network.places import NetworkFilesError, Place, Problem
from hueandcry.control.network.plan import Change, Plan

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
