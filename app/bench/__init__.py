"""Measures the desk: real widgets, store and decoding; `python -m app.bench`."""
