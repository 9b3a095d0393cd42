"""What the orders service can be asked to do.  One function, one use case, inside the caller's transaction."""
