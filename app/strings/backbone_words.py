"""The words of the dialog about backbones."""

TITLE = "Backbones"
COLUMNS = ("Backbone", "Learned from", "Size", "Licence", "State")
FETCH, ADD, USE, STOP, NOT_NOW = "Fetch…", "Add folder…", "Use in this project…", "Stop", "Not now"
FETCH_NOW, USE_NOW = "Fetch now", "Use and train anew"
NOTE = (
    "A backbone is the frozen model that everything starts from. The starter is for trying; for "
    "real work take BiomedCLIP. On a machine without a network, add a folder copied from another."
)
STOPPED = "Stopped. What came so far is kept, and fetching goes on there."
DONE = "{name} is ready."
ADDING = "Adding the folder"
FETCHING = "Fetching {name}: {done:.0f} of {total:.0f} MB"
FOLDER = "Folder of a backbone"
IN_USE, HERE, BEGUN, ELSEWHERE = "In use", "On this computer", "Fetched in part", "Can be fetched"
ASK_FETCH = (
    "{name} ({size}, licence {licence}) will be fetched from {source}. "
    "Nothing of your scans, labels or decisions is sent."
)
ASK_USE = (
    "Use {name} in place of {used}? Your {decisions} decisions stay. Versions trained on {used} "
    "rest, scans are ranked anew, and a new version is trained in the background."
)
