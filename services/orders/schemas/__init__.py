"""What callers send: request bodies, one per use case."""
