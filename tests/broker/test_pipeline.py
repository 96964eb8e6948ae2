"""The way of an alert from its issuer to whoever may have it, over the real platform."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

import pytest

from broker.lane_process import until
from broker.on_platform import TAKERS, Place, Platform, alert, new_vin, next_version

#: Members of the coalition maritime-watch.
MARITIME = {"are-police", "bra-federal", "fra-police", "ken-police"}
pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


def told(platform: Platform, record: dict[str, Any], action: str, version: int = 1) -> set[str]:
    """The agencies that were told this of an alert."""
    return {agency for agency, news in platform.told(record).items() if (action, version) in {n[:2] for n in news}}


def test_an_alert_reaches_everyone_entitled_as_its_issuer_signed_it(platform: Platform) -> None:
    record = alert("deu-vehicles")
    (receipt,) = platform.settled(record)
    assert (receipt["outcome"], receipt["delivered_to"]) == ("delivered", 5)
    assert platform.told(record) == {agency: [("issued", 1, "original")] for agency in TAKERS["deu-vehicles"]}
    for _, delivery in platform.deliveries(record["alert_id"]):
        assert delivery["alert"] == record
        assert delivery["enrichment"]["state_name"] == "Germany"


def test_the_same_car_from_three_regions_is_one_cluster_and_nobody_gets_it_twice(platform: Platform) -> None:
    vin = new_vin()
    europe, americas, africa = (
        alert(issuer, subject__vin__raw=raw)
        for issuer, raw in (
            ("deu-vehicles", vin),
            ("bra-federal", vin.lower()),
            ("ken-police", f"{vin[:3]}-{vin[3:9]} {vin[9:]}"),
        )
    )
    receipts = [platform.settled(each)[0] for each in (europe, americas, africa)]
    assert [each["outcome"] for each in receipts] == ["delivered", "merged", "merged"]
    assert [each["merged_into"] for each in receipts] == [None, europe["alert_id"], europe["alert_id"]]
    assert told(platform, europe, "issued") == TAKERS["deu-vehicles"]
    # Whoever has one of them is spared the others. can-roads takes what comes from the Americas only.
    assert told(platform, americas, "issued") == {"deu-vehicles", "can-roads"}
    assert told(platform, africa, "issued") == set()
    clusters = {
        delivery["cluster_id"] for each in (europe, americas) for _, delivery in platform.deliveries(each["alert_id"])
    }
    assert len(clusters) == 1
    assert not clusters & {each["alert_id"] for each in (europe, americas, africa)}, "it names an alert"


def test_when_the_alert_that_stands_for_a_car_is_withdrawn_another_takes_its_place(platform: Platform) -> None:
    vin = new_vin()
    first, second = alert("deu-vehicles", subject__vin__raw=vin), alert("ken-police", subject__vin__raw=vin)
    for each in (first, second, next_version(first, "withdraw")):
        platform.settled(each)
    assert told(platform, first, "withdrawn", 2) == TAKERS["deu-vehicles"]
    assert told(platform, second, "issued") == TAKERS["ken-police"]


def test_issuers_of_alerts_that_may_not_stand_side_by_side_are_told_what_they_may_know(platform: Platform) -> None:
    for excluded in ([], ["deu-vehicles"]):
        vin = new_vin()
        seizure = alert("deu-vehicles", subject__vin__raw=vin)
        watch = {"category": "discreet_check", "action": "check_discreetly", "excluded": excluded}
        check = alert("ken-police", subject__vin__raw=vin, **watch)
        receipts = [platform.settled(each)[0] for each in (seizure, check)]
        remarks = [[each["rule"] for each in receipt["remarks"]] for receipt in receipts]
        assert [rules.count("compatibility.conflict") for rules in remarks] == [0, 1]
        assert told(platform, check, "issued")  # a conflict holds nothing up
        notices = [(who, each) for who, each in platform.notices if each["alert_id"] == seizure["alert_id"]]
        assert [who for who, _ in notices] == ([] if excluded else ["deu-vehicles"])
        for _, notice in notices:
            assert notice["source"] == receipts[0]["source"]
            assert check["alert_id"] in notice["remarks"][0]["message"]
    platform.assert_balance()


def test_a_car_known_by_its_vin_and_by_its_plate_is_linked_and_told_to_who_may_know(platform: Platform) -> None:
    for excluded in ([], ["deu-vehicles"]):
        plate = {"raw": f"QX-{new_vin()[-6:]}", "normalised": None, "state": "DEU", "subdivision": None}
        by_vin = alert("deu-vehicles", subject__plate=plate | {"type": "ordinary"})
        of_plate = {"subject__vin": None, "subject__plate": plate | {"type": "ordinary"}, "excluded": excluded}
        by_plate = alert("ken-police", **of_plate)
        ids = {by_vin["alert_id"], by_plate["alert_id"]}
        assert [receipt["outcome"] for receipt in platform.settled(by_vin, by_plate)] == ["delivered"] * 2

        def notices(ids: set[str] = ids) -> list[tuple[str, str, list[str]]]:
            platform.catch_up()
            return [
                (who, each["alert_id"], [remark["rule"] for remark in each["remarks"]])
                for who, each in platform.notices
                if each["alert_id"] in ids
            ]

        until(lambda notices=notices: bool(notices()), 30, "the link is told")
        told_of = {("ken-police", by_plate["alert_id"])}
        told_of |= set() if excluded else {("deu-vehicles", by_vin["alert_id"])}
        assert {(who, alert_id) for who, alert_id, _ in notices()} == told_of
        assert {tuple(rules) for _, _, rules in notices()} == {("link.same_subject",)}
        linked = [
            (agency, {each["alert_id"], *each["related"]})
            for agency, inbox in platform.inboxes.items()
            for _, each in inbox
            if each["action"] == "linked" and each["alert_id"] in ids
        ]
        holders = (TAKERS["deu-vehicles"] | TAKERS["ken-police"]) - {"deu-vehicles", "ken-police"}
        assert sorted(agency for agency, _ in linked) == sorted(holders)
        assert all(pair == ids for _, pair in linked)
    platform.assert_balance()


def test_an_update_and_a_withdrawal_reach_all_who_have_the_alert(platform: Platform) -> None:
    record = alert("fra-police", "wanted_person")
    update = next_version(record, subject=record["subject"] | {"height_cm": 190})
    receipts = [platform.settled(each)[0] for each in (record, update, next_version(update, "withdraw"))]
    assert [(each["outcome"], each["delivered_to"]) for each in receipts] == [("delivered", 5)] * 3
    news = platform.told(record)
    assert news.keys() == {"are-police", "bra-federal", "ken-police", "nor-border", "nzl-police"}
    for agency, got in news.items():
        form = "redacted" if agency in ("are-police", "nor-border") else "original"
        assert got == [("issued", 1, form), ("updated", 2, form), ("withdrawn", 3, form)], agency
    (late,) = platform.settled(next_version(update, version=4))
    assert (late["outcome"], [each["rule"] for each in late["remarks"]]) == ("refused", ["alert.ended"])


def test_an_alert_ends_at_its_time_by_itself_and_everyone_hears_of_it(platform: Platform) -> None:
    record = alert("deu-vehicles", expires_at=int(time.time() * 1000) + 12_000)
    platform.settled(record)

    def all_told() -> bool:
        platform.catch_up()
        return told(platform, record, "expired") == TAKERS["deu-vehicles"]

    until(all_told, 60, "all who have it are told")
    assert platform.told(record) == {
        agency: [("issued", 1, "original"), ("expired", 1, "original")] for agency in TAKERS["deu-vehicles"]
    }
    notices = [notice for _, notice in platform.notices if notice["alert_id"] == record["alert_id"]]
    assert [[remark["rule"] for remark in notice["remarks"]] for notice in notices] == [["alert.expired"]]
    (late,) = platform.settled(next_version(record, "extend", expires_at=record["expires_at"] + 3_600_000))
    assert (late["outcome"], [each["rule"] for each in late["remarks"]]) == ("refused", ["alert.ended"])


def test_who_lacks_a_right_gets_the_alert_without_what_it_opens(platform: Platform) -> None:
    record = alert("fra-police", "wanted_person")
    platform.settled(record)
    (_, without), (_, whole) = (
        platform.deliveries(record["alert_id"], agency)[0] for agency in ("nor-border", "ken-police")
    )
    assert (without["form"], without["alert"]["subject"]["biometrics"]) == ("redacted", [])
    assert whole["alert"] == record
    assert without["alert"] == {**record, "subject": {**record["subject"], "biometrics": []}}
    # A proof over other bytes would prove nothing.
    by_agency = {name: dict(message.headers() or []) for name in ("nor-border", "ken-police")
                 for message, each in platform.inboxes[name] if each["alert_id"] == record["alert_id"]}  # fmt: skip
    assert "hc-sig" in by_agency["ken-police"]
    assert "hc-sig" not in by_agency["nor-border"]


def test_who_loses_the_right_to_an_alert_is_told_to_give_it_up_and_sees_no_more_of_it(platform: Platform) -> None:
    record = alert("deu-vehicles")
    platform.settled(record, next_version(record, excluded=["BRA", "maritime-watch"]))
    assert told(platform, record, "recalled", 2) == MARITIME
    assert told(platform, record, "updated", 2) == {"nor-border"}
    for agency in ("bra-federal", "are-police"):
        (_, first), (_, last) = platform.deliveries(record["alert_id"], agency)
        assert (first["form"], last["form"], last["alert"]) == ("original", "none", None)


@pytest.mark.parametrize(
    ("marking", "receivers"),
    [
        pytest.param({"excluded": ["NOR", "africa"]}, {"are-police", "bra-federal", "fra-police"}, id="excluded"),
        pytest.param({"releasable_to": ["maritime-watch", "JPN"]}, MARITIME, id="releasable_to"),
        pytest.param({"tlp": "red", "releasable_to": ["ken-police", "NOR"]}, {"ken-police"}, id="TLP:RED"),
        pytest.param({"tlp": "red"}, set(), id="TLP:RED to nobody"),
        pytest.param({"circulation": ["KEN"]}, {"ken-police"}, id="circulation"),
        pytest.param({"classification": "secret"}, {"fra-police"}, id="secret"),
        pytest.param({"status": "exercise"}, {"fra-police"}, id="exercise"),
    ],
)  # fmt: skip
def test_markings_decide_who_receives(platform: Platform, marking: dict[str, Any], receivers: set[str]) -> None:
    record = alert("deu-vehicles", **marking)
    (receipt,) = platform.settled(record)
    assert told(platform, record, "issued") == receivers
    assert platform.told(record).keys() == receivers
    assert (receipt["outcome"], receipt["delivered_to"]) == (
        "delivered" if receivers else "nobody_entitled",
        len(receivers),
    )


def test_an_update_that_changes_the_identity_keeps_its_receivers_in_whichever_partition(platform: Platform) -> None:
    records = [alert("deu-vehicles") for _ in range(8)]
    platform.settled(*records)
    changed = [
        next_version(each, subject=each["subject"] | {"vin": each["subject"]["vin"] | {"raw": new_vin()}})
        for each in records
    ]
    assert {each["outcome"] for each in platform.settled(*changed)} == {"delivered"}
    takers = TAKERS["deu-vehicles"]
    both = {agency: [("issued", 1, "original"), ("updated", 2, "original")] for agency in takers}

    def handed_over() -> bool:
        # The old partition hands over in a message of its own, which no receipt waits for.
        platform.catch_up()
        return all(len(got) > 1 for each in records for got in platform.told(each).values())

    until(handed_over, 30, "the update reached everyone")
    moved = Counter[bool]()
    homes: dict[str, set[int]] = {}
    for message in platform.read("admitted"):
        for each in records:
            if each["alert_id"].encode() in (message.value() or b""):
                homes.setdefault(each["alert_id"], set()).add(int(message.partition() or 0))
    for each in records:
        moved[len(homes[each["alert_id"]]) > 1] += 1
        assert platform.told(each) == both
    assert moved[True] > 0, "no alert has changed its partition"
    # The old number is free again, and the new one is taken.
    old = [alert("fra-police", subject__vin__raw=each["subject"]["vin"]["raw"]) for each in records]
    new = [alert("fra-police", subject__vin__raw=each["subject"]["vin"]["raw"]) for each in changed]
    assert {each["outcome"] for each in platform.settled(*old)} == {"delivered"}
    merged = platform.settled(*new)
    assert [each["merged_into"] for each in merged] == [each["alert_id"] for each in records]
    # Ended by a withdrawal, it is told to everyone once, wherever it was first seen.
    platform.settled(*[next_version(each, "withdraw") for each in changed])
    for each in records:
        assert told(platform, each, "withdrawn", 3) == takers


def test_versions_that_overtake_each_other_end_in_the_last_one(platform: Platform) -> None:
    record = alert("deu-vehicles")
    second, third = next_version(record), next_version(next_version(record))
    receipts = platform.settled(record, third, second, third)
    assert [each["outcome"] for each in receipts] == ["delivered", "delivered", "refused", "merged"]
    assert [each["rule"] for receipt in receipts[2:] for each in receipt["remarks"]][:1] == ["version.superseded"]
    for got in platform.told(record).values():
        assert [(action, version) for action, version, _ in got] == [("issued", 1), ("updated", 3)]


@pytest.mark.faults
@pytest.mark.parametrize("victim", ["distribute", "admit"])
def test_kill_9_in_mid_batch_loses_and_repeats_nothing(platform: Platform, victim: str) -> None:
    kills, count = 4, 900
    issuers = ("deu-vehicles", "bra-federal", "ken-police")
    alone = [alert(issuer) for _ in range(count) for issuer in issuers]
    shared = [(alert("deu-vehicles", subject__vin__raw=vin), alert("bra-federal", subject__vin__raw=vin))
              for vin in (new_vin() for _ in range(150))]  # fmt: skip
    records = [*alone, *(each for pair in shared for each in pair)]
    random.SystemRandom().shuffle(records)
    # What it writes, committed or not, says how far it is.
    watched = {"distribute": "register", "admit": "admitted"}[victim]
    process = platform.cluster.process(victim)
    process.kill()
    before = platform.written(watched)
    places: list[Place] = []
    for issuer in issuers:
        mine = [each for each in records if each["issuer"] == issuer]
        places += platform.publish(*mine)
    moments = sorted(random.SystemRandom().sample(range(1, len(records) * 8 // 10), kills))
    for moment in moments:
        platform.launch(victim)
        until(
            lambda at=before + moment: platform.written(watched) >= at,
            60,
            lambda: f"{victim} works\n{process.last_lines()}",
            0.002,
        )
        process.kill()
    platform.catch_up()
    open_yet = [place for place in places if not platform.receipts.get(place) and not platform.quarantine.get(place)]
    assert open_yet, "the last kill came too late"
    platform.launch(victim)
    platform.wait_ended(places, 90)

    outcomes = Counter(platform.receipt(place)["outcome"] for place in places)
    assert outcomes == {"delivered": len(alone) + len(shared), "merged": len(shared)}
    for each in alone:
        assert platform.told(each) == {agency: [("issued", 1, "original")] for agency in TAKERS[each["issuer"]]}
    for german, brazilian in shared:
        got = [*platform.deliveries(german["alert_id"]), *platform.deliveries(brazilian["alert_id"])]
        everyone = TAKERS["deu-vehicles"] | TAKERS["bra-federal"]
        assert Counter(agency for agency, _ in got) == dict.fromkeys(everyone, 1), "one of the two for everyone"
    until(platform.both_ready, 30, "both are ready")
    platform.assert_balance()
