"""Threads of the desk: work goes out as jobs, results come back into the GUI thread.

Only this module of the application makes threads. A job's `work` runs in a worker and touches no
Qt object; its callbacks run in the GUI thread, carried there by a signal of an object that lives
there.
"""

import contextlib
import heapq
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from nearl_core.control import Progress, RunControl
from nearl_core.errors import Cancelled, NearlError


class Priority(IntEnum):
    """Which waiting job goes first; the smaller, the sooner."""

    SCREEN = 0
    PREFETCH = 1
    BACKGROUND = 2
    TRAINING = 3
    IDLE = 4


@dataclass(eq=False)
class Job:
    """One piece of work and what becomes of it.

    Attributes:
        work: Runs in a worker thread; frozen values in, a frozen value out.
        control: Progress and cancellation.
        priority: Its place among the waiting jobs.
        done: Called in the GUI thread with the result.
        failed: Called in the GUI thread with an expected trouble; without it the trouble goes
            to the desk's error dialog.
        stopped: Called in the GUI thread when the job was cancelled.
        always: Runs even while everything else is cancelled: it frees what others hold.
        future: The same result for a worker that waits for it.
    """

    work: Callable[[RunControl], Any]
    control: RunControl
    priority: Priority
    done: Callable[[Any], None] | None = None
    failed: Callable[[NearlError], None] | None = None
    stopped: Callable[[], None] | None = None
    always: bool = False
    future: Future[Any] = field(default_factory=Future)

    def cancel(self) -> None:
        """Ask the job to stop, or not to start; safe from any thread."""
        self.control.cancel()


class Relay(QObject):
    """Brings what workers report into the GUI thread.

    Attributes:
        trouble: An expected trouble that no job handles itself (NearlError).
        bug: An unexpected exception of a job (Exception).
    """

    trouble = Signal(object)
    bug = Signal(object)
    _posted = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open = True
        self._posted.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def post(self, receive: Callable[[Any], None], value: Any) -> None:  # noqa: ANN401 - carries anything
        """Have `receive(value)` called in the GUI thread; safe from any thread."""
        if self._open:
            self._posted.emit(receive, value)

    def close(self) -> None:
        """Deliver nothing more."""
        self._open = False

    @Slot(object, object)
    def _deliver(self, receive: Callable[[Any], None], value: Any) -> None:  # noqa: ANN401
        if self._open:
            receive(value)


