"""What is said of how scans are read: confidence, notes, blind reads, repeats, readers."""

from nearl_core.types import Confidence

CONFIDENCE_WORDS = {Confidence.PROBABLE: "probable", Confidence.POSSIBLE: "unsure"}
NOTE = "Note"
NOTE_HINT = "Note   {key}"
NOTE_TIP = "Kept with the decision in the project. It never leaves in an export."

BLIND_FIRST = "Decide first: the suggestion shows after your own call."
ECHO = (
    "Another reader decided this scan, and the model learned from it: its suggestion shows after "
    "your own call."
)
CONTRAST = "You say {own}. The model says {suggested}."
KEEP_HINT = "Enter keeps {own}; another key changes it"
NONE_OF_THEM = "none of the labels"
ADJUDICATE = "Readers disagree. Your decision settles it; Space leaves it open."
SETTLED = "All of these disagreements are looked at."
ALSO_OTHERS = ", also of other readers"
