"""Requests by VIN or FRAME and their answers.

Clauses: VIN-01, VIN-02, VIN-03, VIN-04, VIN-05, VIN-06, VIN-07, VIN-08, VIN-09, VIN-10.
"""
