"""How a number's sign and unit are set in text that people read."""

MINUS = "\N{MINUS SIGN}"
# a number and its unit stay on one line
PERCENT = "\N{NO-BREAK SPACE}%"


def minus(text: str) -> str:
    """Turn the hyphens of formatted numbers into minus signs, as wide as a plus."""
    return text.replace("-", MINUS)
