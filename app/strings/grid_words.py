"""What batch review says."""

from nearl_core.words import counted

TITLE = "Batch review"
BAR = "At least"
LOOKED = "{done} of {total} scans looked at."
MORE = "{count} more of this label for the next page."
NONE = (
    "The model is not that sure of any scan that nobody has decided. Lower the bar, or decide "
    "more scans."
)
NONE_OF_LABEL = "The model is that sure of no scan of this label, or of no more."
WAITS = "The model is still looking."
HINT = (
    "Click, or Space on a scan, takes it out; it stays without a decision. What you accept counts "
    "as seen in a grid and teaches less."
)
NONE_APPLIES = "None applies"
UNKNOWN = "{notice} What you accept says that it is absent."
TAKE_BACK = "Take back"
ACCEPT = "Accept {count} as {label}"
ACCEPT_NONE = "Accept"
SKIP = "Take all out"
ACCEPTED = "{count} accepted as {label}."
TAKEN_BACK = "{count} taken back."
BLIND = "This project is read blind first, so no scan is accepted from a grid."
NO_ENGINE = "Batch review needs the model, which is not there yet."
CELL = "{name}, {percent}"
CELL_OUT = "taken out"


def looked(done: int, total: int, more: int) -> str:
    """How many scans were looked at, and how many belong to the page but came after it."""
    said = LOOKED.format(done=done, total=total)
    return f"{said} {MORE.format(count=more)}" if more else said


def of_label(label: str, count: int) -> str:
    """So many scans are suggested so."""
    return f"{label}   {counted(count, 'scan')}"
