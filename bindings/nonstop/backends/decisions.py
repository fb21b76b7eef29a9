"""Decides about code objects, once for each epoch of the engine: what is armed in one is its plan."""

from __future__ import annotations

import abc
import itertools
import weakref
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from nonstop.backends.codes import Codes
from nonstop.code_objects import nested_code
from nonstop.planner import module_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType

    from nonstop.core import Entry
    from nonstop.planner import CodeFacts, Planner


class Plan(abc.ABC):
    """Where control enters the armed units of one code object. It does not keep the code object alive."""

    __slots__ = ("code", "epoch", "facts", "inside")

    def __init__(self, code: CodeType, facts: CodeFacts) -> None:
        self.code = weakref.ref(code)
        self.facts = facts
        self.epoch = 0
        #: What the engine said: whether an offset is inside of the unit of a site.
        self.inside: dict[tuple[int, int], bool] = {}

    def gather(self) -> None:
        """Tell of the arrivals that were counted elsewhere: what is bound may be about to change."""
        return

    def decided(self, entries: Sequence[Entry], epoch: int) -> None:
        """Take a decision over."""
        self.inside = {}
        self.set(entries, epoch)
        self.epoch = epoch

    @abc.abstractmethod
    def set(self, entries: Sequence[Entry], epoch: int) -> None:
        """Arm these entries and no others. None: nothing in this code object can fire."""

    def let_go(self) -> None:
        """The code object is gone."""
        return

    @property
    @abc.abstractmethod
    def is_over(self) -> bool:
        """Whether no entry is armed."""


P = TypeVar("P", bound=Plan)


class Decisions(Generic[P]):
    """The plans of a session.

    A backend that arms code `ahead` decides about functions as soon as the code runs that makes them. One that does not
    is asked at each call, and remembers which code objects have no plan.
    """

    def __init__(self, planner: Planner, make_plan: Callable[[CodeType, CodeFacts], P], *, ahead: bool) -> None:
        self._planner = planner
        self._make_plan = make_plan
        self._ahead = ahead
        self._epoch: Any = planner.epoch_word
        self.codes: Codes[P] = Codes(self._let_go)

    def learn(self, code: CodeType, namespace: dict[str, Any]) -> P | None:
        """Decide about a code object that is not known, and remember the decision."""
        plan = self._learn(code, namespace)
        if self._ahead and not self._planner.is_quiet(code.co_filename, module_name(namespace)):
            for inner in itertools.islice(nested_code(code), 1, None):
                if self.codes.plan(inner) is None:
                    self._learn(inner, namespace)
        return plan

    def _let_go(self, plan: P) -> None:
        plan.let_go()
        self._planner.forget(plan.facts)

    def _learn(self, code: CodeType, namespace: dict[str, Any]) -> P | None:
        codes, planner = self.codes, self._planner
        while True:
            epoch, edits = self._epoch[0], planner.edits
            plan: P | None = codes.plan(code)
            if plan is not None:
                if self.is_outdated(plan):
                    self.decide_again(plan)
                return None if plan.is_over else plan
            found = planner.examine(code, namespace)
            if found is not None:
                facts, decision = found
                plan = self._make_plan(code, facts)
                if not codes.add_plan(code, plan):
                    planner.forget(facts)  # another thread was first
                    continue
                plan.decided(decision.entries, decision.epoch)
            if plan is not None or not self._ahead:
                codes.remember(code, plan)
            # An edit may have been published since, and the refresh that goes with it have run before the decision was
            # remembered: then nobody but us would notice.
            if epoch == self._epoch[0] and edits == planner.edits:
                return plan
            codes.drop(code)

    def decide_again(self, plan: P) -> None:
        """Bring a plan up to the present epoch."""
        code = plan.code()
        plan.gather()
        while True:
            decision = self._planner.decide(plan.facts, code)
            plan.decided(decision.entries, decision.epoch)
            if code is not None:
                self.codes.remember(code, plan if decision.entries else None)
            if decision.epoch == self._epoch[0]:
                return

    def is_outdated(self, plan: P) -> bool:
        """Whether the engine may decide otherwise by now."""
        return bool(plan.epoch != self._epoch[0])

    def is_inside(self, plan: P, site: int, offset: int) -> bool:
        """Whether control at an offset is inside of the unit of a site."""
        if offset < 0:
            return False
        inside = plan.inside.get((site, offset))
        if inside is None:
            inside = plan.inside[site, offset] = self._planner.is_inside(plan.facts, site, offset)
        return inside
