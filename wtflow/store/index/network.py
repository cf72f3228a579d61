"""On what kind of disk a folder lies."""

import contextlib
from pathlib import Path

import psutil

_NETWORK = (
    *("nfs", "cifs", "smb", "afs", "9p", "fuse", "ceph", "lustre", "gpfs", "beegfs", "gluster", "pvfs", "ocfs", "gfs"),
    *("virtiofs", "vboxsf", "vmhgfs", "prl_fs", "drvfs", "ncpfs", "webdav", "davfs", "sshfs"),
)
"""Beginnings of the names of file systems that another computer, or a virtual one's host, may write to as well."""


def network_kind(path: Path) -> str:
    """The name of the file system of a network drive that `path` lies on; empty on a disk of this computer, and where
    that cannot be told.
    """
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        place = path.resolve()
        mounts = [one for one in psutil.disk_partitions(all=True) if place.is_relative_to(one.mountpoint)]
        if mounts:
            last = max(mounts, key=lambda one: len(Path(one.mountpoint).parts))
            kind = last.fstype.casefold()
            is_remote = kind.startswith(_NETWORK) and not kind.startswith("fuseblk") or "remote" in last.opts.split(",")
            return (last.fstype or "network drive") if is_remote else ""
    return ""
