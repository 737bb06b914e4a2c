"""The log's own events, for `logging.getLogger("libwal")`.

Events arise on threads that must not wait for Python. They are kept by the native part, and handed
to `logging` when a log is opened or closed, and by a thread of its own in between.
"""

from __future__ import annotations

import atexit
import logging
import select
import threading

from ._libwal import events_dropped, events_heard, events_take

logger = logging.getLogger("libwal")
logger.addHandler(logging.NullHandler())

_starting = threading.Lock()
_thread: threading.Thread | None = None


def listen() -> None:
    """Hears what the logger would let through now, from now on."""
    global _thread
    level = logger.getEffectiveLevel() if not logger.disabled else 255
    descriptor = events_heard(min(max(level, 1), 255))
    with _starting:
        # A process that was forked has none of its parent's threads.
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(
                target=_run, args=(descriptor,), name="libwal-logging", daemon=True
            )
            _thread.start()


def deliver() -> None:
    """Hands over what has come so far."""
    for level, target, message in events_take():
        logging.getLogger(target).log(level, "%s", message)
    dropped = events_dropped()
    if dropped:
        logger.warning("%d events came faster than they could be logged", dropped)


def _run(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while True:
        poll.poll()
        deliver()


atexit.register(deliver)
