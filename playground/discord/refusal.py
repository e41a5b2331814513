"""`RefusalError`: Discord's "no", with the status, code and error body that a client gets. Knows no route."""

from playground.discord.wire import Json, JsonObject


class RefusalError(Exception):
    """What was asked breaks a rule of Discord; `code` is from the JSON error codes of its reference."""

    def __init__(self, status: int, code: int, message: str, errors: JsonObject | None = None) -> None:
        super().__init__(f"{status} (error code: {code}): {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def body(self) -> JsonObject:
        """Return the JSON body of the answer."""
        body: dict[str, Json] = {"message": self.message, "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        return body


class Problems:
    """Owns what is wrong with one form, by path, and turns it into Discord's "Invalid Form Body"."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str, str]] = []

    def add(self, path: str, code: str, message: str) -> None:
        """Note that the value at dotted `path` is wrong."""
        self._found.append((path, code, message))

    def length(self, path: str, value: str, low: int, high: int) -> None:
        """Note a string whose length is outside `low`..`high`."""
        if low and not value:
            self.add(path, "BASE_TYPE_REQUIRED", "This field is required")
        elif not low <= len(value) <= high:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")

    def count(self, path: str, found: int, low: int, high: int) -> None:
        """Note an array whose length is outside `low`..`high`."""
        if not low <= found <= high:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")

    def raise_if_any(self) -> None:
        """Raise RefusalError 50035 with every problem found."""
        if not self._found:
            return
        tree: dict[str, Json] = {}
        for path, code, message in self._found:
            node = tree
            for step in path.split("."):
                inner = node.setdefault(step, {})
                if not isinstance(inner, dict):
                    raise TypeError(f"{path} runs through a leaf")
                node = inner
            found = node.setdefault("_errors", [])
            if isinstance(found, list):
                found.append({"code": code, "message": message})
        raise RefusalError(400, 50035, "Invalid Form Body", tree)
