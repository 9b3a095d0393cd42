"""Read-only selections, shaped for the routes that show them."""
