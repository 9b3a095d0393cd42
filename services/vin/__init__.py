"""Requests by VIN or FRAME and their answers (VIN-01…VIN-10)."""
