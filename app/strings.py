"""Every word that the desk shows, in one place; the words of `docs/glossary.md` only."""

from datetime import datetime

from nearl_core.types import SpacingAt, State, Version

APP_NAME = "NEARL Desk"
WHAT_IT_IS = "Label medical scans with a model that learns from you while you work."
NOT_A_DEVICE = "For data set labelling and research. Not a medical device."
PRIVACY = "Scans, decisions and the model stay on this computer."
LICENCE = "Apache License 2.0. The starter backbone's weights have a licence line of their own."
ABOUT_VERSION = "Version {version}"

# --- menus and commands ------------------------------------------------------------------------

MENUS = {
    "project": "&Project",
    "decide": "&Decide",
    "queue": "&Queue",
    "scan": "&Scan",
    "training": "&Training",
    "help": "&Help",
}
COMMANDS = {
    "new-project": "New project…",
    "open-project": "Open project…",
    "open-demo": "Open demo project",
    "add-scans": "Add scans…",
    "label-set": "Labels…",
    "export": "Export…",
    "backbones": "Backbones…",
    "preferences": "Preferences…",
    "close-project": "Close project",
    "quit": "Quit",
    "accept": "Accept suggestion",
    "defer": "Defer",
    "unsure": "Unsure",
    "none-apply": "None applies",
    "unassessable": "Unassessable",
    "flag": "Flag",
    "undo": "Undo",
    "redo": "Redo",
    "suggestions": "Show suggestions",
    "previous": "Previous scan",
    "next": "Next scan",
    "next-to-do": "Next unlabelled scan",
    "search": "Search",
    "instructive": "Most instructive first",
    "frame-up": "Previous frame",
    "frame-down": "Next frame",
    "first-frame": "First frame",
    "last-frame": "Last frame",
    "cine": "Cine",
    "invert": "Invert",
    "flip-horizontal": "Flip left and right",
    "flip-vertical": "Flip top and bottom",
    "rotate-right": "Rotate right",
    "rotate-left": "Rotate left",
    "zoom-in": "Zoom in",
    "zoom-out": "Zoom out",
    "fit": "Fit",
    "overlay": "Overlay",
    "measure": "Measure",
    "shutter": "Shutter",
    "next-window": "Next window of the file",
    "keep-view": "Keep window and zoom",
    "tags": "DICOM header",
    "compare": "Show decided scans like this",
    "more-alike": "Next scan like this",
    "less-alike": "Last scan like this",
    "reset": "Reset view",
    "preset-1": "Window preset 1",
    "preset-2": "Window preset 2",
    "preset-3": "Window preset 3",
    "preset-4": "Window preset 4",
    "preset-5": "Window preset 5",
    "train": "Train now",
    "cancel-training": "Cancel training",
    "keys": "Keys",
    "about": "About NEARL Desk",
}
SHORT_COMMANDS = {
    "defer": "Defer",
    "none-apply": "None applies",
    "unassessable": "Unassessable",
    "unsure": "Unsure",
    "flag": "Flag",
    "undo": "Undo",
}
KEY_ENTER = "Enter"

# --- states ------------------------------------------------------------------------------------

STATE_WORDS = {
    State.UNSEEN: "Unlabelled",
    State.DEFERRED: "Deferred",
    State.UNASSESSABLE: "Unassessable",
    State.NONE_APPLY: "None applies",
    State.LABELLED: "Labelled",
}
STATE_PROBLEM = "Can't be read"
UNSURE = "unsure"
FLAGGED = "flagged"
SHOW_WORDS = {
    "all": "All scans",
    "to-do": "Unlabelled",
    "labelled": "Labelled",
    "deferred": "Deferred",
    "none-apply": "None applies",
    "unassessable": "Unassessable",
    "flagged": "Flagged",
    "problem": "Can't be read",
}

# --- queue -------------------------------------------------------------------------------------

QUEUE = "Queue"
SEARCH = "Search"
FILTER = "Filter"
INSTRUCTIVE_FIRST = "Most instructive first"
INSTRUCTIVE_TIP = "Bring the scan that teaches most next, else keep the order of adding."
QUEUE_EMPTY = "No scans yet. Add a folder with Project, Add scans."
QUEUE_NO_MATCH = "No scan matches the search and the filter."
QUEUE_END = "This is the last scan of the queue."
QUEUE_BEGIN = "This is the first scan of the queue."
ALL_DECIDED = "Every scan in this view has a decision."