class WorkQueue:
    """Worker threads over one queue ordered by priority, then by order of submission.

    With one thread it owns what its jobs share: the model, or the writing connection.
    """

    def __init__(self, name: str, relay: Relay, *, threads: int = 1) -> None:
        self._name = name
        self._relay = relay
        self._size = threads
        self._serial = itertools.count()
        self._waiting: list[tuple[int, int, Job]] = []
        self._running: list[Job] = []
        self._change = threading.Condition()
        self._closing = False
        self._threads: list[threading.Thread] = []

    def submit(
        self,
        work: Callable[[RunControl], Any],
        *,
        done: Callable[[Any], None] | None = None,
        failed: Callable[[NearlError], None] | None = None,
        stopped: Callable[[], None] | None = None,
        progress: Callable[[Progress], None] | None = None,
        priority: Priority = Priority.SCREEN,
        always: bool = False,
    ) -> Job:
        """Queue work; safe from any thread. Threads start with the first job."""

        def report(value: Progress) -> None:
            if progress is not None:
                self._relay.post(progress, value)

        job = Job(
            work=work,
            control=RunControl(report=report, between=lambda: self._serve_before(priority)),
            priority=priority,
            done=done,
            failed=failed,
            stopped=stopped,
            always=always,
        )
        with self._change:
            if self._closing:
                job.cancel()
                job.future.cancel()  # who waits for it would wait for ever
                return job
            heapq.heappush(self._waiting, (int(priority), next(self._serial), job))
            self._start_threads()
            self._change.notify()
        return job

    def cancel_waiting(self, priority: Priority) -> None:
        """Cancel the jobs of a priority that have not started."""
        with self._change:
            for _, _, job in self._waiting:
                if job.priority is priority:
                    job.cancel()

    def cancel_all(self) -> None:
        """Ask every job, running or waiting, to stop."""
        with self._change:
            for job in (*self._running, *(entry[2] for entry in self._waiting)):
                if not job.always:
                    job.cancel()

    def close(self, timeout_s: float = 20.0) -> bool:
        """Cancel everything, let the threads end and wait for them; False if one did not."""
        self.cancel_all()
        with self._change:
            self._closing = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)

    def _start_threads(self) -> None:
        while len(self._threads) < self._size:
            name = f"desk-{self._name}-{len(self._threads)}"
            thread = threading.Thread(target=self._loop, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _loop(self) -> None:
        while (job := self._next()) is not None:
            self._run(job)

    def _next(self) -> Job | None:
        with self._change:
            while not self._waiting and not self._closing:
                self._change.wait()
            if not self._waiting:
                return None
            return heapq.heappop(self._waiting)[2]

    def _serve_before(self, priority: Priority) -> None:
        """Run the waiting jobs that are more urgent than a running one, in its thread."""
        while True:
            with self._change:
                if not self._waiting or self._waiting[0][0] >= int(priority):
                    return
                job = heapq.heappop(self._waiting)[2]
            self._run(job)

    def _run(self, job: Job) -> None:
        with self._change:
            self._running.append(job)
        try:
            job.control.check()
            result = job.work(job.control)
        # Callbacks are posted before the future is set: who waits for it comes after them.
        except (Cancelled, CancelledError):  # the latter where it waited for a job that was
            self._relay.post(self._finish_stopped, job)
            job.future.cancel()
        except NearlError as trouble:
            # Nobody asks any more what a cancelled job came to, least of all of a closed project.
            if job.control.cancelled:
                self._relay.post(self._finish_stopped, job)
            else:
                self._relay.post(job.failed or self._relay.trouble.emit, trouble)
            job.future.set_exception(trouble)
        except Exception as bug:  # noqa: BLE001 - the one place where a job's bug is caught
            self._relay.post(self._relay.bug.emit, bug)
            self._relay.post(self._finish_stopped, job)
            job.future.set_exception(bug)
        else:
            if job.done is not None:
                self._relay.post(job.done, result)
            job.future.set_result(result)
        finally:
            with self._change:
                self._running.remove(job)

    @staticmethod
    def _finish_stopped(job: Job) -> None:
        if job.stopped is not None:
            job.stopped()


class Jobs:
    """The desk's threads, each with what it owns.

    Attributes:
        engine: The model. Rankings of the scan on screen go first, then prefetch, then training.
        store: The project's writing connection.
        learning: The instant learner: matrix products on cached features that must not wait
            behind a training step.
        pictures: Decoding for the screen and thumbnails (it waits for guarded processes).
        background: Walks through folders, exports.
        fetching: Backbones on their way here, for minutes, which nothing else shall wait for.
        is_open: False once the threads have ended.
    """

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.engine = WorkQueue("engine", relay)
        self.store = WorkQueue("store", relay)
        self.learning = WorkQueue("learning", relay)
        self.pictures = WorkQueue("pictures", relay, threads=2)
        self.background = WorkQueue("background", relay)
        self.fetching = WorkQueue("fetching", relay)
        self.is_open = True

    def write(self, work: Callable[[], None]) -> None:
        """Have something written by the store thread, and wait for it; not for the GUI thread.

        Raises:
            NearlError: What the work raised.
        """
        self.store.submit(
            lambda _control: work(),
            failed=lambda _error: None,  # told by the job that waits here
            priority=Priority.BACKGROUND,
        ).future.result()

    def cancel_all(self) -> None:
        """Ask every job to stop, but for what the store was given: a decision is finished."""
        for queue in (self.engine, self.background, self.fetching, self.learning, self.pictures):
            queue.cancel_all()

    def close(self, timeout_s: float = 20.0) -> bool:
        """End every thread; False if one would not end in time, which each one has."""
        self.is_open = False
        self.cancel_all()
        queues = (self.background, self.fetching, self.pictures, self.learning, self.engine)
        ended = [queue.close(timeout_s) for queue in queues]
        ended.append(self._close_store(timeout_s))
        self.relay.close()
        return all(ended)

    def _close_store(self, timeout_s: float) -> bool:
        """Let the store finish what it was given, then end it."""
        last = self.store.submit(lambda _control: None, priority=Priority.TRAINING)
        with contextlib.suppress(CancelledError, TimeoutError):  # closed before, or it hangs
            last.future.result(timeout_s)
        return self.store.close(timeout_s)
