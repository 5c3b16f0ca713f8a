"""What the desk says of how far rankings, versions and decisions can be believed."""

TRUST = "How far to trust it"
AGREEMENT = "Suggestions and decisions"
RIGHT = "Right in {part} of the last {n}"
RIGHT_SPOKEN = "The suggestion was right in {part} of the last {n} decisions"
INTERVAL = "{low:.0f} to {high:.0f}\u00a0% (95\u00a0% interval)"
NO_OUTCOMES = "No suggestion has been put to the test yet."
WHAT_COUNTS = (
    "Each scan counts once, by your first decision, and by what was suggested before it: the "
    "ranking had not learned from that decision."
)
SEEN = "Having seen the suggestion"
BLIND = "Without having seen it"
SEEN_NOTE = "A suggestion that is seen sways the reader: the second figure is the harder test."
OF = "{part} of {n}"
NONE = "–"
LABEL_COLUMNS = ("Label", "Found", "Right")
FOUND_TIP = "Of the scans that you decided so, how many were suggested so."
RIGHT_TIP = "Of the scans that were suggested so, how many you decided so."
COURSE = "Share of right suggestions over the last {window} decisions, in order"

RELIABILITY = "Probabilities"
CANT_TELL = (
    "It can't be told yet whether the probabilities hold: it takes {enough} claims, each made when "
    "the ranking had learned from {enough} decisions; so far there are {n}."
)
HOLDS = (
    "{n} claims. They differ from what came of them by {ece:.0f}\u00a0% in the mean; chance alone "
    "would give {chance:.0f}\u00a0%."
)
PLOT = "Share that was right, by the probability that was claimed; below it how many claims"
BIN = "{low:.0f} to {high:.0f} %: {count} claims, {held:.0f} % right"

EVIDENCE = "Versions"
NO_VERSION = "No version was trained yet."
NO_EVIDENCE = "Nothing was held out for this version, or it was trained before that was kept."
OTHER_LABELS = "It was trained for labels that have changed since."
FIGURE_COLUMNS = ("Held out ({n})", "Before", "After")
FIGURES = ("Balanced accuracy", "Log-loss", "Calibration error")
RECALL_COLUMNS = ("Found by label", "Before", "After")
FLIPS = "{gained} became right, {lost} became wrong."
UNSEEN = "Decided without a suggestion on screen: {unseen}."

LOOK_AGAIN = "Look again"
LOOK_AGAIN_NOTE = (
    "Your decisions and imported labels that the others speak against, the most doubtful first: "
    "what was said, or what the others say, and the odds for that. Enter opens the scan; deciding "
    "it anew, the same or otherwise, takes it off the list."
)
DOUBT = "{decided}, or {label}?"
DOUBT_MISSING = "Without {label}, or with it?"
DOUBT_TOO_MUCH = "With {label}, or without it?"
DOUBT_IMPORTED = "{source}: {doubt}"
ODDS = "{odds} to 1"
TOO_FEW = "Needs {enough} decisions of yours or imported labels; there are {n}."
NO_DOUBTS = "None is spoken against by the others."
LOOKING = "Weighing each decision against your others…"
NO_ENGINE = "Needs the model, which is not loaded."
UNLIKE_SIGN = "unlike anything decided"
