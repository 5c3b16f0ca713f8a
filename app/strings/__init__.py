"""Every word that the desk shows; the words of `docs/glossary.md` only.

Here what several parts say; what one part says stands in a module of its own beside this one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from nearl_core.types import Remark, SpacingAt, State, Version
from nearl_core.words import counted

APP_NAME = "NEARL Desk"
WHAT_IT_IS = "Label medical scans with a model that learns from you while you work."
NOT_A_DEVICE = "For data set labelling and research. Not a medical device."
PRIVACY = "Scans, decisions and the model stay on this computer."
LICENCE = "Apache License 2.0. The starter backbone's weights have a licence line of their own."
ABOUT_VERSION = "Version {version}"

# --- states ------------------------------------------------------------------------------------

STATE_WORDS = {
    State.UNSEEN: "Unlabelled",
    State.DEFERRED: "Deferred",
    State.UNASSESSABLE: "Unassessable",
    State.NONE_APPLY: "None applies",
    State.LABELLED: "Labelled",
}
STATE_PROBLEM = "Can't be read"
STATE_AGAIN = "To decide again"
FLAGGED = "flagged"
SHOW_WORDS = {
    "all": "All scans",
    "to-do": "Unlabelled",
    "labelled": "Labelled",
    "deferred": "Deferred",
    "none-apply": "None applies",
    "unassessable": "Unassessable",
    "flagged": "Flagged",
    "again": STATE_AGAIN,
    "unlike": "Unlike all decided",
    "problem": "Can't be read",
    "others": "Other readers' parts",
}
MY_PART = "My part"

# --- queue -------------------------------------------------------------------------------------

QUEUE = "Queue"
SEARCH = "Search"
FILTER = "Filter"
FIND_LABEL = "Find a label"
FIND_BY = "{key}, a part of the name, Enter"
INSTRUCTIVE_FIRST = "Most instructive first"
INSTRUCTIVE_TIP = "Bring the scan that teaches most next, else keep the order of adding."
QUEUE_EMPTY = "No scans yet. Add a folder, or drop files here."
QUEUE_FILLS = "Looking for scans…"
QUEUE_NO_MATCH = "No scan matches the search and the filter."
QUEUE_END = "This is the last scan of the queue."
QUEUE_BEGIN = "This is the first scan of the queue."
ALL_DECIDED = "Every scan in this view has a decision."
ALL_DECIDED_BEFORE = "Every scan in this view has a decision. Undo takes this one back."

# --- scan --------------------------------------------------------------------------------------

SCAN_AREA = "Scan"
NO_SCAN = "No scan"
READING = "Reading the scan…"
WINDOW = "Window"
OWN_WINDOW = "By hand"
COLOUR = "Colour"
SPREAD = "Middle 99 %"
AUTOMATIC = "Automatic"
ALL_FRAMES = "Auto, all frames"
THIS_FRAME = "Auto, this frame"
FILE_LUT = "Table {number} of the file"
TAG_COLUMNS = ("Tag", "Name", "Value")
TAG_HIDDEN = "hidden"
TAG_HIDDEN_TIP = "Hidden, since it may tell who this is."
TAGS_SEARCH = "Search tag, name or value"
SHOW_IDENTITY = "Show identity"
SHOW_IDENTITY_TIP = "Names, dates, identifiers and free text, for this scan only."
NONE_ALIKE = "No decided scan to compare with yet."
ALIKE = "{number} of {total} like this, similarity {likeness:.2f}"
NO_TAGS = "This file has no DICOM header."
LENGTH_MM = {
    SpacingAt.BODY: "{length:.1f} mm",
    SpacingAt.DETECTOR: "{length:.1f} mm at the detector",
    SpacingAt.FILM: "{length:.1f} mm on the film",
}
LENGTH_PX = "{length:.1f} px"
LENGTH_WIDTHS = "{length:.1f} pixel widths"
VALUE = "value {value}"
PLACE = "{value}   column {column}, row {row}"
SERIES = "series {number}"
FRAME = "Frame {number} of {total}"

# --- labels ------------------------------------------------------------------------------------

LABELS = "Labels"
KEY_NAME = "key {key}"
SUGGESTED = "suggested"
DECIDED = "decided"
PENDING = "chosen, Enter records it"
SOURCE_WORDS = "By the labels' words, checked by no decision"
SOURCE_FROZEN = "Frozen, learned from {what}"
SOURCE_VERSION = "Version {version}, learned from {what}"
SOURCE_FROZEN_OF_ALL = "Frozen, from {what}, others' too"
SOURCE_VERSION_OF_ALL = "{version}, from {what}, others' too"
THIS_SCAN = "this scan"
THIS_AND_MORE = "this scan and {count} more"
SUGGESTIONS_HIDDEN = "Suggestions are hidden; decisions are recorded as blind."
SURVEY = "Looking at all scans: {done} of {of}"
SURVEY_ALL = "Look at all scans while nothing else is to do"
SURVEY_HINT = (
    "So the queue knows which of them teach most. With a large backbone and no graphics card "
    "this keeps the processor busy for hours."
)
RANKING_COMES = "The ranking is on its way."
UNLIKE = "This scan is unlike anything decided so far."
HINT_ACCEPT = "Enter accepts {label}"
HINT_CHANGE = "Enter changes it to {label}"
HINT_EDIT = "; a digit puts one in or takes it out"
HINT_RECORD = "Enter records {labels}"
HINT_CHOOSE = "Choose with the labels' digits, then Enter; N where none applies"
HINT_NO_SUGGESTION = "Decide with the label's digit key"
NO_LABEL = "none applies"
NOTHING_TO_ACCEPT = "There is no suggestion to accept; use a label's digit key."
NOTHING_TOGGLED = "No label is chosen; N says that none applies."
NOT_SEEN = "No picture of this scan has shown yet; without one, defer it or call it unassessable."
NO_SUCH_LABEL = "No label has this key."
READ_ONLY_REFUSED = "This project is open elsewhere, so nothing can be saved here."
NOTHING_TO_UNDO = "There is no decision to undo."
NOTHING_TO_REDO = "There is nothing to redo."
UNDONE = "Undone: now {state}."
REDONE = "Redone: now {state}."

# --- training ----------------------------------------------------------------------------------

TRAINING = "Training"
TRAIN = "Train"
CANCEL = "Cancel"
AUTO_TRAIN = "Train every"
NEW_DECISIONS = "new decisions"
LOSS_CURVE = "Loss of each step"
VERSIONS = "Versions"
LIVE = "Live"
MAKE_LIVE = "Make live"
FROZEN_TITLE = "Frozen backbone"
FROZEN_DETAIL = "With the instant learner"
NO_FIGURES = "No held-out figures"
HELD_OUT_FIGURES = "held-out balanced accuracy"
HELD_OUT = "{figure} (n {n})"
ENGINE_LOADING = "The model is being loaded."
NO_ENGINE = "The model can't be loaded; labelling goes on without suggestions."
NOT_TRAINED = "Nothing trained yet; every decision already sharpens the ranking."
READ_ONLY_TRAINING = "Training needs a project that is open for writing."
TRAINING_STARTS = "Training begins."
TRAINING_RUNS = "Training"
TRAINING_STOPS = "Stopping at the next step."
TRAINING_STOPPED = "Training was cancelled; what was live stays live."
STEP_OF = "{text}, {done} of {total}"

# --- status line -------------------------------------------------------------------------------

SAVED = "✓ saved {time}"
DEVICE = "Device"
READER_TIP = "{name} decides here. Project, Preferences… changes that."

# --- projects ----------------------------------------------------------------------------------

BEGIN = "Begin"
RECENT = "Recent projects"
NO_RECENT = "None yet"
DEMO_NOTE = "The demo takes the real DICOM scans that come with the pydicom package."
READER = "Reader"
READER_HINT = "A pseudonym. It goes with each decision."
READER_RULE = "A pseudonym of letters, digits, blanks, dots and hyphens; not your name."
READER_EMPTY = "Give a pseudonym."
READER_NOT_VALID = "Letters, digits, blanks, dots and hyphens only."
READER_STAYS = "{problem} {reader} stays the reader."
READER_IS_SOURCE = "{name} is a source of labels in this project; choose another pseudonym."
CREATING = "Creating the project…"
OPENING = "Opening the project…"
MAKING_DEMO = "Making the demo project…"
FOLDER_GONE = "This folder or file is not there any more."
FOLDER_GONE_REMEDY = "Choose another one, or connect its drive."
FOLDER_UNREADABLE = "This folder can't be read."
FOLDER_UNREADABLE_REMEDY = "Ask for the right to read it, or choose another one."
ADDING = "Adding scans: {added} added, {skipped} skipped"
ADDING_ALREADY = "Scans are being added; add more once that is done."
REMARKS = {
    Remark.UNEVEN: "may lack frames",
    Remark.SHARED: "with several frames at one place",
    Remark.UNPLACED: "in the order of numbers alone",
    Remark.APART: "of series of mixed frames",
    Remark.LATE: "of series that are there already",
}
NOTHING_FOUND = "No scan was found there."
NOTHING_FOUND_REMEDY = "Choose a folder with DICOM, NIfTI, PNG, JPEG, TIFF, BMP or WebP files."
NOT_A_PROJECT = "There is no project at {name}."
NOT_A_PROJECT_REMEDY = "Choose a folder that ends in .nearl, or a folder of scans."

# --- start-up ----------------------------------------------------------------------------------

MISSING_LIBRARIES = (
    "NEARL Desk can't open a window: a system library is missing ({what}).\n"
    "Debian, Ubuntu: sudo apt install libegl1 libgl1 libxkbcommon-x11-0 libxcb-cursor0 "
    "libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libdbus-1-3 libfontconfig1\n"
    "Fedora: sudo dnf install mesa-libEGL mesa-libGL libxkbcommon-x11 xcb-util-cursor "
    "xcb-util-wm xcb-util-keysyms dbus-libs fontconfig"
)
NO_DISPLAY = (
    "NEARL Desk can't open a window: there is no display.\n"
    "Start it in a desktop session, or use the command line: python -m nearl_core --help"
)
USAGE_PROJECT = "a project (NAME.nearl) to open, or a folder of scans to begin one with"
USAGE_DEMO = "open the demo project"


def decisions(count: int) -> str:
    """So many decisions."""
    return counted(count, "decision")


def learned_from(count: int, *, of_this: int) -> str:
    """What a ranking learned from; one that was told of the scan on screen says so."""
    if not (of_this and count):
        return decisions(count)
    more = count - of_this
    return THIS_AND_MORE.format(count=more) if more > 0 else THIS_SCAN


def new_since(count: int) -> str:
    """Decisions that no version learned from."""
    return f"{decisions(count)} not trained on yet."


def of_total(visible: int, total: int) -> str:
    """How many scans the queue shows."""
    return f"{visible}" if visible == total else f"{visible} of {total}"


def progress(decided: int, total: int) -> str:
    """How far the reader is."""
    return f"{decided} of {total} decided"


def saved_at(when: datetime) -> str:
    """When the last decision was saved, in the reader's own time."""
    return SAVED.format(time=f"{when.astimezone():%H:%M:%S}")


