"""Reads shaped for their callers."""
