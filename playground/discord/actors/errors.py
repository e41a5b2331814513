"""What an actor is told when something cannot be done or was not answered. Knows no state."""


class ClientRefusedError(AssertionError):
    """Discord's own client would not have let a member do this; the application never heard of it."""


class UnansweredError(AssertionError):
    """The application did not answer in three seconds, or broke another rule of interactions."""
