"""The OpenAPI document at run time: its operations, and inputs and values that follow it."""

__all__: list[str] = []
