"""The use cases of the orders service, one function each, inside the caller's transaction."""
