"""What a training costs before it starts: operations, bytes, seconds."""
