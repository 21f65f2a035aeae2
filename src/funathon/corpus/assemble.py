"""Building the files of `data/` from the texts people write: `funathon data`.

Sources, all meant to be read and reviewed in a diff:

* `data/nomenclature/A.yaml` … `V.yaml`: title and notes of every code, one file a section;
* `data/labels/*.txt`, `data/labels/entries/*.txt`, `data/labels/descriptions/*.txt`: the labels, one file a division;
* `data/field_test/*.txt`, `data/entries/*.txt`, `data/descriptions/*.txt`: the tests, in the same format.
"""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import yaml

from funathon.corpus.labels import fold
from funathon.errors import FunathonError
from funathon.files import replacing
from funathon.paths import DATA

NOTES = {"rule": "Implementation_rule", "includes": "Includes", "also": "IncludesAlso", "excludes": "Excludes"}
"""Keys of the notes in a YAML file, and their columns in the tsv."""


def read_notes(folder: Path) -> pl.DataFrame:
    """The nomenclature as the tsv holds it, from one YAML file a section.

    A file maps each code to its `title` and, where there are any, the lists `rule`, `includes`, `also` and `excludes`. Level
    and parent follow from the code: `A` section, `01` division of the section whose file it stands in, `01.1` group, `01.11`
    class.

    Raises FunathonError naming the file and the code at fault.
    """
    rows = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            entries = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        except yaml.YAMLError as error:
            raise FunathonError(f"{path} is not valid YAML: {error}.", "Quote the bullet or mend its indentation.") from error
        if not isinstance(entries, dict):
            raise FunathonError(f"{path} maps no codes to their notes.", "Write each code as a key: '01.11': …")
        for code, entry in entries.items():
            if not isinstance(code, str):
                raise FunathonError(f"{path}: the code {code!r} was read as a number.", "Put it in quotes.")
            if not re.fullmatch(r"[A-Z]|\d\d(\.\d{1,2})?", code):
                raise FunathonError(f"{path}: {code!r} is no code.", "Write a letter, 01, 01.1 or 01.11.")
            if not isinstance(entry, dict):
                raise FunathonError(f"{path}: {code} has no entry.", f"The keys are title, {', '.join(NOTES)}.")
            unknown = set(entry) - {"title", *NOTES}
            if "title" not in entry or unknown:
                raise FunathonError(
                    f"{path}: {code} {'has the unknown key ' + sorted(unknown)[0] if unknown else 'has no title'}.",
                    f"The keys are title, {', '.join(NOTES)}.",
                )
            level = 1 if code.isalpha() else len(code.replace(".", ""))
            parent = {1: None, 2: path.stem, 3: code[:2], 4: code[:4]}[level]
            notes = [bullets(entry.get(key)) for key in NOTES]
            rows.append((code, entry["title"], parent, str(level), *notes))
    columns = ["CODE", "HEADING", "PARENT_CODE", "LEVEL", *NOTES.values()]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def bullets(lines: list[str] | None) -> str | None:
    """Bullets in one field, separated by the two characters backslash and n as in the official file."""
    return "\\n".join(f"- {line}" for line in lines) if lines else None


def read_texts(folder: Path) -> Iterator[tuple[str, str, bool]]:
    """Code, label and whether it is marked as messy, from text files.

    A line `# 01.11` opens a class; each line after it is one label; a label that starts with `~` is messy (abbreviations,
    typing errors, odd punctuation, a second activity).

    Raises FunathonError for a label before the first code.
    """
    for path in sorted(folder.glob("*.txt")):
        code = None
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            line = line.strip()
            if line.startswith("# "):
                code = line[2:].split()[0]
            elif line and code is None:
                raise FunathonError(f"{path}, line {number}: a label before the first code.", "Write '# CODE' above it.")
            elif line:
                yield code, line.removeprefix("~").strip(), line.startswith("~")


