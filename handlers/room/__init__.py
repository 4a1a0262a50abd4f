"""What is said where a group can hear it."""
