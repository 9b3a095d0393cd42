"""What tests stand on. Nothing of the product imports this package."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""
