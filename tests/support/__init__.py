"""Shared tools of the tests. The product does not import this package."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""
