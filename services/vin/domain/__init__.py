"""The rules of a VIN answer in plain Python."""
