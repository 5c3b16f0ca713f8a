"""Finding, reading, guarding and showing scans."""
