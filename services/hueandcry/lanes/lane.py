"""The lane: consumer, state and transactions of one stage in one process.

Rules:
1. A batch is read only when the one before it is settled: committed, or rolled back and rewound. So memory is bounded,
   the broker holds the rest (back-pressure), and no transaction is open while partitions change hands.
2. What a stage changes becomes visible in one transaction: its records, its changelog, its offsets.
3. Local state follows the commit (`state`), and is brought up to date before the first message (`restore`).
4. Everything that touches librdkafka or the state runs in one thread; the event loop stays free for health and metrics.
5. A broker that is away, a transaction that took too long, partitions that moved: the lane goes back to what is
   committed and goes on. It stops for good only when another process has its identity, or its disk fails. A call of
   librdkafka's that does not come back is left behind.
6. A record that the broker will never take costs its own message (`Stage.give_up`), not the batch and not the worker.
7. What becomes due with time is done in transactions of its own (`ticks`), which like all others hold offsets: who has
   lost a partition can't commit to its state.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

from confluent_kafka import Consumer, KafkaException, TopicPartition
from mode import Service

from hueandcry.errors import Fenced, LaneError, StateError
from hueandcry.lanes import metrics
from hueandcry.lanes.app import LaneApp
from hueandcry.lanes.assignment import Assignment
from hueandcry.lanes.batch import Batch, Effects, Incoming, Record, Tick
from hueandcry.lanes.intake import taken
from hueandcry.lanes.patience import Patience
from hueandcry.lanes.state import Overlay
from hueandcry.lanes.ticks import Ticker, Timed
from hueandcry.lanes.transaction import Aborted, Transactor

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_CHUNK = 50
_RETRY_SECONDS = 0.5
_CALL_SECONDS = 10.0
#: After so many roll-backs of the same batch the lane opens everything anew.
_BATCH_FAILURES = 5
_FENCED_AGAIN_SECONDS = 60.0


class Stage(Protocol):
    """What a lane works for."""

    def process(self, batch: Batch) -> Effects:
        """What the batch makes: records, and changes of state. Must not fail because of one bad message."""
        ...

    def give_up(self, batch: Batch, reason: str) -> Effects:
        """What to write instead for the only message of `batch`, a record of which the broker will never take."""
        ...


class Lane(Service):
    """Feeds one Faust agent with batches and commits what it makes of them.

    Args:
        app: the Faust app; the lane opens a channel of it.
        name: of the lane; prefix of its group, transactional id and state folder.
        topics: names, or one regular expression that begins with ^. All with as many partitions as the changelog.
        changelog: compacted topic of the state.
        stage: what to do with the batches.
        timed: the stage again, if things become due for it with time.
        consumer, producer: librdkafka's settings.
        state_dir: folder of the databases.
        instance: which of the lane's processes this is; the same over restarts.
        max_messages, max_bytes: bounds of a batch.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        app: LaneApp,
        *,
        name: str,
        topics: Sequence[str],
        changelog: str,
        stage: Stage,
        timed: Timed | None = None,
        consumer: dict[str, Any],
        producer: dict[str, Any],
        state_dir: Path,
        instance: str = "0",
        max_messages: int = 500,
        max_bytes: int = 8 << 20,
        session_timeout_ms: int = 10_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.name = name
        self.failure: StateError | Fenced | None = None
        self._topics = list(topics)
        self._changelog = changelog
        self._stage = stage
        self._identity = f"{name}.{instance}"
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._clock = clock
        self._consumer_config = {
            **consumer,
            "group.id": f"{name}.lane",
            "group.instance.id": self._identity,
            "session.timeout.ms": session_timeout_ms,
            "max.poll.interval.ms": 300_000,
            "partition.assignment.strategy": "range",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": timed is not None,
            "auto.offset.reset": "earliest",
            "queued.max.messages.kbytes": 16 << 10,
            "fetch.wait.max.ms": 20,
            "topic.metadata.refresh.interval.ms": 30_000,
        }
        self._producer_config = producer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        restore_config = {**consumer, "group.id": f"{name}.restore"}
        self._held = Assignment(name, state_dir / f"{name}-{instance}", changelog, restore_config)
        #: Of batches that were rolled back: by topic and partition, the offset up to which messages go one by one.
        self._suspects: dict[tuple[str, int], int] = {}
        #: By topic and partition, the offset to be read next, as it was last committed.
        self._positions: dict[tuple[str, int], int] = {}
        self._ticker = Ticker(timed, clock) if timed is not None else None
        self._hopeless: tuple[tuple[str, int, int], str] | None = None
        self._failures = 0
        #: Timestamp of the oldest message that was taken and isn't settled, epoch milliseconds.
        self._oldest_ms: int | None = None
        metrics.ABORTS.labels(name)
        metrics.REOPENED.labels(name)
        metrics.OLDEST_SECONDS.labels(name).set_function(self._oldest_seconds)
        self._fenced_at = float("-inf")
        self._consumer: Consumer | None = None
        self._transactor: Transactor | None = None
        self.channel = app.channel(maxsize=1)
        self.agent = app.agent(self.channel, name=name)(self._work)

    @property
    def ready(self) -> bool:
        """True while the lane has its partitions and their state is up to date."""
        return self._held.joined and not self._held.restoring and self.failure is None

    # -- the Faust side -------------------------------------------------------------------------------------------

    async def _work(self, batches: Any) -> None:
        async for batch in batches:
            try:
                await self._in_thread(self._settle, batch)
            except Exception as error:
                await self._recover(error)
            finally:
                if not batch.settled.done():
                    batch.settled.set_result(None)

    async def on_start(self) -> None:
        await self._in_thread(self._open)

    @Service.task
    async def _read(self) -> None:
        while not self._ending:
            try:
                messages = await self._in_thread(self._fetch)
            except Exception as error:
                await self._recover(error)
                continue
            if messages and not self._ending:
                await self._have_settled(Batch(messages, *self._begun()))
            as_of_ms = self._ticker.wanted_as_of() if self._ticker is not None and self.ready else None
            if self._ticker is not None and as_of_ms is not None and not self._ending:
                await self._have_settled(Tick(as_of_ms, self._ticker.limit, *self._begun()))

    def _begun(self) -> tuple[dict[int, Overlay], asyncio.Future[None]]:
        """State to be changed, and what says when that is settled."""
        return self._held.overlays(), asyncio.get_running_loop().create_future()

    async def _have_settled(self, work: Batch | Tick) -> None:
        await self.channel.put(work)  # type: ignore[arg-type] - Faust takes any value
        await work.settled

    async def on_stop(self) -> None:
        await self._in_thread(self._close)
        self._thread.shutdown(wait=False)

    async def _recover(self, error: Exception) -> None:
        """Go back to what is committed; stop for good where that can't help."""
        while not self._ending:
            if isinstance(error, StateError) or (isinstance(error, Fenced) and self._fenced_again()):
                self.failure = error
                log.error("lane %s stops: %s", self.name, error.diagnostics())
                await self.crash(error)
                return
            known = isinstance(error, (LaneError, KafkaException))
            log.warning("lane %s opens anew after: %s", self.name, error, exc_info=not known)
            metrics.REOPENED.labels(self.name).inc()
            await asyncio.sleep(_RETRY_SECONDS)
            try:
                await self._in_thread(self._reopen)
            except Exception as again:
                error = again
            else:
                return

    def _fenced_again(self) -> bool:
        """Whether it was fenced a short while ago, too: then somebody else lives who has its identity.

        Once is not enough to tell. A consumer whose answer is lost while it joins a slow coordinator is known there by
        a name that it has not heard of, and is fenced by itself.
        """
        before, self._fenced_at = self._fenced_at, time.monotonic()
        return self._fenced_at - before < _FENCED_AGAIN_SECONDS

    @property
    def _ending(self) -> bool:
        return self.should_stop or self.failure is not None

    async def _in_thread(self, call: Callable[..., _T], *arguments: Any) -> _T:
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments))

    # -- the thread's side ----------------------------------------------------------------------------------------

    def _open(self) -> None:
        self._transactor = Transactor(self._producer_config, self._identity, lambda: self._ending)
        self._consumer = Consumer(self._consumer_config)
        self._consumer.subscribe(
            self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )

    def _close(self) -> None:
        if self._consumer is not None:
            # librdkafka's may never come back, as after a rebalance in which a database could not be opened.
            patience = Patience()
            if not patience.ask(self._consumer.close).wait(_CALL_SECONDS):
                log.warning("lane %s leaves a consumer behind that does not close", self.name)
            patience.end()
            self._consumer = None
        self._release()
        if self._transactor is not None:
            self._transactor.close()
            self._transactor = None

    def _reopen(self) -> None:
        self._failures = 0
        self._close()
        self._held.joined = False
        self._open()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._release()
        consumer.assign(partitions)
        if partitions:
            consumer.pause(partitions)
        self._held.take(partitions, int(self._clock() * 1000))
        if self._ticker is not None:
            self._ticker.assigned((each.topic, each.partition) for each in partitions)
        log.info("lane %s has %d partitions", self.name, len(partitions))

    def _on_revoke(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        self._release()

    def _release(self) -> None:
        self._held.release()
        self._suspects, self._hopeless, self._positions = {}, None, {}
        if self._ticker is not None:
            self._ticker.assigned(())

    def _fetch(self) -> list[Incoming]:
        assert self._consumer is not None  # noqa: S101 - opened in on_start
        epoch = self._held.epoch
        if self._held.restoring:
            if self._held.restore_on(1.0):
                self._consumer.resume(self._held.places)
            # Nothing comes while the partitions are paused; this keeps the lane's place in the group.
            return self._taken(1, 0) if epoch == self._held.epoch else []
        limit = 1 if self._suspects else self._max_messages
        # consume() waits its whole timeout for a full batch: wait for the first message only, then take what is there.
        messages = self._taken(1, 0.2)
        size = sum(len(message.value or b"") for message in messages)
        while messages and len(messages) < limit and size < self._max_bytes:
            more = self._taken(min(_CHUNK, limit - len(messages)), 0)
            if not more:
                break
            size += sum(len(message.value or b"") for message in more)
            messages += more
        # A rebalance inside consume() starts all partitions again at what is committed: what was read before is stale.
        return messages if epoch == self._held.epoch else []

    def _taken(self, most: int, seconds: float) -> list[Incoming]:
        assert self._consumer is not None  # noqa: S101 - opened in on_start
        return taken(self.name, self._consumer.consume(most, seconds), self._ticker)

    def _settle(self, batch: Batch | Tick) -> None:
        # Of the same batch again where it was rolled back, so that a partition that is stuck is seen to be.
        self._oldest_ms = min(message.timestamp for message in batch.messages) if isinstance(batch, Batch) else None
        if isinstance(batch, Tick):
            self._settle_tick(batch)
            return
        alone = bool(self._suspects)
        first = batch.messages[0]
        place = (first.topic, first.partition, first.offset)
        hopeless = self._hopeless[1] if self._hopeless is not None and self._hopeless[0] == place else None
        try:
            started = time.perf_counter()
            effects = self._stage.process(batch) if hopeless is None else self._stage.give_up(batch, hopeless)
            metrics.PROCESS_SECONDS.labels(self.name).observe(time.perf_counter() - started)
            self._commit(effects, batch.next_offsets(), watch_each=alone)
        except Aborted as aborted:
            metrics.ABORTS.labels(self.name).inc()
            log.warning("lane %s: transaction rolled back: %s", self.name, aborted)
            if alone and aborted.refused is not None:
                # Given up in a transaction to come: librdkafka counts the refused record as sent, so the next record
                # to that partition may be out of sequence and cost one more transaction.
                self._hopeless = (place, aborted.refused.str())
            self._rewind(batch, aborted)
            return
        self._failures = 0
        self._oldest_ms = None
        if self._ticker is not None:
            self._ticker.read(batch.messages)
        for message in batch.messages:
            metrics.MESSAGES.labels(self.name, message.topic).inc()
        for where, offset in batch.next_offsets().items():
            if offset >= self._suspects.get(where, offset + 1):
                del self._suspects[where]

    def _settle_tick(self, tick: Tick) -> None:
        assert self._ticker is not None  # noqa: S101 - ticks come from it
        effects = self._ticker.effects(tick)
        numbers = {number for number, overlay in effects.state.items() if overlay.writes}
        if not numbers:
            self._ticker.done(more=False)
            return
        try:
            self._commit(effects, self._read_up_to(numbers), watch_each=self._ticker.alone)
        except Aborted as aborted:
            metrics.ABORTS.labels(self.name).inc()
            log.warning("lane %s: what is due was rolled back: %s", self.name, aborted)
            self._ticker.rolled_back(tick, aborted.refused.str() if aborted.refused is not None else "")
        else:
            self._ticker.done(more=effects.more)

    def _read_up_to(self, numbers: set[int]) -> dict[tuple[str, int], int]:
        """For each partition that is held, of one of its topics the offset to be read next, to be committed again."""
        assert self._consumer is not None  # noqa: S101 - opened in on_start
        places = {each.partition: each for each in self._held.places if each.partition in numbers}
        unknown = [each for each in places.values() if (each.topic, each.partition) not in self._positions]
        for each in self._consumer.committed(unknown, timeout=_CALL_SECONDS) if unknown else ():
            low = each.offset
            if low < 0:
                low = self._consumer.get_watermark_offsets(each, timeout=_CALL_SECONDS)[0]
            self._positions[each.topic, each.partition] = low
        return {(at.topic, at.partition): self._positions[at.topic, at.partition] for at in places.values()}

    def _commit(self, effects: Effects, positions: dict[tuple[str, int], int], *, watch_each: bool = False) -> None:
        assert self._consumer is not None  # noqa: S101 - opened in on_start
        assert self._transactor is not None  # noqa: S101 - opened in on_start
        changed = {number: overlay.writes for number, overlay in effects.state.items() if overlay.writes}
        changelog = {
            number: [Record(self._changelog, value, key, partition=number) for key, value in writes.items()]
            for number, writes in changed.items()
        }
        offsets = [TopicPartition(topic, number, at) for (topic, number), at in positions.items()]
        started = time.perf_counter()
        ends = self._transactor.commit(
            effects.records, changelog, offsets, self._consumer.consumer_group_metadata(), watch_each=watch_each
        )
        self._positions.update(positions)
        now_ms = int(self._clock() * 1000)
        for number, writes in changed.items():
            self._held.stores[number].apply(writes, ends[number], now_ms)
        metrics.COMMIT_SECONDS.labels(self.name).observe(time.perf_counter() - started)
        metrics.RECORDS.labels(self.name).inc(len(effects.records))
        if effects.committed is not None:
            effects.committed()

    def _oldest_seconds(self) -> float:
        oldest_ms = self._oldest_ms
        return 0.0 if oldest_ms is None else max(0.0, self._clock() - oldest_ms / 1000)

    def _rewind(self, batch: Batch, aborted: Aborted) -> None:
        assert self._consumer is not None  # noqa: S101 - opened in on_start
        self._failures += 1
        if self._failures > _BATCH_FAILURES and not aborted.moved:
            raise LaneError(f"a batch was rolled back {self._failures} times: {aborted}")
        if not aborted.moved:
            # One of the records may be unacceptable: find it by going one by one.
            for where, offset in batch.next_offsets().items():
                self._suspects[where] = max(offset, self._suspects.get(where, 0))
            time.sleep(_RETRY_SECONDS)
        owned = {(each.topic, each.partition) for each in self._held.places}
        for (topic, number), offset in batch.first_offsets().items():
            if (topic, number) in owned:
                self._consumer.seek(TopicPartition(topic, number, offset))
