"""A year of a county on a virtual clock: the real schedule and delivery, made-up people."""
