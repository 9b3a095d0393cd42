"""Real servers for tests, made for one run and removed after it.  No service imports this package."""
