from shared.runtime import logging

pytest_plugins = ["tests.support.plugin", "pytester"]

logging.configure("console", "WARNING")
