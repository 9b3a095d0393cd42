"""The published documents: OpenAPI 3.1 and AsyncAPI 3 of every service."""

import json
from typing import Any

from pydantic.json_schema import models_json_schema

from services.serving import load
from shared.base.settings import SERVICES
from shared.contracts.base import EVENT_TYPES, Event
from shared.messaging.topology import EVENTS, queue_name
from shared.runtime.app import build_app
from shared.runtime.service import Service


def documents() -> dict[str, str]:
    """Return file name -> text of every document."""
    services = {name: load(name) for name in SERVICES}
    files = {}
    for name, service in services.items():
        openapi = build_app(service, service.settings()).openapi()
        openapi["servers"] = [{"url": f"/api/{name}"}]
        files[f"{name}.openapi.json"] = _text(openapi)
        files[f"{name}.asyncapi.json"] = _text(asyncapi(service, services))
    return files


def asyncapi(service: Service, services: dict[str, Service]) -> dict[str, Any]:
    """Return what a service sends and receives, with the names of the services on the other side."""
    sends = sorted(event.type for event in service.publishes)
    receives = sorted(service.consumers.handlers)
    types = sorted({*sends, *receives})
    _, schemas = models_json_schema(
        [(EVENT_TYPES[event_type], "serialization") for event_type in types],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "asyncapi": "3.0.0",
        "info": {"title": f"Reglament: {service.name}", "version": "1", "description": service.title},
        "defaultContentType": "application/json",
        "channels": {
            event_type: {
                "address": event_type,
                "messages": {"event": {"$ref": f"#/components/messages/{event_type}"}},
                "bindings": {
                    "amqp": {
                        "is": "routingKey",
                        "exchange": {"name": EVENTS, "type": "topic", "durable": True, "autoDelete": False},
                    }
                },
            }
            for event_type in types
        },
        "operations": {
            **{f"send {event_type}": _send(event_type, services) for event_type in sends},
            **{f"receive {event_type}": _receive(event_type, service, services) for event_type in receives},
        },
        "components": {
            "messages": {event_type: _message(EVENT_TYPES[event_type]) for event_type in types},
            "schemas": schemas.get("$defs", {}),
        },
    }


def _send(event_type: str, services: dict[str, Service]) -> dict[str, Any]:
    consumers = sorted(name for name, other in services.items() if event_type in other.consumers.handlers)
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{event_type}"},
        "description": f"Consumed by: {', '.join(consumers) or 'nobody yet'}.",
    }


def _receive(event_type: str, service: Service, services: dict[str, Service]) -> dict[str, Any]:
    producers = sorted(
        name for name, other in services.items() if any(event.type == event_type for event in other.publishes)
    )
    purpose = (service.consumers.handlers[event_type].__doc__ or "").strip()
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{event_type}"},
        "description": f"Published by: {', '.join(producers)}. {purpose}",
        "bindings": {"amqp": {"ack": True, "bindingVersion": "0.3.0"}},
        "x-queue": queue_name(service.name, event_type),
    }


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event.type,
        "summary": (event.__doc__ or "").strip(),
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "headers": {
            "type": "object",
            "properties": {
                name: {"type": "string"}
                for name in (
                    "cloudEvents:id",
                    "cloudEvents:source",
                    "cloudEvents:type",
                    "cloudEvents:subject",
                    "cloudEvents:time",
                    "correlation-id",
                    "causation-id",
                    "traceparent",
                    "office-id",
                    "scope",
                )
            },
        },
        "correlationId": {"location": "$message.header#/correlation-id"},
    }


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
