"""What the reader does, turned into jobs and results; no widgets here."""
