"""The words of the dialog that checks a project."""

TITLE = "Check"
CHECKING = "Looking at the project…"
RESTORING = "Putting the last daily copy back…"
STEP = "{text}: {done} of {total}"
FIND = "Find moved scans…"
WHERE = "Where do the scans stand now?"
RESTORE = "Put the last daily copy back"
RESTORE_NOTE = (
    "The last sound copy takes the database's place, with what can still be read of what came "
    "after it. The damaged database is kept beside it."
)
MENDED = "Mended: {sentence}"
COPIES = "Daily copies: {days}."
NO_COPIES = "There is no daily copy yet."
MORE = " and {count} more"
