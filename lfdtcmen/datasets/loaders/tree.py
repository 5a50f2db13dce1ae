"""The folders and videos below a data set's root, and the frames in them."""

import os
import stat
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from lfdtcmen.datasets.frames import VIDEO_SUFFIXES, describe_rate, frame_names, video_info
from lfdtcmen.datasets.loaders.tables import same_name
from lfdtcmen.errors import DataError

MAX_FPS = 1e6  # a rate above this is an error of the file
SEARCH_DEPTH = 4  # levels of folders below the root that are searched for clips

Frames = dict[int, None] | range  # frame numbers, rising


def only_one(paths: list[Path], name: str) -> Path:
    """Return the only folder that was found under a name.

    Raises
    ------
    DataError
        There is none, or there are several and it is not known which one the table means.
    """
    if not paths:
        raise DataError(f"there is no folder {name}")
    if len(paths) > 1:
        found = " and ".join(str(path) for path in paths[:3])
        raise DataError(f"{len(paths)} folders are called {name} ({found}): give the one above one of them as root")
    return paths[0]


class Tree:
    """The folders and videos below a data set's root, found whatever the case of their names; each is listed once.

    Parameters
    ----------
    root : path
        Folder of the data set. It is only read.

    Raises
    ------
    DataError
        There is no such folder.
    """

    def __init__(self, root: Path | str):
        self.root = Path(os.path.abspath(os.path.expanduser(root)))
        if not os.path.isdir(self.root):
            raise DataError("there is no such folder", str(self.root), "give the folder of the data set")
        self._children: dict[Path, dict[str, list[Path]]] = {}
        self._frames: dict[Path, Frames | str] = {}  # a text: why they cannot be used
        self._fps: dict[Path, float] = {}
        self._files: dict[Path, tuple[int, int]] = {}  # device and number on it
        self._rate_notes: dict[Path, str] = {}

    def children(self, folder: Path) -> dict[str, list[Path]]:
        """Return the folders and videos in a folder by :func:`same_name`; none where it cannot be opened."""
        if folder not in self._children:
            self._children[folder] = {}
            try:
                with os.scandir(folder) as entries:
                    paths = sorted(
                        Path(entry.path) for entry in entries if entry.is_dir() or _has_video_name(entry.name)
                    )
            except OSError:
                paths = []
            for path in paths:
                if not path.name.startswith("."):
                    self._children[folder].setdefault(same_name(path.name), []).append(path)
        return self._children[folder]

    def below(self, folder: Path, *names: str) -> Path | None:
        """Follow names from folder to folder, in any case; None if one is not there.

        Raises
        ------
        DataError
            Several have a name in different cases, and none has it exactly.
        """
        for name in names:
            found = self.children(folder).get(same_name(name))
            if not found:
                return None
            exact = [child for child in found if child.name == name.strip()]
            if not exact and len(found) > 1:
                paths = " and ".join(str(path) for path in found)
                raise DataError(
                    f"{len(found)} folders are called {name} in another case ({paths}): write its name exactly"
                )
            folder = (exact or found)[0]
        return folder

    def of_subject(self, found: dict[str, list[Path]], subject: str, name: str) -> Path:
        """Return a folder within the folder of a subject.

        Parameters
        ----------
        found : dict
            What :meth:`search` returned for the names of the subjects.
        subject, name : str
            Names of the subject's folder and of the folder within it.

        Raises
        ------
        DataError
            The subject has none or several folders, or none of them holds that name.
        """
        folder = self.below(only_one(found.get(same_name(subject), []), subject), name)
        if folder is None:
            raise DataError(f"there is no folder {subject}/{name}")
        return folder

    def search(self, names: Iterable[str]) -> dict[str, list[Path]]:
        """Find folders by name, down to four levels below the root. A folder that is found is not searched further.

        Returns
        -------
        dict
            :func:`same_name` of each name that was found -> its folders, the highest first.
        """
        requested = {same_name(name) for name in names}
        found: dict[str, list[Path]] = {}
        level = [self.root]
        for _ in range(SEARCH_DEPTH):
            below = [self.children(folder) for folder in level]
            level = []
            for children in below:
                for name, paths in children.items():
                    if name in requested:
                        found.setdefault(name, []).extend(paths)
                    else:
                        level.extend(path for path in paths if not _has_video_name(path.name) or path.is_dir())
        return found

    def frames(self, path: Path) -> Frames:
        """Return the frame numbers of a folder of images or of a video, rising.

        Raises
        ------
        DataError
            The folder or video cannot be used.
        """
        if path not in self._frames:
            try:
                # numbers alone: a data set has a million frames
                file = os.stat(path)
                if file.st_ino:  # 0: a system without such numbers
                    self._files[path] = (file.st_dev, file.st_ino)
                video = stat.S_ISREG(file.st_mode)
                self._frames[path] = self._list_video(path) if video else dict.fromkeys(frame_names(path))
            except (DataError, OSError) as error:
                self._frames[path] = str(error)
        frames = self._frames[path]
        if isinstance(frames, str):
            raise DataError(frames)
        return frames

    def fps(self, path: Path) -> float | None:
        """Return the frames per second of a video whose frames were listed; None for a folder."""
        return self._fps.get(path)

    def identity(self, path: Path) -> tuple[int, int] | Path:
        """Return what is equal for two paths to the same folder or video (links, say), once its frames were listed."""
        return self._files.get(path, path)

    def rate_note(self, path: Path) -> str:
        """Return a remark on the rate of a video whose frames were listed; "" for a folder."""
        return self._rate_notes.get(path, "")

    def side_by_side(self, names: Iterable[str]) -> set[str]:
        """Return :func:`same_name` of the names that have folders in one folder with those of another name."""
        found = self.search(names)
        parents = Counter(parent for folders in found.values() for parent in {folder.parent for folder in folders})
        return {name for name, folders in found.items() if any(parents[folder.parent] > 1 for folder in folders)}

    def _list_video(self, path: Path) -> range:
        count, fps = video_info(path)
        self._rate_notes[path] = describe_rate(path)
        if 0 < fps < MAX_FPS:
            self._fps[path] = fps
        return range(count)


def _has_video_name(name: str) -> bool:
    return name.lower().endswith(VIDEO_SUFFIXES)
