"""What the desk says of the label set: its tree, its changes, and labels from elsewhere."""

CHILD = "{parent} › {name}"
PARENT = "A kind of"
NO_PARENT = "nothing else"
PARENT_TIP = "A decision for this label implies the one it is a kind of."
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
LOOKING = "Looking at the decisions…"
