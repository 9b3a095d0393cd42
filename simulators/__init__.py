"""Simulators of what stands outside the product: a mail server, SMS gateways. They import nothing of it."""
