"""A file is replaced by another one whole, or not at all."""

import errno
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

UNNAMED = getattr(os, "O_TMPFILE", None)
"""Opens a file that has no name, and so leaves nothing behind when the process is killed; on Linux."""


class Replacement:
    """What is to stand in a file's place: written beside it, then given its name in one step.

    The new file has the old one's mode, and its owner where that is allowed. A symbolic link stays one.

    Args:
        path: the file.
        found: what ``os.fstat`` said of it when it was read.

    Raises:
        OSError: its folder cannot be written to.
    """

    def __init__(self, path: str, found: os.stat_result) -> None:
        self._named = path
        self._path = os.path.realpath(path)
        self._found = found
        with self._blamed():
            self._file, self._temporary = _open_beside(self._path)

    def copy(self, size: int) -> None:
        """Write the file's first bytes, as they are."""
        with self._blamed(), open(self._path, "rb") as old:
            while size > 0 and (content := old.read(min(size, 1 << 20))):
                self._file.write(content)
                size -= len(content)

    def write(self, content: bytes) -> None:
        """Write some bytes more."""
        with self._blamed():
            self._file.write(content)

    def commit(self) -> None:
        """Put what was written in the file's place.

        Raises:
            OSError: that is not allowed, or the file is not what it was when it was read.
        """
        with self._blamed():
            self._file.flush()
            with suppress(PermissionError):  # only root gives files away
                os.fchown(self._file.fileno(), self._found.st_uid, self._found.st_gid)
            os.fchmod(self._file.fileno(), stat.S_IMODE(self._found.st_mode))
            os.fsync(self._file.fileno())
            if _identity(os.stat(self._path)) != _identity(self._found):
                raise OSError(errno.EBUSY, "changed while it was read; left as it is")
            if self._temporary is None:
                self._temporary = _name(self._file.fileno(), self._path)
            os.replace(self._temporary, self._path)
            self._temporary = None
            _sync_folder(os.path.dirname(self._path))
        self._file.close()

    def discard(self) -> None:
        """Leave the file as it is, and nothing beside it."""
        self._file.close()
        if self._temporary is not None:
            with suppress(FileNotFoundError):
                os.unlink(self._temporary)

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        """An error is told of under the name that the user gave."""
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, f"not written: {error.strerror}", self._named) from None


def _open_beside(path: str) -> tuple[IO[bytes], str | None]:
    """A new file in the same folder, and its name if it has one."""
    folder, name = os.path.split(path)
    if UNNAMED is not None:
        try:
            return os.fdopen(os.open(folder, UNNAMED | os.O_WRONLY, 0o600), "wb"), None
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT):  # a file system without them
                raise
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    return os.fdopen(descriptor, "wb"), temporary


def _name(descriptor: int, path: str) -> str:
    """Gives an unnamed file a name of its own in the path's folder, since a link cannot take another file's."""
    folder, name = os.path.split(path)
    folder_descriptor = os.open(folder, os.O_RDONLY)
    try:
        while True:
            temporary = f".{name}.{secrets.token_hex(4)}"
            with suppress(FileExistsError):
                # Only with a folder's descriptor does Python follow the link in /proc, instead of linking to it.
                os.link(
                    f"/proc/self/fd/{descriptor}",
                    temporary,
                    src_dir_fd=folder_descriptor,
                    dst_dir_fd=folder_descriptor,
                    follow_symlinks=True,
                )
                return os.path.join(folder, temporary)
    finally:
        os.close(folder_descriptor)


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
