"""What tests stand on: real servers, made for the run and gone after it. No service imports this package."""
