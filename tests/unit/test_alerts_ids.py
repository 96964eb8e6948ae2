"""Ids are deterministic UUIDv5 in namespaces that never change."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from hueandcry.alerts import ids
from hueandcry.alerts.remarks import Remark


def test_the_ids_that_are_out_in_the_world_never_change():
    assert ids.alert_id("fr-pn", "FR-2026-000117") == "d7c47b2e-5ab8-5742-a325-3cef134513b0"
    assert ids.delivery_id("a", 1, "issued", "cause") == "557117ce-d424-5718-a605-7aca639f82f7"
    assert ids.receipt_id("alerts.europe", 0, 7) == "4ee50c76-d0ea-50f6-b106-fecdcdf83191"


@given(st.text(), st.text(), st.integers(0), st.text())
def test_ids_are_uuid5_of_their_parts(first: str, second: str, number: int, cause: str):
    assert ids.alert_id(first, second) == str(uuid.uuid5(ids.ALERT_NAMESPACE, f"{first}\n{second}"))
    assert ids.delivery_id(first, number, second, cause) == str(
        uuid.uuid5(ids.DELIVERY_NAMESPACE, f"{first}\n{number}\n{second}\n{cause}")
    )
    assert ids.receipt_id(first, 3, number) == str(uuid.uuid5(ids.RECEIPT_NAMESPACE, f"{first}\n3\n{number}"))


def test_a_remark_reads_as_one_line_and_as_its_record():
    remark = Remark("subject.vin.raw", "vin.form", "is no VIN", "line 3")
    assert str(remark) == "subject.vin.raw at line 3: is no VIN (vin.form)"
    assert str(Remark("", "wire.decode", "is not Avro")) == "is not Avro (wire.decode)"
    assert remark.as_record() == {
        "field": "subject.vin.raw",
        "rule": "vin.form",
        "message": "is no VIN",
        "place": "line 3",
    }
