"""What a client did that the voice gateway's protocol does not allow. Knows no socket and no session."""


class BreachError(Exception):
    """A message no voice server can make sense of; `code` is what the websocket is closed with."""

    def __init__(self, text: str, *, code: int) -> None:
        super().__init__(text)
        self.code = code


class RefusedError(Exception):
    """What Discord answers by closing the websocket with `code`, though the client spoke properly."""

    def __init__(self, text: str, *, code: int) -> None:
        super().__init__(text)
        self.code = code


class VoiceProtocolError(AssertionError):
    """Raised when the voice server closes: clients did what it does not know. Names everything that was seen."""

    def __init__(self, complaints: tuple[str, ...]) -> None:
        super().__init__("the voice server met what it does not know:\n- " + "\n- ".join(complaints))
        self.complaints = complaints
