"""What a look at the cluster means."""

from __future__ import annotations

from pathlib import Path

from hueandcry.control.network import load_network
from hueandcry.rights.network import Network
from hueandcry.watch.cluster import Seen
from hueandcry.watch.measures import Measures

TOPICS = Path(__file__).parents[2] / "topics"


def network() -> Network:
    return load_network(TOPICS).network


def seen(end: int, **places: int) -> Seen:
    inbox = ("inbox.fra-police", 0)
    return Seen(
        ends={inbox: end, ("quarantine.europe", 0): 9},
        begins={("quarantine.europe", 0): 4},
        newest={("alerts.europe", 0): 50.0, ("alerts.europe", 1): 70.0, ("receipts.deu-vehicles", 0): 60.0},
        places={group.replace("_", "-", 1).replace("_", "."): {inbox: place} for group, place in places.items()},
    )


def value(measures: Measures, name: str, **labels: str) -> float | None:
    return measures.registry.get_sample_value(name, labels)


def test_one_group_of_an_agency_that_keeps_up_is_enough() -> None:
    measures = Measures()
    measures.took(seen(10, fra_police_work=10, fra_police_trial=0), network(), {}, 100.0, 0.1)
    measures.took(seen(20, fra_police_work=20, fra_police_trial=0), network(), {}, 115.0, 0.1)
    assert value(measures, "hueandcry_agency_lag", agency="fra-police") == 0
    assert value(measures, "hueandcry_agency_groups", agency="fra-police") == 2
    assert value(measures, "hueandcry_agency_groups", agency="deu-vehicles") == 0
    measures.took(seen(20, fra_police_work=10, fra_police_trial=0), network(), {}, 130.0, 0.1)
    assert value(measures, "hueandcry_agency_lag", agency="fra-police") == 9
    assert value(measures, "hueandcry_agency_lag_seconds", agency="fra-police") == 15


def test_an_agency_that_has_never_read_has_no_lag_but_no_group_either() -> None:
    measures = Measures()
    measures.took(seen(10), network(), {}, 100.0, 0.1)
    assert value(measures, "hueandcry_agency_lag", agency="fra-police") is None
    assert value(measures, "hueandcry_agency_groups", agency="fra-police") == 0


def test_regions_and_agencies_that_are_silent_can_be_told() -> None:
    measures = Measures()
    measures.took(seen(10), network(), {"registry": 5e9}, 100.0, 0.1)
    assert value(measures, "hueandcry_region_alert_timestamp_seconds", region="europe") == 70
    assert value(measures, "hueandcry_agency_receipt_timestamp_seconds", agency="deu-vehicles") == 60
    assert value(measures, "hueandcry_quarantine_offsets", region="europe") == 5
    assert value(measures, "hueandcry_certificate_expiry_timestamp_seconds", server="registry") == 5e9


def test_who_has_not_looked_is_not_ready_and_failures_count() -> None:
    measures = Measures()
    assert not measures.ready
    measures.failed()
    assert value(measures, "hueandcry_watch_failures_total") == 1
    assert value(measures, "hueandcry_watch_timestamp_seconds") == 0
    measures.took(seen(10), network(), {}, 100.0, 0.1)
    assert measures.ready
    assert value(measures, "hueandcry_watch_timestamp_seconds") == 100