# --- scan --------------------------------------------------------------------------------------

SCAN_AREA = "Scan"
NO_SCAN = "No scan"
READING = "Reading the scan…"
WINDOW = "Window"
OWN_WINDOW = "By hand"
COLOUR = "Colour"
FILE_LUT = "Table {number} of the file"
FILE_WINDOW = "File C {centre:.0f} W {width:.0f}"
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
FRAME = "Frame {number} of {total}"

# --- labels ------------------------------------------------------------------------------------

LABELS = "Labels"
KEY_NAME = "key {key}"
SUGGESTED = "suggested"
DECIDED = "decided"
PENDING = "chosen, Enter records it"
SOURCE_FROZEN = "Frozen backbone, learned from {decisions}"
SOURCE_VERSION = "Version {version}, learned from {decisions}"
SUGGESTIONS_HIDDEN = "Suggestions are hidden; decisions are recorded as blind."
RANKING_COMES = "The ranking is on its way."
UNLIKE = "This scan is unlike anything decided so far."
HINT_ACCEPT = "Enter accepts {label}"
HINT_RECORD = "Enter records the labels that are chosen"
HINT_NO_SUGGESTION = "Decide with the label's digit key"
NOTHING_TO_ACCEPT = "There is no suggestion to accept; use a label's digit key."
NOTHING_TOGGLED = "No label is chosen; N says that none applies."
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
AUTO_TRAIN = "Train by itself every"
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

# --- projects ----------------------------------------------------------------------------------

BEGIN = "Begin"
RECENT = "Recent projects"
NO_RECENT = "None yet"
DEMO_NOTE = "The demo takes the real DICOM scans that come with the pydicom package."
READER = "Reader"
READER_HINT = "A pseudonym. It goes with each decision."
READER_RULE = "A pseudonym of letters, digits, blanks, dots and hyphens; not your name."
READER_EMPTY = "Give a pseudonym."
READER_NOT_VALID = "This pseudonym can't be used."
CREATING = "Creating the project…"
OPENING = "Opening the project…"
MAKING_DEMO = "Making the demo project…"
CLOSING_BUSY = "Finishing…"
FOLDER_GONE = "This folder or file is not there any more."
FOLDER_GONE_REMEDY = "Choose another one, or connect its drive."
FOLDER_UNREADABLE = "This folder can't be read."
FOLDER_UNREADABLE_REMEDY = "Ask for the right to read it, or choose another one."
ADDING = "Adding scans: {added} added, {skipped} skipped"
NOTHING_FOUND = "No scan was found there."
NOTHING_FOUND_REMEDY = "Choose a folder with DICOM, NIfTI, PNG, JPEG, TIFF, BMP or WebP files."
NOT_A_PROJECT = "There is no project at {name}."
NOT_A_PROJECT_REMEDY = "Choose a folder that ends in .nearl, or a folder of scans."

# --- dialogs -----------------------------------------------------------------------------------

