"""What the desk says of the label set: its tree, its changes, and labels from elsewhere."""

CHILD = "{parent} › {name}"
PARENT = "A kind of"
NO_PARENT = "nothing else"
PARENT_TIP = "A decision for this label implies the one it is a kind of."
A_KIND_OF = "a kind of {parent}"
