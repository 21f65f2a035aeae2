"""The two directions of a correspondence: from Rev. 2 to Rev. 2.1, and back; and who can annotate in each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from funathon.corpus.correspondence import Correspondence
from funathon.corpus.labels import read_labels
from funathon.corpus.nomenclature import read_nomenclature
from funathon.corpus.splitting import Split, split_labels
from funathon.paths import OLD_CODES
from funathon.rag.prompts import candidate_block
from funathon.rag.retrieval import Document, class_passages
from funathon.rag.searching import note_text
from funathon.recoding.annotators import Annotator, ByMeaning, ByNetwork, ByWords
from funathon.recoding.chat import cag_messages, with_content


@dataclass(frozen=True)
class Direction:
    """What recoding needs of the nomenclature that codes are brought to."""

    names: tuple[str, str]
    """Of the nomenclature that codes come from, and of the one they go to."""
    successors: Mapping[str, Sequence[str]]
    titles: Mapping[str, str]
    """Of the classes that codes go to."""
    old_titles: Mapping[str, str]
    content: Mapping[tuple[str, str], str]
    """What went from the one class to the other, where that is written down."""
    blocks: Mapping[str, str]
    """Each class as prompts show it."""
    passages: Sequence[Document]
    """Texts about the classes, to compare by meaning."""
    documents: Sequence[Document]
    """One text a class, to compare by words."""
    labelled: Sequence[Document]
    """Labels whose class is known, to compare by words."""
    knows_network: bool = False
    """Whether the pretrained network knows the classes."""

    def offline(self, network: Callable[[], Annotator]) -> list[Annotator]:
        """The annotators that need no endpoint; `network` loads the pretrained one."""
        found: list[Annotator] = [network()] if self.knows_network else []
        return [*found, ByMeaning(self.passages, self.content), ByWords(self.documents, self.labelled)]

    def messages(self, text: str, old: str, candidates: Sequence[str]) -> list[dict[str, str]]:
        """The prompt for a chat model."""
        blocks = [with_content(self.blocks[code], self.content.get((old, code))) for code in candidates]
        return cag_messages(text, f"{old} {self.old_titles.get(old, '')}".rstrip(), blocks, self.names)


def forwards(correspondence: Correspondence) -> Direction:
    """From Rev. 2 to Rev. 2.1: notes, training labels and the network are of Rev. 2.1."""
    nomenclature = read_nomenclature()
    rows = {row["code"]: row for row in nomenclature.filter(level=4).iter_rows(named=True)}
    split = split_labels(read_labels())
    return Direction(
        names=("NACE Rev. 2", "NACE Rev. 2.1"),
        successors=correspondence.successors,
        titles={code: row["heading"] for code, row in rows.items()},
        old_titles=correspondence.old_titles,
        content=correspondence.content,
        blocks={code: candidate_block(row) for code, row in rows.items()},
        passages=class_passages(nomenclature),
        documents=[Document(code, note_text(row)) for code, row in rows.items()],
        labelled=[Document(code, text) for code, text in zip(split.y_train.tolist(), split.X_train.tolist())],
        knows_network=True,
    )


def backwards(correspondence: Correspondence, split: Split | None = None) -> Direction:
    """From Rev. 2.1 to Rev. 2, of which there are titles, what went where, and labels that were annotated by hand, of the training set of `split`
    (default: that of the course) only."""
    split = split or split_labels(read_labels())
    titles = correspondence.old_titles
    content = {(new, old): text for (old, new), text in correspondence.content.items()}
    went = pl.DataFrame([(old, text) for (_, old), text in content.items()], schema=["code", "text"], orient="row")
    told = dict(went.group_by("code", maintain_order=True).agg(pl.col("text").str.join("\n- ")).iter_rows())
    documents = [Document(code, "\n- ".join([title, *([told[code]] if code in told else [])])) for code, title in titles.items()]
    annotated = pl.read_csv(OLD_CODES, separator="\t", quote_char=None, infer_schema=False)
    annotated = annotated.filter(pl.col("label").is_in(split.X_train.tolist()))
    return Direction(
        names=("NACE Rev. 2.1", "NACE Rev. 2"),
        successors=correspondence.predecessors,
        titles=titles,
        old_titles=dict(read_nomenclature().filter(level=4).select("code", "heading").iter_rows()),
        content=content,
        blocks={document.code: f"### {document.code} {document.text}" for document in documents},
        passages=[Document(code, title) for code, title in titles.items()],
        documents=documents,
        labelled=[Document(code, text) for code, text in annotated.select("rev2", "label").iter_rows()],
    )


def network_annotator(url: str) -> Annotator:
    """The pretrained network at `url`. Raises FunathonError as `load_model` does."""
    from functools import partial

    from funathon.supervised.classifier import scores
    from funathon.supervised.pretrained import load_model

    model = load_model(url)
    return ByNetwork(partial(scores, model), model.value_encoder.label_encoder.classes_.tolist())
