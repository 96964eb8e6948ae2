"""A Faust app without Faust's own consumer and producer: the lanes move the bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from faust.app.base import App, BootStrategy
from mode import ServiceT

from hueandcry.settings import Settings


class _LaneBoot(BootStrategy):
    """Start sensors, web and agents only."""

    enable_kafka = False
    enable_kafka_consumer = False
    enable_kafka_producer = False

    def tables(self) -> Iterable[ServiceT]:
        return []


class LaneApp(App):
    """Faust app whose agents are fed by lanes over channels."""

    BootStrategy = _LaneBoot
    lane: ServiceT | None = None

    async def _wait_for_table_recovery_completed(self) -> bool:
        # Faust waits here for its own tables, which are not used: a lane restores its state itself.
        return False

    async def on_start(self) -> None:
        await super().on_start()
        # Channels are shut until Faust's own consumer has an assignment; ours never gets one.
        self.flow_control.resume()

    async def on_started_init_extra_services(self) -> None:
        await super().on_started_init_extra_services()
        if self.lane is not None:
            await self.add_runtime_dependency(self.lane)


def lane_app(name: str, settings: Settings, **options: Any) -> LaneApp:
    """A Faust app named `name` that serves its web views on the port of the settings, if there is one."""
    port = settings.web_port
    # Faust wants a folder of its own, though it keeps nothing there.
    folder = settings.state_dir / "faust" / f"{name}-{settings.instance}"
    folder.mkdir(parents=True, exist_ok=True)
    return LaneApp(
        f"hueandcry-{name}",
        broker="kafka://lanes-have-their-own-connection",
        web_enabled=bool(port),
        web_host=settings.web_host,
        web_port=port or 6066,
        web_tables_enabled=False,
        web_in_thread=False,
        autodiscover=False,
        datadir=str(folder),
        loghandlers=[],
        **options,
    )


__all__ = ["LaneApp", "lane_app"]
