"""The rules of the orders service in plain Python: no framework, no database, no clock."""
