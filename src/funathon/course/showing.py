"""What appears below a cell as soon as it is made, whether or not it is the cell's last line, and not a second time if it is."""

from IPython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import publish_display_data


class Shown:
    """Something with a plain text and a richer one. `show` shows it; as the last line of that cell it stays silent, as that of a
    later cell it shows itself again, like any value."""

    _cell: int | None = None

    def bundle(self) -> dict[str, str]:
        """The texts by media type; `text/plain` is always among them."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.bundle()["text/plain"]

    def show(self) -> None:
        """Show it below the cell that runs."""
        self._cell = running_cell()
        if InteractiveShell.initialized():
            publish_display_data(self.bundle())

    def _ipython_display_(self) -> None:
        if self._cell is None or self._cell != running_cell():
            self.show()


class Note(Shown):
    """A text in markdown, in `data`."""

    def __init__(self, data: str) -> None:
        self.data = data

    def bundle(self) -> dict[str, str]:
        """The text as markdown, and as it stands."""
        return {"text/plain": self.data, "text/markdown": self.data}


def running_cell() -> int | None:
    """The number of the cell that runs, None outside of IPython."""
    shell = get_ipython()
    return None if shell is None else shell.execution_count
