"""One service in its own process, with an injected bug on request."""

import json
import os
from collections.abc import Sequence
from importlib import import_module

from fastapi import FastAPI
from joserfc.jwk import KeySet, OKPKey

from services import serving
from shared.base.settings import SERVICES, Settings
from shared.runtime import logging
from shared.runtime.app import build_app
from tests.faults import injected_bugs
from tests.support.harness import TestVerifier

KEY = "REGLAMENT_FAULTS_KEY"
"""The key that signs the operator's tokens: the samples have no service that signs people in."""


def load(name: str) -> None:
    """Import a service: the largest part of its start."""
    import_module(f"services.{name}.app" if name in SERVICES else f"tests.faults.sample.{name}.app")


def serve(names: Sequence[str], port: int) -> None:
    """Serve the product's services under `/api/<name>`, as `python -m services serve` does, or a sample at the root."""
    settings = Settings()
    logging.configure(settings.log_format, settings.log_level)
    injected_bugs.inject(os.environ.get(injected_bugs.VARIABLE))
    serving.serve(_application(names), "127.0.0.1", port)


def _application(names: Sequence[str]) -> FastAPI:
    if set(names) <= set(SERVICES):
        return serving.build_root(names)
    [name] = names
    service = import_module(f"tests.faults.sample.{name}.app").service
    return build_app(service, verifier=OperatorVerifier(os.environ[KEY]))


class OperatorVerifier(TestVerifier):
    def __init__(self, key: str) -> None:
        super().__init__()
        for issuer in self._issuers.values():
            issuer.keys = KeySet([OKPKey.import_key(json.loads(key))])
