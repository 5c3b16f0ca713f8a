"""Benchmarks: figures with the command that makes them; never part of the tests."""
