"""What is said of how scans are read: confidence, notes, blind reads, repeats, readers."""

from nearl_core.types import Confidence

CONFIDENCE_WORDS = {Confidence.PROBABLE: "probable", Confidence.POSSIBLE: "unsure"}
NOTE = "Note"
NOTE_HINT = "Note   {key}"
NOTE_TIP = "Kept with the decision in the project. It never leaves in an export."
