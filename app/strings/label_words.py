"""What the desk says of the label set: its tree, its changes, and labels from elsewhere."""

CHILD = "{parent} › {name}"
PARENT = "A kind of"
NO_PARENT = "nothing else"
PARENT_TIP = "A decision for this label implies the one it is a kind of."
CODE_LEFT_OUT = (
    "DICOM reports leave this code out: write its scheme and at most 16 characters, such as "
    "SCT 233604007."
)
A_KIND_OF = "a kind of {parent}"

# --- changes -----------------------------------------------------------------------------------

MERGE = "Merge"
MERGE_TIP = "Make one label of those that are marked (Ctrl or Shift marks several)."
SPLIT = "Split"
SPLIT_TIP = "Put two labels in place of this one; its scans are to be decided again."
REMOVE_TIP = "A label that has decisions is retired: they are kept, but count no more."
UNDO_CHANGE = "Undo last change"
UNDO_CHANGE_TIP = "Bring the labels of before the latest saved change back."
MERGED = " or "
PART = "{name} {number}"
BACK = "Back"
APPLY = "Apply"
REVIEW_TITLE = "What this comes to"
REVIEW_COLUMNS = ("Reader", "Decisions", "Said until now", "Says then")
REVIEW_NOTE = (
    "Decisions are kept as they were made. “Undo last change” in this dialog brings these labels "
    "back, and with them every decision from before."
)
NOTHING_BEFORE = "nothing that stands"
AGAIN = "to be decided again"
LEFT_OUT = "left out"
FEWER = "Without {labels}."
MORE = "With {labels}."
SUMMARY = "{touched} will read differently; to be made again: {again}."
WAS = "Was “{labels}” before the labels changed. Decide again."
NOT_ASKED = "Not asked for when this was decided: {labels}."
LOOKING = "Looking at the decisions…"

# --- labels that exist already -----------------------------------------------------------------

IMPORT_TITLE = "Import labels"
IMPORT = "Import"
IMPORT_KIND = "Labels are in"
IMPORT_KINDS = {
    "csv": "a table (CSV, Excel)",
    "jsonl": "JSON lines",
    "imagefolder": "names of folders",
    "dicom-tags": "a DICOM tag",
}
IMPORT_SOURCE = "Source"
IMPORT_TAG = "Tag"
IMPORT_TAGS = ("BodyPartExamined", "ViewPosition", "ImageLaterality", "Modality", "ImageType")
FILE_COLUMN = "Scan in column"
LABEL_COLUMN = "Label in column"
MATCH = "Known there by"
MATCHES = {
    "": "what the column is called, else its file",
    "file": "its file",
    "image": "its image (SOPInstanceUID)",
    "series": "its series (SeriesInstanceUID)",
    "study": "its study (StudyInstanceUID)",
    "patient": "its patient (PatientID)",
}
EACH = "Label each scan where a row means several"
BY_NAME = "found by its name"
IMPORT_NAME = "Name"
IMPORT_NAME_TIP = "The decisions stand under this name, beside those of readers."
IMPORT_FILES = {
    "csv": "Tables (*.csv *.txt *.tsv *.xlsx);;All files (*)",
    "jsonl": "JSON lines (*.jsonl *.ndjson *.json);;All files (*)",
}
IMPORT_HINTS = {
    "csv": (
        "The first line names the columns: a file (path, image_id) or sha256, SeriesInstanceUID,\n"
        "StudyInstanceUID or PatientID, and a label (label, dx), or a column for each label."
    ),
    "jsonl": "One object a line with a file (or sha256) and a label, or a list of labels.",
    "imagefolder": "Each folder's name is the label of its files, found by path, name or content.",
    "dicom-tags": "Read from the project's own files. A tag that may tell who it is is refused.",
}
LOOK = "Look"
VALUE_COLUMNS = ("Value", "Scans", "Means")
MEANS_NOTHING = "left out"
NOT_LOOKED = "Look first: nothing is taken in before it was shown."
READING_SOURCE = "Reading the source…"
READING_HEADERS = "Reading headers: {done} of {total}"
TAKING = "Taking labels in: {done} of {total}"
WOULD_TAKE = "{decisions} would be taken in; the source speaks of {scans} of the scans."
STOOD_ALREADY = "Standing already: {count}."
CONFLICTS = "Left out, with labels that exclude each other: {count} ({examples})."
BAD_ROWS = "Rows left out, since one label must have 1: {count}. {examples}"
UNKNOWN = "Found as no file or folder of this project: {count} ({examples})."
FOUND_BY = {
    "image": "Scans were found by their headers.",
    "series": "Scans were found by their series.",
    "study": "Scans were found by their study.",
    "patient": "Scans were found by their patient.",
}
UNKNOWN_BY = {
    "image": "No image of this project: {count} ({examples}).",
    "series": "Of no series of this project: {count} ({examples}).",
    "study": "Of no study of this project: {count} ({examples}).",
    "patient": "Of no patient of this project: {count} ({examples}).",
}
SEVERAL = "Rows that mean several scans, left out: {rows} ({scans} scans)."
SEVERAL_EACH = "Rows that mean several scans, each of them labelled: {rows} ({scans} scans)."
UNCLEAR = "Sharing their name with others: {count} ({examples})."
NO_MEANING = "No value means a label yet: choose what each means."
NOTHING_TO_TAKE = "There is nothing to take in."
MORE_VALUES = "The {count} most frequent of {total} values are listed."
IMPORTED = "{decisions} of {name} taken in."
IMPORTED_MANY = "{decisions} of {name} taken in. Look again lists those that look wrong."
IMPORT_STOPPED = "Stopped: {decisions} of {name} taken in, of {wanted}. Importing again goes on."
IMPORT_NOTE = "Labels alone are taken in: no path, no name, no other value of the source."
