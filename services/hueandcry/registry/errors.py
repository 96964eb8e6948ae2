"""The refusals of the registry, with the codes that clients of the Confluent REST API know."""

from __future__ import annotations

from hueandcry.errors import RegistryError


class ApiError(RegistryError):
    """A request is refused.

    Attributes:
        status: HTTP status.
        code: `error_code` of the body: the status, or the status and two digits more.
        absent: true where the thing asked for is not there, so that a second look after reading on can help.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = code if code < 1000 else code // 100

    @property
    def absent(self) -> bool:
        return self.status == 404

    def body(self) -> dict[str, int | str]:
        return {"error_code": self.code, "message": str(self)}


def subject_not_found(subject: str) -> ApiError:
    return ApiError(40401, f"Subject '{subject}' not found.")


def version_not_found(version: int | str) -> ApiError:
    return ApiError(40402, f"Version {version} not found.")


def schema_not_found() -> ApiError:
    return ApiError(40403, "Schema not found")


def invalid_schema(reason: str) -> ApiError:
    return ApiError(42201, f"Invalid schema: {reason}")


def store_error(reason: str) -> ApiError:
    return ApiError(50001, f"The topic of the registry can't be used: {reason}")


def timed_out(what: str) -> ApiError:
    return ApiError(50002, f"Timed out: {what}")
