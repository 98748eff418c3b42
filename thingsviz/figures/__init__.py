"""Info tuples and the pictures drawn from them, one picture a file."""
