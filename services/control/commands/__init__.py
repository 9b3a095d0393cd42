"""What control can be asked to do.  One function is one use case in the transaction of its caller."""
