"""Errors of the operator's machine, reported in one line."""


class OperatorError(Exception):
    """A message for the operator: the cause and, where there is one, the command that mends it."""
