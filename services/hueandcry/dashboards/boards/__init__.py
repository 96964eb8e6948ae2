"""The dashboards, by the name of their file."""

from hueandcry.dashboards.boards.agency import one_agency
from hueandcry.dashboards.boards.kafka import kafka_and_lanes
from hueandcry.dashboards.boards.level import service_level
from hueandcry.dashboards.boards.network import network_overview
from hueandcry.dashboards.boards.pipeline import pipeline_stages
from hueandcry.dashboards.boards.trust import trust

__all__ = ["BOARDS"]

BOARDS = {
    "network-overview": network_overview,
    "one-agency": one_agency,
    "pipeline-stages": pipeline_stages,
    "kafka-and-lanes": kafka_and_lanes,
    "trust": trust,
    "service-level": service_level,
}
