"""The use cases of the vin service, one function each, inside the caller's transaction."""

from services.vin.commands.answers import add_line, answer_line, delete_line, give_answer, start_correction
from services.vin.commands.reasons import set_reason
from services.vin.commands.requests import place_request

__all__ = [
    "add_line",
    "answer_line",
    "delete_line",
    "give_answer",
    "place_request",
    "set_reason",
    "start_correction",
]
