"""Pure rules of the orders service: state tables and policies.  No framework, no database, no clock."""
