"""From claims to the records of the topic `claims`, and from what was done to those of the ledger.

Rules:
1. Claims to one partition come in the order in which they were made.
2. What alerts say of their keys (held, dropped) goes together, many in one record: most alerts say it to several
   partitions, and most of it finds nobody. A claim of another type to the same partition first sends what waits there.
3. What a batch has done goes into the ledger together, at its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hueandcry.distribute.mail import Claim, claim
from hueandcry.lanes.batch import Record
from hueandcry.ledger.records import TOPIC as LEDGER
from hueandcry.ledger.records import Act, batches
from hueandcry.receipts import REPORT_HEADER
from hueandcry.wire.codec import encode
from hueandcry.wire.framing import frame

CLAIMS = "claims"
#: Types that go together.
OF_KEYS = frozenset({"held", "dropped"})
#: Most alerts in one record; at a dozen keys each it has less than half a megabyte.
MOST = 500


def posted(items: Iterable[Record | Claim | Act], claim_id: int, ledger_id: int) -> Iterator[Record]:
    """The records as they are, the claims, each of which says where to, as records, and what was done as the ledger's.

    Args:
        claim_id: registry id of hueandcry.Claim.
        ledger_id: registry id of hueandcry.LedgerBatch.
    """
    waiting: dict[int, list[dict[str, Any]]] = {}
    acts: list[Act] = []
    for item in items:
        if isinstance(item, Record):
            yield item
            continue
        if isinstance(item, Act):
            acts.append(item)
            continue
        assert item.to is not None  # noqa: S101 - those to all partitions are made one for each before
        if item.record["type"] in OF_KEYS:
            together = waiting.setdefault(item.to, [])
            together.append(item.record)
            if len(together) == MOST:
                yield _together(item.to, waiting.pop(item.to), claim_id)
            continue
        if item.to in waiting:
            yield _together(item.to, waiting.pop(item.to), claim_id)
        yield _record(item.to, item.record, claim_id)
    for to, together in waiting.items():
        yield _together(to, together, claim_id)
    for value in batches(acts, ledger_id):
        yield Record(LEDGER, value)


def _together(to: int, records: list[dict[str, Any]], claim_id: int) -> Record:
    if len(records) == 1:
        return _record(to, records[0], claim_id)
    first = records[0]
    return _record(to, claim("keys", first["alert_id"], first["version"], first["home"], several=records), claim_id)


def _record(to: int, record: dict[str, Any], claim_id: int) -> Record:
    headers = [REPORT_HEADER] if record["type"] == "report" else []
    value = frame(claim_id, encode("hueandcry.Claim", record))
    return Record(CLAIMS, value, record["alert_id"].encode(), headers, partition=to)
