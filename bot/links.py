from handlers.links import Links

__all__ = ["Links"]
