"""The balance tells a message that is missing from one that is under way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hueandcry.admit import service as admit
from hueandcry.control.doctor import balance as module
from hueandcry.control.doctor.balance import Balance, Inflow
from hueandcry.distribute import report_stage, stage
from hueandcry.distribute import service as distribute
from hueandcry.lanes import tally

EUROPE = ("alerts.europe", 0)
#: 10 came in: 8 read by admit, of which 2 were refused; of the 6 admitted one waits for distribute.
SOUND = Balance(
    inflow={EUROPE: Inflow(before=8, waiting=2, read=8, dropped=0)},
    admit={"read": 8, "admitted": 6, "refused": 2},
    distribute={"read": 5, "delivered": 2, "merged": 1, "nobody_entitled": 1, "refused": 1},
    waiting_distribute=1,
)


def test_all_is_accounted_for() -> None:
    assert SOUND.faults == []
    assert SOUND.came_in == SOUND.accounted + SOUND.waiting == 10
    assert SOUND.outcomes == {"delivered": 2, "merged": 1, "nobody_entitled": 1, "refused": 3}
    assert SOUND.sentence == (
        "10 in, 7 accounted for: 2 delivered, 1 merged, 1 nobody entitled, 3 refused, 3 under way"
    )


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (replace(SOUND, inflow={EUROPE: Inflow(9, 1, 8, 0)}), "alerts.europe[0]: 9 messages were before"),
        (replace(SOUND, inflow={EUROPE: Inflow(7, 3, 8, 0)}), "alerts.europe[0]: 7 messages were before"),
        (replace(SOUND, admit={"read": 8, "admitted": 6, "refused": 1}), "admit has read 8"),
        (replace(SOUND, waiting_distribute=0), "admit has admitted 6, distribute read 5"),
        (replace(SOUND, distribute={**SOUND.distribute, "merged": 0}), "distribute has read 5, and 4"),
    ],
    ids=["lost before admit", "counted twice", "lost in admit", "lost between", "lost in distribute"],
)
def test_what_is_missing_is_named(broken: Balance, told: str) -> None:
    assert len(broken.faults) == 1
    assert broken.faults[0].startswith(told)


def test_of_what_retention_took_only_the_bound_is_known() -> None:
    assert Inflow(before=5, waiting=0, read=8, dropped=3).fits
    assert Inflow(before=5, waiting=0, read=5, dropped=3).fits
    assert not Inflow(before=5, waiting=0, read=9, dropped=3).fits
    assert not Inflow(before=5, waiting=0, read=4, dropped=3).fits


def test_records_that_were_not_all_counted_accuse_nobody() -> None:
    assert replace(SOUND, inflow={EUROPE: Inflow(1, 2, 8, 0)}, counted=False).faults == []


def test_the_names_are_those_that_the_processors_use() -> None:
    assert f"{admit.NAME}.lane" == module.ADMIT_GROUP
    assert f"{distribute.NAME}.lane" == module.DISTRIBUTE_GROUP
    assert (admit.CHANGELOG, distribute.REGISTER) == (module.ADMIT_CHANGELOG, module.REGISTER)
    assert (stage.ADMITTED, stage.TALLY) == (module.ADMITTED, module.ADMITTED)
    assert tally.PREFIX == module._TALLY
    assert report_stage.COUNTED == module.REPORTS
    assert stage.CLAIMS == module.CLAIMS


def test_reports_have_a_balance_of_their_own() -> None:
    hits = replace(SOUND, inflow={("hits.europe", 0): Inflow(before=8, waiting=2, read=8, dropped=0)})
    both = replace(SOUND, reports=hits)
    assert both.faults == []
    assert both.sentence == f"{SOUND.sentence}; reports: {hits.sentence}"
    assert both.to_json()["reports"]["present_by_region"] == {"europe": 10}
    lost = replace(SOUND, reports=replace(hits, waiting_distribute=0))
    assert lost.faults == ["reports: admit has admitted 6, distribute read 5, and 0 wait"]
    assert replace(SOUND, reports=Balance({}, {}, {}, 0)).sentence == SOUND.sentence
