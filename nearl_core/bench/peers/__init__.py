"""Published few-shot methods, one module each, written from their papers; see `few_shot.py`."""
