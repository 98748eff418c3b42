"""What a decoder can learn: a module a task, and `registry` with a line for each."""
