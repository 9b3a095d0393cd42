"""The rules of a VIN answer: pure functions over plain values."""
