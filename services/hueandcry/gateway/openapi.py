"""The interface as OpenAPI 3.1, made from the models that check what comes in; and a page of it for people."""

from __future__ import annotations

import html
from functools import cache
from typing import Any

from hueandcry import __version__
from hueandcry.adapters.formats import MEDIA_TYPES
from hueandcry.alerts.model import SUBJECTS, Alert
from hueandcry.alerts.reports import Report

_REF = "#/components/schemas/{model}"
ALERT: dict[str, Any] = {
    "national_reference": "2026-0001",
    "kind": "stolen_vehicle",
    "category": "seizure",
    "circulation": ["world"],
    "classification": "unclassified",
    "handling_code": "H0",
    "tlp": "green",
    "subject": {"stolen": "vehicle", "vin": {"raw": "WVWZZZ1KZ7W000001"}},
}
HIT: dict[str, Any] = {"type": "sighting", "alert_id": "9d7d6a51-5a0c-5d6a-a0f5-6f6a2d7a1b11", "words": "parked here"}
SEARCH: dict[str, Any] = {"purpose": "traffic stop", "vin": "WVWZZZ1KZ7W000001"}


@cache
def document() -> dict[str, Any]:
    """The document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hue and Cry gateway",
            "version": __version__,
            "description": "Publish alerts and receive those that are for you. See docs/gateway.md.",
        },
        "servers": [{"url": "/"}],
        "security": [{"password": []}, {"token": []}, {"certificate": []}, {"signature": []}],
        "paths": {
            "/v1/alerts": {"post": _taking("Publish alerts", "alerts", "Alert", ALERT)},
            "/v1/hits": {"post": _taking("Report on an alert", "reports", "Report", HIT)},
            "/v1/search": {"post": _searching()},
            "/v1/inbox": {"get": _giving("Alerts that are for you", "delivery")},
            "/v1/receipts": {"get": _giving("What became of what you sent", "receipt")},
            "/v1/notices": {"get": _giving("What others report on your alerts, and answer to you", "notice")},
            **_webhooks(),
        },
        "components": {"schemas": _schemas(), "securitySchemes": _SECURITY, "responses": _RESPONSES},
    }


_SECURITY: dict[str, Any] = {
    "password": {"type": "http", "scheme": "basic", "description": "The agency's user on the platform"},
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "certificate": {"type": "mutualTLS", "description": "Its common name is the agency's user"},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "RFC 9421, by a signing key of the agency, with Signature-Input and Content-Digest",
    },
}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "urn:hueandcry:problem:<rule>"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer (RFC 6901) into the object"},
                    "field": {"type": "string"},
                    "rule": {"type": "string"},
                    "detail": {"type": "string"},
                    "place": {"type": ["string", "null"], "description": "line, index or byte"},
                },
            },
        },
        "errors_left_out": {"type": "integer"},
    },
}
_RESPONSES: dict[str, Any] = {
    "Problem": {
        "description": "Refused (RFC 9457); 429 and 503 have Retry-After",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
_REFUSED = {"4XX": {"$ref": "#/components/responses/Problem"}, "503": {"$ref": "#/components/responses/Problem"}}


def _schemas() -> dict[str, Any]:
    found: dict[str, Any] = {"Problem": _PROBLEM}
    for model in (Alert, Report, *SUBJECTS.values()):
        made = model.model_json_schema(ref_template=_REF)
        found |= made.pop("$defs", {})
        found[model.__name__] = made
    for name, filled in (
        ("Alert", ("alert_id", "issuer", "issuing_state", "issued_at", "action", "provenance")),
        ("Report", ("report_id", "reporter", "reporter_state", "reference", "at")),
    ):
        # Filled in where they are missing.
        found[name]["required"] = [field for field in found[name].get("required", []) if field not in filled]
    return found


def _documents(plural: str) -> dict[str, Any]:
    """Other formats, of which an agency's alerts are made."""
    if plural != "alerts":
        return {}
    return {
        kind: {
            "schema": {"type": "object"} if "json" in kind else {"type": "string"},
            "x-defaults": "header HC-Defaults",
        }
        for kind in MEDIA_TYPES
    }


def _taking(summary: str, plural: str, model: str, example: dict[str, Any]) -> dict[str, Any]:
    ref = {"$ref": _REF.format(model=model)}
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
        "description": "With the same key and the same body there is the same answer, for a day",
    }
    item = {"type": "object", "properties": {"alert_id": {"type": "string"}, "version": {"type": "integer"}}}
    taken = {
        "type": "object",
        "required": ["accepted", plural],
        "properties": {"accepted": {"type": "integer"}, plural: {"type": "array", "items": item}},
    }
    return {
        "summary": summary,
        "operationId": plural,
        "parameters": [key],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": ref, "example": example},
                "application/x-ndjson": {"schema": {"type": "string", "description": "one object a line"}},
                **_documents(plural),
                "application/avro": {
                    "schema": {"type": "string", "format": "binary"},
                    "x-signature": "hc-root, hc-sig, hc-key, hc-path as in Kafka, base64 but for hc-key",
                },
            },
        },
        "responses": {
            "202": {
                "description": "Kafka has it on all replicas; what becomes of it, the receipts say",
                "content": {"application/json": {"schema": taken}},
            },
            **_REFUSED,
        },
    }


