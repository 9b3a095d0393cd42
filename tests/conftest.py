from shared import logging

pytest_plugins = ["shared.testing.plugin"]

logging.configure("console", "WARNING")
