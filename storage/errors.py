"""What storage says when it will not do something."""


class Refused(Exception):
    """A request that cannot be done; the message is one clear English sentence for an operator."""
