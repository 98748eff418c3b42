"""Dated results of the benchmarks, DATE-NAME.json, and the tables of the README made of them."""
