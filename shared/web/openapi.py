"""Finishing touches to a service's OpenAPI document."""

from typing import Any

from fastapi import FastAPI

from shared.web.problems import Problem


def describe(app: FastAPI) -> None:
    """Add the problem schema that every route's error responses refer to."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        return document

    app.openapi = openapi  # type: ignore[method-assign]
