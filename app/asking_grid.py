"""The dialog of batch review: pages of scans that the model is sure of."""

from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QPixmap

from app import strings
from app.controllers.batch import Batch
from app.controllers.library import Library
from app.controllers.review import Review
from app.controllers.suggestions import Suggestions
from app.strings import grid_words
from app.views.dialogs.grid import PAGE, GridDialog
from app.views.grid_cells import Cell
from app.views.main_window import MainWindow
from nearl_core.suggesting import sureness
from nearl_core.types import LabelSet, Ranking, State, Verdict


class AskingGrid(QObject):
    """One dialog at a time."""

    def __init__(
        self,
        window: MainWindow,
        library: Library,
        review: Review,
        suggestions: Suggestions,
        batch: Batch,
    ) -> None:
        super().__init__(window)
        self._window, self._library, self._review = window, library, review
        self._suggestions, self._batch = suggestions, batch
        self._dialog: GridDialog | None = None
        self._page: dict[int, Ranking] = {}
        self._counted: frozenset[int] = frozenset()
        self._accepted = ""
        self._offers: dict[str, Verdict] = {}
        batch.changed.connect(self._changed)
        batch.picture.connect(self._picture)
        batch.recorded.connect(self._recorded)
        batch.taken_back.connect(self._taken_back)

    def ask(self) -> None:
        """Show the dialog, or say why it can't be shown."""
        session = self._library.session
        if session is None:
            return
        if session.read_only or session.rules.blind_first or self._suggestions.engine is None:
            why = grid_words.NO_ENGINE
            if session.read_only:
                why = strings.READ_ONLY_REFUSED
            elif session.rules.blind_first:
                why = grid_words.BLIND
            self._window.status.message(why)
            return
        dialog = GridDialog(self._window)
        dialog.wanted.connect(self._choose)
        dialog.accepted_page.connect(self._accept)
        dialog.back_asked.connect(self._batch.take_back)
        dialog.finished.connect(self._closed)
        self._dialog, self._page, self._offers = dialog, {}, {}
        self._batch.begin(session)
        self._changed()
        dialog.open()

    def _closed(self) -> None:
        self._dialog = None
        self._batch.end()
        session, scan = self._library.session, self._review.scan
        if session is None or scan is None:
            return
        if session.table.verdict(scan.id).state is State.UNSEEN:
            self._review.reload()
        else:
            self._review.next_to_do()

    def _changed(self) -> None:
        """More is ranked; a page that is being looked at stays as it is, and so does its count."""
        dialog, session = self._dialog, self._library.session
        if dialog is None or session is None:
            return
        sure = self._batch.sure(dialog.bar.value() / 100)
        # One that has no more scans stays chosen: one Enter too many must not accept another.
        chosen = self._offers.get(dialog.label_id)
        offers = [*sure, *([chosen] if chosen is not None and chosen not in sure else [])]
        self._offers = {_key(offer): offer for offer in offers}
        found = {offer: {ranking.scan_id for ranking in sure.get(offer, ())} for offer in offers}
        more = 0
        if self._page and chosen is not None:
            more = len(found[chosen] - self._counted)
            found[chosen] = set(self._counted)
        counts = [(_key(one), _name(one, session.label_set), len(found[one])) for one in offers]
        done, total = self._batch.looked
        dialog.show_labels(counts, grid_words.looked(done, total, more))
        if not self._page:
            self._turn()

    def _choose(self) -> None:
        """Another label or bar: another page."""
        self._page = {}
        self._changed()

    def _turn(self) -> None:
        """Show the next page of the label and bar that are chosen."""
        dialog, session = self._dialog, self._library.session
        if dialog is None or session is None:
            return
        offer, every = self._offers.get(dialog.label_id), self._batch.sure(dialog.bar.value() / 100)
        found = () if offer is None else every.get(offer, ())
        self._counted = frozenset(ranking.scan_id for ranking in found)
        sure = found[:PAGE]
        self._page = {ranking.scan_id: ranking for ranking in sure}
        table, label_set = session.table, session.label_set
        cells = tuple(
            Cell(one.scan_id, table.name_of(one.scan_id), sureness(one, label_set)) for one in sure
        )
        done, total = self._batch.looked
        none = grid_words.NONE_OF_LABEL if dialog.label_id else grid_words.NONE
        if done < total:
            none = grid_words.WAITS
        unknown = {ranking.notice for ranking in sure if ranking.notice}
        dialog.show_cells(cells, none, " ".join(sorted(unknown)))
        self._batch.show(tuple(self._page))

    def _accept(self, ticked: Sequence[int], out: Sequence[int]) -> None:
        dialog, session = self._dialog, self._library.session
        if dialog is not None and session is not None:
            offer = self._offers.get(dialog.label_id)
            self._accepted = "" if offer is None else _name(offer, session.label_set)
            self._batch.accept([self._page[scan_id] for scan_id in ticked], out)

    def _recorded(self, count: int) -> None:
        text = grid_words.ACCEPTED.format(count=count, label=self._accepted)
        self._next_page(text)

    def _taken_back(self, count: int) -> None:
        self._next_page(grid_words.TAKEN_BACK.format(count=count))

    def _next_page(self, text: str) -> None:
        self._page = {}
        self._changed()
        if self._dialog is not None:
            self._dialog.say(text, can_take_back=self._batch.can_take_back)

    def _picture(self, scan_id: int, picture: QPixmap) -> None:
        if self._dialog is not None:
            self._dialog.page.show_picture(scan_id, picture)


def _key(offer: Verdict) -> str:
    return ";".join((offer.state.value, *offer.labels))


def _name(offer: Verdict, label_set: LabelSet) -> str:
    return ", ".join(label_set.names_of(offer.labels)) or grid_words.NONE_APPLIES
