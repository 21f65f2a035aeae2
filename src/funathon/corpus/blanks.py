"""Texts and codes that stand in a form only because something had to."""

import polars as pl

BLANKS = pl.Series(
    """
    unknown|not known|unk|none|nothing|nil|null|nan|na|n a|n d|nd|tbd|tba|tbc|to be determined|to be defined|to be confirmed
    to be announced|to be completed|to follow|not applicable|not available|not specified|unspecified|not stated|not given|no answer
    no data|no information|no description|no text|no comment|no idea|no label|no code|no activity given|missing|blank|empty
    see above|as above|same as above|the above|see below|see previous|same as before|as before|ditto|idem|same|see attached
    see attachment|see website|see other form|yes|no|true|false|ok|x|xx|xxx|test|asdf|dummy|lorem ipsum|error|value|ref|div 0|n s
    other|others|misc|miscellaneous|various|etc|don t know|do not know|dont know|i don t know|i do not know|not sure|unsure|anything
    my business|my company|company|business|activity|activities|business activity|description|activity description|unclassified
    """.strip()
    .replace("\n", "|")
    .split("|")
).str.strip_chars()
"""Whole texts, in lower case and with single spaces for punctuation, that say nothing about an activity."""

NO_LABEL = "no label"
EMPTY = "empty label"
NOTHING = "says nothing about an activity"


def why_blank(texts: pl.Expr) -> pl.Expr:
    """Why each of some texts (String) cannot be coded whatever codes it: NO_LABEL, EMPTY, NOTHING, or null for a text that says more."""
    return (
        pl.when(texts.is_null())
        .then(pl.lit(NO_LABEL))
        .when(texts.str.strip_chars() == "")
        .then(pl.lit(EMPTY))
        .when(says_nothing(texts))
        .then(pl.lit(NOTHING))
    )


def says_nothing(texts: pl.Expr) -> pl.Expr:
    """Whether texts (String) are one of BLANKS, whatever their case and punctuation: `N/A`, `(unknown)`, `- none -`."""
    words = (
        texts.str.replace_all(".", "", literal=True).str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    )
    return words.is_in(BLANKS.implode())
