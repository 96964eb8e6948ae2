"""The stolen vehicle, as a publisher writes it. Fields as in avro/hueandcry.StolenVehicle."""

from __future__ import annotations

from typing import Literal

from hueandcry.alerts.base import AlertPart, Degrees, Instant, Int32

VinQuality = Literal["valid", "check_digit_failed", "no_check_digit", "short", "illegal_characters", "unassessed"]
PlateType = Literal[
    "ordinary", "commercial", "motorcycle", "trailer", "diplomatic", "military", "police", "temporary", "export"
]
VehicleCategory = Literal[
    "car",
    "van",
    "truck",
    "bus",
    "motorcycle",
    "moped",
    "trailer",
    "caravan",
    "tractor",
    "machine",
    "boat",
    "aircraft",
    "other",
    "unknown",
]
Stolen = Literal["vehicle", "plate", "both"]


class Vin(AlertPart):
    """A vehicle identification number. A publisher writes raw; the platform fills the rest."""

    raw: str
    normalised: str | None = None
    quality: VinQuality = "unassessed"


class Plate(AlertPart):
    """A registration plate. State is ISO 3166-1 alpha-3, subdivision ISO 3166-2."""

    raw: str
    normalised: str | None = None
    state: str | None = None
    subdivision: str | None = None
    type: PlateType = "ordinary"


class Component(AlertPart):
    """A part with a serial number of its own."""

    part: str
    serial: str


class Place(AlertPart):
    """A place, as far as it is known. Latitude and longitude in degrees, WGS 84."""

    state: str | None = None
    subdivision: str | None = None
    locality: str | None = None
    latitude: Degrees | None = None
    longitude: Degrees | None = None


class StolenVehicle(AlertPart):
    """A vehicle, or its plates, taken or sought.

    Names at least one of vin, plate, engine_number, components, or make and model.
    """

    vin: Vin | None = None
    plate: Plate | None = None
    make: str | None = None
    model: str | None = None
    year: Int32 | None = None
    colours: tuple[str, ...] = ()
    category: VehicleCategory = "unknown"
    engine_number: str | None = None
    components: tuple[Component, ...] = ()
    marks: str | None = None
    stolen_from: Instant | None = None
    stolen_until: Instant | None = None
    place: Place | None = None
    stolen: Stolen = "vehicle"
    occupant_caution: tuple[str, ...] = ()
