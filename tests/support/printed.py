"""What a command printed, as tests look at it."""


def errors_of(err: str) -> list[str]:
    """The lines of standard error, without warnings, such as those of toy weights."""
    return [
        line for line in err.strip().splitlines() if not line.startswith("latentdp: warning: ")
    ]
