"""What the dialogs say."""

SAVE = "Save"
CLOSE = "Close"
BACK = "Back"
CREATE = "Create project"
CHOOSE = "Choose…"
TROUBLE_TITLE = "Something is in the way"
DETAILS, COPY_DETAILS = "Details", "Copy details"
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
TAKE_SERIES = "One scan a series"
PATIENTS = "Patients"
PATIENT_RULES = {
    "": "as the files say, else one a file",
    "subfolder": "one in each folder of the scans",
}
SCANS_STAY = "Scans stay where they are; the project keeps decisions, versions and a cache."
TEMPLATE = "Template"
OWN_LABELS = "Own labels"
NO_SUCH_FOLDER = "The folder of scans is not there."
NEEDS_PLACE = "Say where the project shall stand."
FOLDER_NEEDS_NAME = "The folder needs a name of its own."
PROJECT_EXISTS = "Something stands at the project's place already."
LABELS_LOST = "The labels that you typed are not kept without a project."
DISCARD = "Discard labels"
LABELS_REPLACED = "The template's labels would take the place of those that you typed."
REPLACE = "Replace labels"
KEEP_TYPING = "Go on typing"
LABEL_SET_TITLE = "Labels"
LABEL_SET_NOTE = (
    "A rename keeps the label's id and its decisions. After a change the versions rest, and the "
    "instant learner serves until the next training."
)
LABELS_AND_KEYS = "Keys and labels"
NAME = "Name"
NAME_HINT = "Enter goes on to the next label"
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
    "Otherwise DICOM scans that may show text, such as ultrasound, are left out; of PNG, JPEG and "
    "the like nothing is known."
)
EXPORT_NEEDS_READER = "Nobody has decided yet."
ONE_LABEL_A_SCAN = "Here a scan can have several labels; this format holds one. Take another."
OPEN_FOLDER = "Open folder"
NOT_OPENED = "No program shows folders here. The export stands in {folder}."
FOLDER = "Folder"
SPLIT = "Split by patient"
SPLITS = ("train", "validation", "test")
SEED = "Seed"
EXPORT_NOTE = "No names, dates or free text of the files leave; file names are pseudonymous."
ADAPTERS_NOTE = "Version {version}: weights, labels, figures and a card; nothing of scans."
NO_ADAPTERS = "No version is live: train one, or make one live."
ADAPTERS_EXPORTED = "Exported and verified: the adapters of version {version}."
EXPORT_NEEDS_FOLDER = "Choose a folder."
SPLIT_NOT_WHOLE = "The split does not add up to 100 %."
EXPORT_STOPPED = "The export was cancelled; nothing was left behind."
KEYS_TITLE = "Keys"
KEYS_ACTION = "Action"
KEYS_KEY = "Key"
KEYS_LABELS = (
    "Labels: 1 to 9, 0 for the tenth, Shift for 11 to 20. They never change places. Where a scan "
    "can have several, they put a label in or take it out. Enter takes what ↵ marks."
)
KEYS_CHANGE = "New key"
KEYS_PRESS = "Press the new key"
KEYS_DEFAULT = "Default"
KEYS_OF_LABELS = "the labels"
KEY_TAKEN = "{key} is taken by “{action}”."
KEYS_POINTER = (
    "Left-drag windows, or measures once M is pressed; the wheel scrolls frames, Ctrl with the "
    "wheel zooms, middle-drag pans, a double click fits."
)
