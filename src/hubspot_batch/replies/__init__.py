"""From the bytes of a reply to typed results: decoding, pairing records with inputs, refusals."""

__all__: list[str] = []
