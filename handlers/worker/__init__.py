"""What a worker says, and what is answered."""