def _searching() -> dict[str, Any]:
    by = {name: {"type": "object"} for name in ("plate", "person", "document", "indicator")}
    properties = {"purpose": {"type": "string"}, "officer": {"type": "string"}, "vin": {"type": "string"}, **by}
    more = {"status": {"enum": ["actual", "exercise", "test"]}, "possible": {"type": "boolean"}}
    schema = {"type": "object", "required": ["purpose"], "properties": properties | more}
    return {
        "summary": "Which active alerts you may see on something",
        "operationId": "search",
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": SEARCH}}},
        "responses": {
            "200": {"description": "What was found", "content": {"application/json": {"schema": {"type": "object"}}}},
            "502": {"$ref": "#/components/responses/Problem"},
            **_REFUSED,
        },
    }


def _giving(summary: str, what: str) -> dict[str, Any]:
    event = {"type": "object", "required": ["event"], "properties": {"event": {"type": "string"}}}
    page = {
        "type": "object",
        "required": ["events", "next"],
        "properties": {
            "events": {"type": "array", "items": event},
            "next": {"type": "string", "description": "give it back as `after`"},
        },
    }
    return {
        "summary": summary,
        "description": f"Each event is a {what}; or `erased`, without content; or `unreadable`. At least once each.",
        "operationId": what,
        "parameters": [
            _query("after", {"type": "string"}, "`next` of the page before"),
            _query("from", {"type": "string"}, "without `after`: beginning, latest, or a time"),
            _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "most events"),
            _query(
                "wait", {"type": "integer", "minimum": 0, "maximum": 60, "default": 0}, "seconds, where none is there"
            ),
            _query("form", {"type": "string", "enum": ["json", "raw"]}, "raw: key, value and headers as in Kafka"),
            {
                "name": "Last-Event-ID",
                "in": "header",
                "schema": {"type": "string"},
                "description": "of a stream: the last event that was read",
            },
        ],
        "responses": {
            "200": {
                "description": "A page; or a stream, where text/event-stream is asked for",
                "content": {
                    "application/json": {"schema": page},
                    "text/event-stream": {"schema": {"type": "string"}},
                },
            },
            **_REFUSED,
        },
    }


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _webhooks() -> dict[str, Any]:
    named = [
        {"name": "webhook", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[a-z0-9-]+$"}}
    ]
    ids = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 100}
    time = {"type": "string", "format": "date-time"}
    replay = {
        "oneOf": [
            {"type": "object", "required": ["ids"], "properties": {"ids": ids}, "additionalProperties": False},
            {
                "type": "object",
                "required": ["from"],
                "properties": {"from": time, "until": time},
                "additionalProperties": False,
            },
        ]
    }
    example = {"from": "2026-03-01T12:00:00Z", "until": "2026-03-01T13:00:00Z"}
    return {
        "/v1/webhooks": {
            "get": {
                "summary": "Your webhooks, with their secrets",
                "operationId": "webhooks",
                "responses": _object("200"),
            }
        },
        "/v1/webhooks/{webhook}/dead-letters": {
            "get": {
                "summary": "What a webhook has not taken",
                "operationId": "dead_letters",
                "parameters": named,
                "responses": _object("200"),
            }
        },
        "/v1/webhooks/{webhook}/replay": {
            "post": {
                "summary": "Send again: dead letters, or all of a time",
                "operationId": "replay",
                "parameters": named,
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": replay, "example": example}},
                },
                "responses": _object("202"),
            }
        },
    }


def _object(status: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {status: {"description": "As it says", "content": content}, **_REFUSED}


@cache
def page() -> str:
    """The interface for people, without anything from elsewhere."""
    rows: list[str] = []
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            parameters = ", ".join(f"<code>{each['name']}</code>" for each in operation.get("parameters", ()))
            rows.append(
                f"<tr><td><code>{method.upper()} {html.escape(path)}</code></td>"
                f"<td>{html.escape(operation['summary'])}</td><td>{parameters}</td></tr>"
            )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Hue and Cry gateway</title>"
        "<meta name=viewport content='width=device-width'><style>body{font:16px/1.5 sans-serif;margin:2em;"
        "max-width:60em}table{border-collapse:collapse}td,th{text-align:left;padding:.3em 1em .3em 0;"
        "border-bottom:1px solid #888}</style><h1>Hue and Cry gateway</h1>"
        "<p>The whole of it, for programs: <a href=/openapi.json>openapi.json</a> (OpenAPI 3.1).</p>"
        "<table><thead><tr><th>Request<th>What for<th>Parameters</thead>" + "".join(rows) + "</table></html>"
    )
