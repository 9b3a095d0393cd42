"""`./reglament new-service`: a service that runs from its first minute."""
