"""Labels that exist already: read from tables, folders and headers, shown, taken in as decisions.

What is taken in are labels alone: no path, no name and no other value of a source comes into the
project. They are decisions of a reader of their own, the source, and say that they were imported.
"""
