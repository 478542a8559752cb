"""Attempts, retries, quota, tokens and connections: the only code that sends or sleeps."""

__all__: list[str] = []
