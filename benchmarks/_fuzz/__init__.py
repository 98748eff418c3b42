"""The parts of benchmarks.fuzz: damage, judge, and what is read, a module a kind of door."""

from benchmarks._fuzz import (
    arrivals,
    concepts,
    jobs,
    kept,
    results,
    stores,
    studies,
    tables,
    volumes,
    words,
)

DOORS = (words, tables, concepts, volumes, stores, jobs, results, kept, studies, arrivals)
