"""What is said of how scans are read: confidence, notes, blind reads, repeats, readers."""

from nearl_core.types import Confidence
from nearl_core.words import counted

CONFIDENCE_WORDS = {Confidence.PROBABLE: "probable", Confidence.POSSIBLE: "unsure"}
NAMED_FRAME = "frame {number}"
NOTE = "Note"
NOTE_HINT = "Note   {key}"
NOTE_TIP = "Kept with the decision in the project. It never leaves in an export."

BLIND_FIRST = "Decide first: the suggestion shows after your own call."
ECHO = "Another reader decided this scan; a suggestion would only echo it."
CONTRAST = "You say {own}. The model says {suggested}."
KEEP_HINT = "Enter keeps {own}; another key changes it"
NONE_OF_THEM = "none of the labels"
ADJUDICATE = "Readers disagree. Your decision settles it; Space leaves it open."
SETTLED = "All of these disagreements are looked at."

# --- rules and readers -------------------------------------------------------------------------

RULES_TITLE = "Reading rules"
SUGGESTIONS = "Suggestions"
BLIND_FIRST_CHOICE = "Blind first: show them after the reader's own call"
BLIND_FIRST_NOTE = (
    "Own call, suggestion and final call are kept. The rules hold for every reader of the project."
)
REPEATS = "Hidden repeats"
REPEATS_NOTE = (
    "Of the scans on screen, once a reader has made 100 decisions. What is said then measures how "
    "far readers agree with themselves, and changes nothing else."
)
DIVIDED = "Divide scans among"
DIVIDED_HINT = "Nobody: each reader reads all of them"
SHARED = "Read by all of them"
DIVIDED_NOTE = (
    "Pseudonyms with commas between. Each reader's queue holds their part, all scans of a patient "
    "together; who is not named reads everything. Change it later, and parts change."
)
PART = "Your part: {mine} of {total} scans."
NOT_DIVIDED = "Scans are not divided: that takes two readers, with a comma between them."
NO_PART = "You read all scans; they are divided among {readers}."
READERS_TITLE = "Readers and agreement"
READERS = "Readers"
READER_COLUMNS = (
    *("Reader", "Decided", "Definite", "Probable", "Unsure"),
    *("Median time", "With themself"),
)
TIMES = ("{seconds:.1f} s blind", "{seconds:.1f} s with suggestions")
AGREEMENT = "Agreement"
AGREEMENT_NOTE = (
    "Beyond chance: Cohen's kappa of two readers, Fleiss' of all. Repeats and adjudications do "
    "not count, and a source of labels is no reader: it makes no disagreement."
)
AGREEMENT_COLUMNS = ("Readers", "Scans in common", "Alike", "Kappa (95 % interval)")
NO_READERS = ("Nobody has decided yet.", "", "", "", "", "")
NO_PAIRS = ("No two readers decided the same scan.", "", "", "")
ALL_READERS = "All readers"
SOURCE = "{name} (source)"
OWN = "{kappa} on {scans} repeats"
NO_KAPPA = "not defined"
DISAGREEMENTS = "Disagreements"
DISAGREEMENT_COLUMNS = ("Scan", "What was said", "Settled")
SHOW_SAID = "Show what was said"
ADJUDICATE_BUTTON = "Adjudicate from here"
SAID = "{reader}: {said}"
COUNTING = "Counting…"

COPY_TITLE = "Copy for a reader"
COPY_NAME = "{name}-reader.nearl"
COPYING = "Copying…"
COPIED = "Copied to {name}. What is decided there is taken over by “Merge a reader's copy…”."
MERGE_TITLE = "Merge a reader's copy"
MERGE_WHERE = "The folder of a copy of this project"
MERGE = "Take over"
MERGE_NOTE = (
    "For readers who work at the same time, each in a copy of the project's folder. The copy stays "
    "as it is; merging it again takes over what came since."
)
MERGE_LOOKING = "Comparing…"
MERGE_FOUND = "{decisions} would be taken over: {readers}."
MERGE_NOTHING = "There is nothing to take over."
MERGING = "{done} of {total} taken over"
MERGED = "{decisions} taken over."
MERGE_STOPPED = "Stopped on the way; merging the copy again takes over the rest."


def disagreements(total: int, unsettled: int) -> str:
    """How many scans readers disagree on."""
    if not total:
        return "None."
    scans = f"{counted(total, 'scan')}, {unsettled} not settled."
    return f"{scans} Who still reads should not look at what others said."
