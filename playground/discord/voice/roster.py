"""Which leaf of a key group's tree belongs to whom, as every MLS member computes it. Knows no messages and no keys."""


class Roster:
    """Owns the leaves of one group, in the order of the tree (RFC 9420, 7.7)."""

    def __init__(self) -> None:
        self._leaves: list[int | None] = []

    @property
    def users(self) -> frozenset[int]:
        """User ids of everybody in the tree."""
        return frozenset(user for user in self._leaves if user is not None)

    def leaf(self, user_id: int) -> int:
        """Return a user's leaf index. Raises ValueError for a stranger."""
        return self._leaves.index(user_id)

    def add(self, user_id: int) -> None:
        """Give a user the leftmost blank leaf, or a new one."""
        if None in self._leaves:
            self._leaves[self._leaves.index(None)] = user_id
        else:
            self._leaves.append(user_id)

    def remove(self, leaf: int) -> int:
        """Blank a leaf and return whose it was."""
        user, self._leaves[leaf] = self._leaves[leaf], None
        while self._leaves and self._leaves[-1] is None:
            self._leaves.pop()
        if user is None:
            raise ValueError(f"leaf {leaf} is blank")
        return user