def read_only_banner(where: str) -> str:
    """Why nothing can be saved; `where` is the store's own sentence."""
    return f"{where} It is open here for reading: decisions can't be saved."


def version_title(version: Version) -> str:
    """A version, and when it was made by the clock of this place."""
    return f"{version.id}   {version.created.astimezone():%d %b %H:%M}"


def trained(version: Version) -> str:
    """What a training run came to."""
    return f"Version {version.id}. {version.reason}"


def exported(scans: int, images: int, left_out: Sequence[str], splits: str, notices: str) -> str:
    """What an export holds; `left_out` is the reason of each scan that it does not."""
    lines = [
        f"Exported and verified: {counted(scans, 'scan')}, {counted(images, 'image')} ({splits})."
    ]
    if left_out:
        reasons = [f"{count} × {reason}" for reason, count in Counter(left_out).most_common(3)]
        lines.append(f"Left out: {counted(len(left_out), 'scan')}. {' '.join(reasons)}")
    if notices:
        lines.append(notices)
    return "\n".join(lines)


def added(new: int, known: int, skipped: int, reasons: str) -> str:
    """What adding a folder came to."""
    parts = [f"{counted(new, 'scan')} added"]
    if known:
        parts.append(f"{known} were there already")
    if skipped:
        parts.append(f"{counted(skipped, 'file')} skipped ({reasons})")
    return ", ".join(parts) + "."


def remarks(kinds: Iterable[Remark]) -> str:
    """How many of the stacks that were added have frames that stand oddly, or ""."""
    counts = Counter(kinds)
    parts = [f"{counts[kind]} {words}" for kind, words in REMARKS.items() if counts[kind]]
    return f"Of these {', '.join(parts)}." if parts else ""


def backbone_and_version(backbone: str, version: str) -> str:
    """What ranks."""
    return f"{backbone} · {version}"
