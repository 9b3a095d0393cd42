"""Use cases of control, one function each, in the transaction of their caller."""
