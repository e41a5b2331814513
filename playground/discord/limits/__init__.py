"""What Discord accepts: pure checks of what an application sends. Knows no state and no wire."""