def register_of(label: str, messy: bool) -> str:
    """`messy`, or by number of words `terse` (5 at most), `phrase` (6 to 9) or `long` (10 and more)."""
    words = len(fold(label).split())
    return "messy" if messy else "terse" if words <= 5 else "phrase" if words <= 9 else "long"


def form_of(entry: str, messy: bool) -> str:
    """How an entry of an index says the kind of activity: in `brackets`, behind a `comma`, or not apart (`bare`)."""
    return "brackets" if "(" in entry else "comma" if "," in entry else "bare"


def length_of(description: str, messy: bool) -> str:
    """`short` (59 words at most) or `long`."""
    return "short" if len(description.split()) < 60 else "long"


KINDS = {"label": ".", "entry": "entries", "description": "descriptions"}
"""The kinds of labels and the folders of their texts within `data/labels`."""
TESTS = {"field_test": register_of, "entries": form_of, "descriptions": length_of}
"""The tests, each a folder of texts and a file, and what tells their texts apart: the column `register`."""


def text_table(folder: Path, titles: dict[str, str], seen: dict[str, str], register: Callable[[str, bool], str]) -> pl.DataFrame:
    """Texts of a folder with the columns `code`, `name`, `label` and `register`, in the order of the codes.

    `seen` has the texts, folded, that must not stand there, with the place of each; those of this folder are added.

    Raises FunathonError for a code that is no class and for a text that has been seen.
    """
    rows = []
    for code, label, messy in read_texts(folder):
        if code not in titles:
            raise FunathonError(f"{folder}: {code} is no class of NACE Rev. 2.1.", "Mend the line '# CODE' above the labels.")
        folded = fold(label)
        if folded in seen:
            raise FunathonError(f"{folder}: {label!r} stands under {seen[folded]} and {code}.", "Keep one of them, or reword it.")
        seen[folded] = code
        rows.append((code, titles[code], label, register(label, messy)))
    table = pl.DataFrame(rows, schema=dict.fromkeys(["code", "name", "label", "register"], pl.String), orient="row")
    return table.sort("code", maintain_order=True)


def assemble(data: Path = DATA) -> dict[str, bytes]:
    """The built files of `data`, by name. The same sources give the same bytes (for one version of polars).

    Raises FunathonError when a source is not what it should be or a text stands twice in it, and when a label stands in a test: what
    a model learns from must not be what it is judged by.
    """
    notes = read_notes(data / "nomenclature")
    titles = dict(notes.filter(LEVEL="4").select("CODE", "HEADING").iter_rows())
    seen: dict[str, str] = {}
    tests = {}
    for name, register in TESTS.items():
        own: dict[str, str] = {}
        tests[f"{name}.parquet"] = parquet(text_table(data / name, titles, own, register))
        seen |= {text: f"{code} of {name}" for text, code in own.items()}
    labels = [
        text_table(data / "labels" / folder, titles, seen, register_of).select("code", "name", "label", kind=pl.lit(kind))
        for kind, folder in KINDS.items()
    ]
    return {
        "nace_rev2_1.tsv": notes.write_csv(separator="\t", quote_style="necessary").encode(),
        "labels.parquet": parquet(pl.concat(labels).sort("code", maintain_order=True)),
        **tests,
    }


def parquet(table: pl.DataFrame) -> bytes:
    """`table` as the bytes of a parquet file."""
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="zstd", compression_level=19, statistics=False)
    return buffer.getvalue()


def outdated(data: Path = DATA, built: Callable[[Path], dict[str, bytes]] = assemble) -> list[str]:
    """Names of built files that are missing or differ from what `built` makes of their sources."""
    return [name for name, content in built(data).items() if not (data / name).is_file() or (data / name).read_bytes() != content]


def write(data: Path = DATA, built: Callable[[Path], dict[str, bytes]] = assemble) -> list[str]:
    """Build all files of `data` that `built` makes; return the names of those that changed."""
    changed = []
    for name, content in built(data).items():
        if not (data / name).is_file() or (data / name).read_bytes() != content:
            with replacing(data / name) as temporary:
                temporary.write_bytes(content)
            changed.append(name)
    return changed
