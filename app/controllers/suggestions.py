"""What the engine says: loaded in its thread, ranking what is on screen first, learning at once."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice

from PySide6.QtCore import QObject, Signal

from app import engine_port, strings
from app.engine_port import EngineFactory, EngineLike, EngineRequest, LoadedEngine
from app.jobs import Job, Jobs, Priority
from app.session import Session
from nearl_core.control import Pace, RunControl
from nearl_core.errors import NearlError
from nearl_core.readers import can_teach
from nearl_core.types import Decision, Doubt, EngineInfo, LabelSet, Ranking, Scan, Version

_PORTION, _LARGEST_PORTION = 4, 64
_LEARN_AFTER = 8
"""Scans that the pass over decided ones brings before the instant learner takes them in."""


class Suggestions(QObject):
    """Rankings of scans, always of the live version and of the latest decisions.

    Decided scans of which nothing is known are ranked too, in portions and after everything else:
    decisions that were imported, or made faster than the engine, teach as soon as their features
    are there.

    Attributes:
        loaded: The EngineInfo once the backbone is there.
        failed: The NearlError that says why there is no engine.
        refused: The NearlError that says why the live version cannot rank; the frozen backbone
            and the instant learner do.
        kept: The NearlError that says why another version cannot rank, its id, and the id of the
            one that goes on ranking; "" for none.
        ranked: A Ranking that arrived.
        learned: The instant learner took new decisions in.
        renewed: Another version or label set ranks.
        reordered: Scan ids, the most instructive first.
    """

    loaded = Signal(object)
    failed = Signal(object)
    refused = Signal(object)
    kept = Signal(object, str, str)
    ranked = Signal(object)
    learned = Signal()
    renewed = Signal()
    reordered = Signal(object)

    def __init__(self, jobs: Jobs, factory: EngineFactory, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._factory = factory
        self._session: Session | None = None
        self._engine: EngineLike | None = None
        self._info: EngineInfo | None = None
        self._rankings: dict[int, Ranking] = {}
        self._featured: set[int] = set()
        self._unseen: list[int] = []
        self._on_way: dict[int, Job] = {}
        self._learning: Job | None = None
        self._ordering: Job | None = None
        self._finishing: Job | None = None
        self._on_screen: tuple[int, ...] = ()
        self._again: set[int] = set()
        self._portion: Job | None = None
        self._pace = Pace(_PORTION, _LARGEST_PORTION)
        self._untaught = self._round = 0
        self._missing = False
        self._version = ""

    @property
    def engine(self) -> EngineLike | None:
        """The engine, once it is loaded."""
        return self._engine

    @property
    def info(self) -> EngineInfo | None:
        """What it says of itself."""
        return self._info

    @property
    def waiting_for(self) -> str:
        """Why a scan has no ranking yet."""
        if self._engine is not None:
            return strings.RANKING_COMES
        return strings.NO_ENGINE if self._missing else strings.ENGINE_LOADING

    def open(self, session: Session, *, device: str) -> None:
        """Load the engine for a project, in its thread."""
        self.close()
        self._session = session
        request = EngineRequest(
            backbone=session.project.backbone,
            label_set=session.label_set,
            reader=session.scan_reader,
            adapters_folder=session.project.adapters_folder,
            cache_folder=session.project.cache_folder,
            device=device,
        )
        live = session.live
        self._jobs.engine.submit(
            lambda control: engine_port.load(self._factory, request, live, control),
            done=partial(self._loaded, session, request.label_set, live),
            failed=self._not_loaded,
        )

    def close(self) -> None:
        """Let nothing that is on its way arrive."""
        self._jobs.engine.cancel_all()
        self._jobs.learning.cancel_all()
        self._session = self._engine = self._info = self._learning = None
        self._missing = False
        self._forget()

    def ranking(self, scan_id: int) -> Ranking | None:
        """What the engine last said of a scan."""
        return self._rankings.get(scan_id)

    def want(self, scans: Sequence[Scan], priority: Priority) -> None:
        """Have scans ranked, each in a job of its own so that a screen never waits for a batch."""
        engine = self._engine
        if engine is None:
            return
        if priority is Priority.SCREEN:
            self._on_screen = tuple(scan.id for scan in scans)
            self._jobs.engine.cancel_waiting(Priority.PREFETCH)
            self._on_way = {
                scan_id: job for scan_id, job in self._on_way.items() if not job.control.cancelled
            }
        for scan in scans:
            if scan.id in self._featured or scan.id in self._on_way:
                continue
            self._on_way[scan.id] = self._jobs.engine.submit(
                partial(_rank, engine, scan),
                priority=priority,
                done=partial(self._arrived, self._round),
                failed=partial(self._not_ranked, scan.id),
            )

    def learn(self, again: Iterable[int]) -> None:
        """Take every standing decision in, then say again what these scans are."""
        engine, session = self._engine, self._session
        if engine is None or session is None:
            return
        if self._learning is not None:
            self._learning.cancel()  # a newer fit takes in everything that this one would
        scans, decisions, labels = session.scans_by_id(), session.to_learn(), session.label_set
        self._again.update(again, self._on_screen)  # those of a cancelled fit are still to be said
        wanted = tuple(self._again)
        self._untaught = 0

        def work(control: RunControl) -> tuple[list[Ranking], list[int]]:
            engine.learn(scans, decisions)
            control.check()
            teaching = dict.fromkeys(d.scan_id for d in decisions if can_teach(d.verdict, labels))
            return engine.rerank(wanted), engine.unseen(tuple(teaching))

        self._learning = self._jobs.learning.submit(work, done=partial(self._fitted, self._round))

    def refresh(self, scan_ids: Iterable[int]) -> None:
        """Say again what these scans are, with what was learned since; only cached features."""
        engine = self._engine
        wanted = tuple(scan_id for scan_id in scan_ids if scan_id in self._featured)
        if engine is not None and wanted:
            self._jobs.learning.submit(
                lambda _control: engine.rerank(wanted), done=partial(self._learned, self._round)
            )

    def order(self, scan_ids: Sequence[int]) -> None:
        """Find out which scans teach most; behind it do what learning left for later."""
        engine = self._engine
        if engine is not None:
            wanted = tuple(scan_ids)
            for job in (self._ordering, self._finishing):
                if job is not None:
                    job.cancel()  # one that is at work on an order still says it
            self._ordering = self._jobs.learning.submit(
                lambda _control: engine.queue_order(wanted),
                priority=Priority.BACKGROUND,
                done=self.reordered.emit,
            )
            self._finishing = self._jobs.learning.submit(
                engine.finish_learning, priority=Priority.BACKGROUND
            )

    def nearest(
        self,
        scan_id: int,
        among: Sequence[int],
        k: int,
        *,
        done: Callable[[list[tuple[int, float]]], None],
    ) -> None:
        """Find which of some scans are most like one; nothing is said while there is no engine."""
        engine = self._engine
        if engine is not None:
            self._jobs.learning.submit(
                lambda _control: engine.nearest(scan_id, among, k), done=done
            )

    def look_again(
        self, decisions: Sequence[Decision], *, done: Callable[[list[Doubt]], None]
    ) -> Job | None:
        """Find out which decisions the others speak against; after all that cannot wait."""
        engine, session = self._engine, self._session
        if engine is None or session is None:
            return None
        scans = session.scans_by_id()
        return self._jobs.learning.submit(
            lambda _control: engine.look_again(scans, decisions),
            priority=Priority.BACKGROUND,
            done=done,
        )

    def survey(
        self,
        scans: Sequence[Scan],
        *,
        pace: Pace,
        priority: Priority = Priority.BACKGROUND,
        done: Callable[[list[Ranking]], None],
        failed: Callable[[NearlError], None] | None = None,
    ) -> Job | None:
        """Have scans ranked that nobody looks at yet; None while there is no engine.

        Args:
            scans: As many as the pace says.
            pace: Takes its next size from how long they took.
            priority: Whether it waits for training too.
            done: Called with their rankings.
            failed: Called with what went wrong; else the reader is told.
        """
        engine = self._engine
        if engine is None:
            return None
        return self._jobs.engine.submit(
            partial(_rank_portion, engine, scans, pace), priority=priority, done=done, failed=failed
        )

    def again(self, scan_ids: Sequence[int], *, done: Callable[[list[Ranking]], None]) -> None:
        """Find out what scans that were ranked are now, with what was learned since."""
        engine = self._engine
        if engine is not None:
            self._jobs.learning.submit(lambda _control: engine.rerank(scan_ids), done=done)

    def use_version(self, version: Version | None, then: Iterable[int]) -> None:
        """Rank with another version from now on; no ranking of the old one is shown again."""
        self._change(lambda engine: engine.activate(version), then, version)

    def use_label_set(self, label_set: LabelSet, then: Iterable[int]) -> None:
        """Rank other labels from now on."""
        self._change(lambda engine: engine.set_label_set(label_set), then, None)

    def _change(
        self, change: Callable[[EngineLike], None], then: Iterable[int], version: Version | None
    ) -> None:
        engine = self._engine
        self._forget()
        if engine is None:
            return
        wanted, other = tuple(then), version.id if version else ""
        self._jobs.engine.submit(
            lambda _control: change(engine),
            done=lambda _nothing: self._changed(wanted, version),
            failed=lambda error: self.kept.emit(error, other, self._version),
        )

    def _changed(self, then: tuple[int, ...], version: Version | None) -> None:
        session, self._version = self._session, version.id if version else ""
        if session is None:
            return
        found = (session.table.scan(scan_id) for scan_id in then)
        if then:
            self.want([scan for scan in found if scan is not None], Priority.SCREEN)
        self.learn(then)
        self.renewed.emit()

    def _loaded(
        self,
        session: Session,
        label_set: LabelSet,
        version: Version | None,
        result: LoadedEngine,
    ) -> None:
        if session is not self._session:
            return
        self._engine, self._info = result.engine, result.info
        self._version = version.id if version and not result.refusal else ""
        live, labels = session.live, session.label_set  # by now the reader may have changed them
        if labels.revision != label_set.revision:
            self.use_label_set(labels, ())
        is_other = (live.id if live else "") != (version.id if version else "")
        if is_other:
            self.use_version(live, ())
        self.learn(())
        self.loaded.emit(self._info)
        if result.refusal is not None and not is_other:
            self.refused.emit(result.refusal)

    def _not_loaded(self, error: NearlError) -> None:
        self._missing = True
        self.failed.emit(error)

    def _arrived(self, round_: int, ranking: Ranking) -> None:
        if round_ != self._round:
            return
        self._on_way.pop(ranking.scan_id, None)
        self._featured.add(ranking.scan_id)
        # What was learned while this was on its way has been said of the scan already.
        self.ranked.emit(self._rankings.setdefault(ranking.scan_id, ranking))
        session = self._session
        if session is not None and session.is_decided(ranking.scan_id):
            # It was decided before its features were there: now it can be learned from.
            self.learn((ranking.scan_id,))

    def _fitted(self, round_: int, found: tuple[list[Ranking], list[int]]) -> None:
        if round_ == self._round:
            rankings, self._unseen = found
            self._learned(round_, rankings)
            self._catch_up()

    def _catch_up(self) -> None:
        """Rank the next portion of the decided scans that nothing is known of yet."""
        engine, session = self._engine, self._session
        if engine is None or session is None or self._portion is not None:
            return
        missing = (i for i in self._unseen if i not in self._featured and i not in self._on_way)
        found = (session.table.scan(i) for i in islice(missing, self._pace.size))
        scans = [scan for scan in found if scan is not None]
        if not scans:
            if self._untaught:
                self.learn(())
            return
        self._portion = self._jobs.engine.submit(
            partial(_rank_portion, engine, scans, self._pace),
            priority=Priority.BACKGROUND,
            done=partial(self._portion_arrived, self._round),
            failed=self._portion_failed,
        )

    def _portion_arrived(self, round_: int, rankings: list[Ranking]) -> None:
        if round_ != self._round:
            return
        self._portion = None
        for ranking in rankings:
            self._featured.add(ranking.scan_id)
            self._rankings[ranking.scan_id] = ranking
        self._untaught += len(rankings)
        # Each fit takes longer than the one before: so each comes after more scans.
        if self._untaught >= max(_LEARN_AFTER, len(self._featured) // 4):
            self.learn(())
        else:
            self._catch_up()

    def _portion_failed(self, _error: NearlError) -> None:
        """The pass ends; the next decision begins it again."""
        self._portion = None

    def _not_ranked(self, scan_id: int, error: NearlError) -> None:
        self._on_way.pop(scan_id, None)
        self.ranked.emit(Ranking(scan_id, "", 0, (), notice=str(error)))

    def _learned(self, round_: int, rankings: list[Ranking]) -> None:
        if round_ != self._round:
            return
        for ranking in rankings:
            self._rankings[ranking.scan_id] = ranking
            self._featured.add(ranking.scan_id)  # what is said from now on is said by `refresh`
            self._again.discard(ranking.scan_id)
            self.ranked.emit(ranking)
        self.learned.emit()

    def _forget(self) -> None:
        self._round += 1
        for job in (*self._on_way.values(), self._portion):
            if job is not None:
                job.cancel()
        self._portion = None
        self._again.clear()
        self._untaught, self._unseen = 0, []
        self._on_way.clear()
        self._rankings.clear()
        self._featured.clear()


def _rank(engine: EngineLike, scan: Scan, control: RunControl) -> Ranking:
    return engine.rank([scan], control)[0]


def _rank_portion(
    engine: EngineLike, scans: Sequence[Scan], pace: Pace, control: RunControl
) -> list[Ranking]:
    with pace.go():
        return engine.rank(scans, control)
