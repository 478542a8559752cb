"""A lock on a file of its own, held until it is released or the process ends.

Closing any descriptor of an SQLite file ends the POSIX locks that the process holds on it. A lock of this
kind belongs to one descriptor: others of the same file can be opened and closed without an effect.
"""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    # Beyond what is in the file: another process cannot read a locked byte.
    _BYTE = 2**30

    def _taken(descriptor: int) -> bool:
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _taken(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


# Seconds to wait for a holder that has the file for a moment only, and between two attempts.
_PATIENCE = 1.0
_PAUSE = 0.01
_LASTING = b"run"


class FileLock:
    """A lock that one holder has at a time, among all processes and threads.

    The file is made for it, and removed when it is released. One that a killed process has left behind is
    taken over.

    Args:
        path: The file. It has nothing in it that is worth keeping.
        lasting: Whether it will be held for long. Others that want it are then refused at once; else they
            wait for up to a second.

    Raises:
        BlockingIOError: If another holder has it.
        OSError: If the file cannot be made.
    """

    def __init__(self, path: Path, *, lasting: bool) -> None:
        self._path = path
        self._descriptor = _acquired(path)
        # A disk that is full has no room for this: others then wait before they are refused.
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, _LASTING if lasting else b"")

    def release(self) -> None:
        """Release the lock and remove the file."""
        # While it is held: afterwards the file may be that of the next holder.
        if sys.platform != "win32" and _is_at(self._descriptor, self._path):
            self._path.unlink()
        self.forget()
        if sys.platform == "win32":  # pragma: no cover
            # An open file cannot be removed there, neither ours before nor that of the next holder now.
            with suppress(OSError):
                self._path.unlink()

    def forget(self) -> None:
        """Close the file without more: in a forked process, the lock stays that of its parent."""
        os.close(self._descriptor)


def _acquired(path: Path) -> int:
    until = time.monotonic() + _PATIENCE
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        ours = False
        try:
            if _taken(descriptor):
                # Its last holder may have removed it after it was opened here.
                ours = _is_at(descriptor, path)
            elif os.read(descriptor, len(_LASTING)) == _LASTING or time.monotonic() > until:
                raise BlockingIOError(f"{path} is locked")
        finally:
            if not ours:
                os.close(descriptor)
        if ours:
            return descriptor
        time.sleep(_PAUSE)  # noqa: TID251 - it waits for a file, not to send


def _is_at(descriptor: int, path: Path) -> bool:
    """Return whether the open file is the one that has this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
