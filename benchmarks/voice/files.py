"""How many files a process may have open: each channel needs two at its own end and one at the other."""

import resource


def raise_file_limit() -> None:
    """Let this process open as many as the system lets it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
