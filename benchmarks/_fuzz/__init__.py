"""The parts of benchmarks.fuzz: damage, judge, and what is read, a module a kind of door."""
