"""What nonstop raises: one base class, and a stable code in each error."""

from __future__ import annotations

from typing import ClassVar


class NonstopError(Exception):
    """Base of all errors that nonstop raises.

    The message says what was wrong, names the value, and says what to do. :attr:`code` is a word for programs; it stays
    the same from version to version.

    >>> raise LocationError("no code at shop.py:41; nearest: 40, 43", code="no_code")
    Traceback (most recent call last):
    nonstop.errors.LocationError: no code at shop.py:41; nearest: 40, 43
    """

    #: The code where none was given.
    _code: ClassVar[str] = "error"

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        #: A stable word for this kind of error.
        self.code = code or self._code


class ArgumentError(NonstopError):
    """An argument makes no sense."""

    _code = "invalid_argument"


class LocationError(NonstopError):
    """A location cannot be read, or nothing stands there.

    Codes: ``invalid_location``, ``no_such_file``, ``is_a_directory``, ``unreadable_file``, ``invalid_source``,
    ``no_code``, ``no_such_function``.
    """

    _code = "invalid_location"


class ConditionError(NonstopError):
    """A condition, a captured expression or a hit condition does not compile.

    Codes: ``invalid_condition``, ``invalid_expression``, ``invalid_hit_condition``.
    """

    _code = "invalid_condition"


class TemplateError(NonstopError):
    """The template of a log message cannot be read. Code: ``invalid_template``."""

    _code = "invalid_template"


class StateError(NonstopError):
    """What was asked for cannot be done in the present state.

    Codes: ``closed``, ``removed``, ``not_found``, ``limit_reached``, ``not_supported``.
    """

    _code = "state"


class BackendError(NonstopError):
    """A backend cannot observe.

    Codes: ``unavailable_backend``, ``tracer_in_use``.
    """

    _code = "unavailable_backend"


class SinkError(NonstopError):
    """Snapshots cannot go where they were to go. Code: ``unusable_sink``."""

    _code = "unusable_sink"


class LibraryError(NonstopError):
    """The native library is missing, does not fit, or refused a call that these bindings should not have made.

    Codes: ``missing_library``, ``abi_mismatch``, or the name of the library's status in lower case.
    """

    _code = "library"


#: By the name of the status. Everything else is a defect of the bindings or the library.
_CLASSES: dict[str, type[NonstopError]] = {
    "INVALID_ARGUMENT": ArgumentError,
    "INVALID_LOCATION": LocationError,
    "INVALID_HIT_CONDITION": ConditionError,
    "INVALID_TEMPLATE": TemplateError,
    "NOT_FOUND": StateError,
    "CLOSED": StateError,
    "LIMIT_REACHED": StateError,
    "NOT_SUPPORTED": StateError,
}


def error_from_status(name: str, detail: str) -> NonstopError:
    """The exception for an error status of the library, by the status's name.

    >>> error_from_status("NOT_FOUND", "no breakpoint has the id 7").code
    'not_found'
    """
    return _CLASSES.get(name, LibraryError)(detail or name, code=name.lower())
