"""What goes wrong on the operator's machine, told in one line."""


class OperatorError(Exception):
    """The message is for the operator: what is wrong and, where there is one, the command that mends it."""
