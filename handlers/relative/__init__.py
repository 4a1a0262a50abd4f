"""What those at home do who may speak for a worker: agree, answer, give word, stop."""
