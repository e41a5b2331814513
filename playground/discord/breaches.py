"""What the application did that this Discord does not know or does not allow. Knows no route and no opcode."""


class PlaygroundError(AssertionError):
    """Raised when the playground closes: something happened in it that nobody looked at. Names all of it."""

    def __init__(self, found: tuple[str, ...]) -> None:
        super().__init__("the playground's Discord met what it does not know or allow:\n- " + "\n- ".join(found))
        self.found = found


class Breaches:
    """Owns the list of what nobody has looked at yet."""

    def __init__(self) -> None:
        self._found: list[str] = []

    @property
    def found(self) -> tuple[str, ...]:
        """Everything recorded and not yet forgiven."""
        return tuple(self._found)

    def record(self, what: str) -> None:
        """Remember something that must not pass unnoticed."""
        self._found.append(what)

    def forgive(self) -> tuple[str, ...]:
        """Take note of everything: return it, and let the playground close without raising."""
        found, self._found = self.found, []
        return found

    def raise_if_any(self) -> None:
        """Raise PlaygroundError with everything that was not forgiven."""
        if self._found:
            raise PlaygroundError(self.found)
