"""Requests by VIN or FRAME and their answers."""
