"""Reads, shaped for the screens that show them."""
