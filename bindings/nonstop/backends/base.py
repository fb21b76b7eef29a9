"""What every backend offers, so that the rest of nonstop does not know which one it drives."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from nonstop.hits import Hits
    from nonstop.planner import CodeFacts, Planner


class Backend(abc.ABC):
    """Arms code objects and calls :meth:`nonstop.hits.Hits.arrive` when control enters an armed unit.

    A backend is made for one debugger and started and stopped any number of times. Edits of breakpoints are told with
    :meth:`refresh`, after the engine has published them.
    """

    #: The word that users choose it by.
    name: ClassVar[str]
    #: What it can do beyond observing lines: ``running_frames``, ``earlier_threads``, ``suspended_generators``.
    capabilities: ClassVar[frozenset[str]]
    #: Whether it sees single instructions, or lines only.
    sees_instructions: ClassVar[bool] = False

    def __init__(self, planner: Planner, hits: Hits) -> None:
        self._planner = planner
        self._hits = hits

    @classmethod
    @abc.abstractmethod
    def why_unavailable(cls) -> str | None:
        """Why this interpreter cannot use it; None where it can."""

    @classmethod
    def remarks(cls) -> list[str]:
        """What is worse here than it could be: a sentence for each."""
        return []

    @abc.abstractmethod
    def start(self) -> None:
        """Begin to observe, or raise :class:`~nonstop.errors.BackendError` and change nothing."""

    @abc.abstractmethod
    def stop(self) -> None:
        """Observe nothing any more, and leave the interpreter as it was found."""

    @abc.abstractmethod
    def refresh(self, breakpoints: Sequence[int] = ()) -> None:
        """Breakpoints were added or enabled, these or, where none is named, any: arm the code that is running now;
        other code is armed when it is next called.
        """

    def take_condition(self, token: int, text: str) -> None:
        """The breakpoint with this number, which is about to be added, has a condition: a backend may decide it by
        itself.
        """
        return

    def forget_condition(self, token: int) -> None:
        """That breakpoint was removed, or not added."""
        return

    def ended(self) -> None:
        """Breakpoints were removed or disabled. A backend may leave their code as it is, as long as it costs nothing
        much.
        """
        return

    @abc.abstractmethod
    def after_fork(self) -> None:
        """This is the child of a fork, and the engine has started anew: arm again what was armed."""

    @abc.abstractmethod
    def live_frames(self, wanted: Callable[[CodeFacts], bool]) -> Iterator[FrameType]:
        """The frames on the stacks of all threads that are observed now and run code that is `wanted`.

        On PyPy 3.11 only the topmost frame of other threads can be looked at, on PyPy 3.9 none.
        """

    @property
    def spent_ns(self) -> int:
        """Time that the program spent at hits which the backend answered by itself, in nanoseconds."""
        return 0

    @abc.abstractmethod
    def missed(self) -> list[str]:
        """What cannot be observed now, and why: one sentence for each."""
