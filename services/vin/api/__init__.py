"""HTTP interface of the vin service."""

from services.vin.api import reasons, requests

routers = [requests.router, reasons.router]