SAVE = "Save"
CLOSE = "Close"
CREATE = "Create project"
CHOOSE = "Choose…"
TROUBLE_TITLE = "Something is in the way"
COPY_DETAILS = "Copy details"
BUG_SENTENCE = "Something went wrong that should not have. What you decided is saved."
BUG_REMEDY = "Go on working. The details hold no patient data; please send them to the authors."
PREFERENCES_TITLE = "Preferences"
DEVICE_WORDS = {
    "auto": "Chosen by itself",
    "cpu": "Processor",
    "cuda": "NVIDIA card (CUDA)",
    "mps": "Apple GPU (MPS)",
}
DEVICE_HINT = "Taken when a project is opened next."
NEW_PROJECT_TITLE = "New project"
SCANS_FOLDER = "Scans"
PROJECT_FOLDER = "Project"
BACKBONE = "Backbone"
COARSE = "Coarse at first: the whole picture is on its way."
UNIT = "One scan is"
UNITS = {
    "image": "one file",
    "series": "a series: its DICOM files as a stack",
    "study": "a study: all its series as a stack",
}
SCANS_STAY = "Scans stay where they are; the project keeps decisions, versions and a cache."
OWN_LABELS = "Own labels"
NO_SUCH_FOLDER = "The folder of scans is not there."
NEEDS_PLACE = "Say where the project shall stand."
PROJECT_EXISTS = "Something stands at the project's place already."
LABEL_SET_TITLE = "Labels"
LABEL_SET_NOTE = (
    "A rename keeps the label's id and its decisions. After a change the versions rest, and the "
    "instant learner serves until the next training."
)
LABELS_AND_KEYS = "Keys and labels"
NAME = "Name"
PROMPTS = "Prompts"
PROMPTS_HINT = "One text a line, such as: a chest radiograph with an effusion"
CODE = "Code"
CODE_HINT = "Optional, such as SCT 233604007"
MULTI_LABEL = "Several labels can apply to one scan"
ADD = "Add"
REMOVE = "Remove"
MOVE_UP = "Up"
MOVE_DOWN = "Down"
UNNAMED = "(no name)"
NEEDS_LABEL = "Add at least one label."
EMPTY_NAME = "Label {place} has no name."
DUPLICATE_NAME = "The name “{name}” stands twice."
EXPORT = "Export"
EXPORT_TITLE = "Export"
FORMAT = "Format"
IMAGES = "Images"
DECISIONS = "Decisions"
EXPORT_READER = "Reader"
WITH_SUGGESTIONS = "With what the model suggested"
PIXELS_CHECKED = "I have looked at the images: none of them names anyone"
PIXELS_NOTE = (
    "Otherwise scans that may have text burned into them, such as ultrasound, are left out."
)
EXPORT_NEEDS_READER = "Name the reader."
FOLDER = "Folder"
SPLIT = "Split by patient"
SPLITS = ("train", "validation", "test")
SEED = "Seed"
EXPORT_NOTE = "No names, dates or free text of the files leave; file names are pseudonymous."
EXPORT_NEEDS_FOLDER = "Choose a folder."
SPLIT_NOT_WHOLE = "The split does not add up to 100 %."
EXPORT_STOPPED = "The export was cancelled; nothing was left behind."
KEYS_TITLE = "Keys"
KEYS_ACTION = "Action"
KEYS_KEY = "Key"
KEYS_LABELS = "Labels: 1 to 9, 0 for the tenth, Shift for 11 to 20. They never change places."
KEYS_CHANGE = "New key"
KEYS_DEFAULT = "Default"
KEYS_OF_LABELS = "the labels"
KEY_TAKEN = "{key} is taken by “{action}”."
KEYS_POINTER = (
    "Left-drag windows, or measures once M is pressed; the wheel scrolls frames, Ctrl with the "
    "wheel zooms, middle-drag pans, a double click fits."
)

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
    return f"{count} decision{'' if count == 1 else 's'}"


def new_since(count: int) -> str:
    """Decisions that no version learned from."""
    return f"{decisions(count)} not trained on yet."


def of_total(visible: int, total: int) -> str:
    """How many scans the queue shows."""
    return f"{visible}" if visible == total else f"{visible} of {total}"


def progress(decided: int, total: int) -> str:
    """How far the reader is."""
    return f"{decided} of {total} labelled"


def saved_at(when: datetime) -> str:
    """When the last decision was saved, in the reader's own time."""
    return SAVED.format(time=f"{when.astimezone():%H:%M:%S}")


def read_only_banner(where: str) -> str:
    """Why nothing can be saved; `where` is the store's own sentence."""
    return f"{where} It is open here for reading: decisions can't be saved."


def trained(version: Version) -> str:
    """What a training run came to."""
    return f"Version {version.id}. {version.reason}"


def exported(scans: int, images: int, left_out: int, splits: str, notices: str) -> str:
    """What an export holds."""
    lines = [f"Exported and verified: {scans} scans, {images} images ({splits})."]
    if left_out:
        lines.append(f"{left_out} scans were left out; the manifest says why.")
    if notices:
        lines.append(notices)
    return "\n".join(lines)


def added(new: int, known: int, skipped: int, reasons: str) -> str:
    """What adding a folder came to."""
    parts = [f"{new} scans added"]
    if known:
        parts.append(f"{known} were there already")
    if skipped:
        parts.append(f"{skipped} files skipped ({reasons})")
    return ", ".join(parts) + "."


def backbone_and_version(backbone: str, version: str) -> str:
    """What ranks."""
    return f"{backbone} · {version}"
