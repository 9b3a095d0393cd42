from shared.runtime import logging

pytest_plugins = ["tests.support.plugin"]

logging.configure("console", "WARNING")
