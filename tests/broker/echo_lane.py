"""A lane as a process, with a stage that counts by key and echoes; run by the tests with a JSON configuration."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hueandcry.lanes.app import lane_app
from hueandcry.lanes.batch import Batch, Effects, Record, Tick
from hueandcry.lanes.lane import Lane
from hueandcry.lanes.worker import run
from hueandcry.settings import Settings


class Echo:
    """Value `n` of key `k` comes out as `k:count:n`, where count is how many of that key have come.

    A value `huge` makes a record that no broker takes; when the stage gives it up, `k:refused` comes out instead.
    A value `n@time` (epoch milliseconds) comes out at that time as `k:due:n`; `huge@time` is refused then and comes out
    as `k:put-off`.
    """

    def __init__(self, output: str) -> None:
        self.output = output

    def process(self, batch: Batch) -> Effects:
        effects = Effects(state=batch.state)
        for message in batch.messages:
            state, key, value = batch.state[message.partition], message.key or b"", message.value or b""
            what, _, at = value.partition(b"@")
            if at.isdigit():
                state.put(b"due/%013d/%b/%b" % (int(at), key, what), b"")
                continue
            count = int(state.get(key) or b"0") + 1
            state.put(key, str(count).encode())
            text = b"%b:%d:%b" % (key, count, value) if value != b"huge" else b"x" * (3 << 20)
            effects.records.append(Record(self.output, text, key))
        return effects

    def due(self, tick: Tick) -> Effects:
        effects = Effects(state=tick.state)
        for state in tick.state.values():
            for entry, _ in list(state.scan(b"due/")):
                _, at, key, what = entry.split(b"/")
                if int(at) > tick.as_of_ms:
                    break
                if len(effects.records) == tick.limit:
                    effects.more = True
                    return effects
                state.delete(entry)
                text = b"%b:due:%b" % (key, what) if what != b"huge" else b"x" * (3 << 20)
                effects.records.append(Record(self.output, text, key))
        return effects

    def postpone(self, tick: Tick, reason: str) -> Effects:
        for state in tick.state.values():
            for entry, _ in list(state.scan(b"due/"))[:1]:
                if int(entry.split(b"/")[1]) <= tick.as_of_ms:
                    state.delete(entry)
                    key = entry.split(b"/")[2]
                    return Effects([Record(self.output, key + b":put-off", key)], tick.state)
        return Effects(state=tick.state)

    def give_up(self, batch: Batch, reason: str) -> Effects:
        (message,) = batch.messages
        return Effects([Record(self.output, (message.key or b"") + b":refused", message.key)], batch.state)


def main() -> None:
    given: dict[str, Any] = json.loads(sys.argv[1])
    settings = Settings(  # pyright: ignore[reportCallIssue]
        bootstrap=given["client"]["bootstrap.servers"], web_port=given["web_port"], state_dir=Path(given["state_dir"])
    )
    app = lane_app(given["name"], settings)
    echo = Echo(given["output"])
    lane = Lane(
        app,
        name=given["name"],
        topics=[given["input"]],
        changelog=given["changelog"],
        stage=echo,
        timed=echo,
        consumer=given["client"],
        producer=given["client"],
        state_dir=settings.state_dir,
        instance=given["instance"],
        max_messages=given["max_messages"],
        session_timeout_ms=6000,
    )
    run(app, lane)


if __name__ == "__main__":
    main()
