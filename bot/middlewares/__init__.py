"""What every update passes through on its way to a handler."""
