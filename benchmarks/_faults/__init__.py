"""The rows of benchmarks.faults, a module a kind of fault."""
