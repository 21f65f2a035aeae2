"""Prompts that take a careless pattern for ever: each is read in a time that grows with its length, not with its square."""

import pytest

from funathon.endpoint.prompt_reading import find_activity, find_candidates

MANY = 1_000_000
"""Repeats: a pattern that looks at each pair of characters would take hours."""


@pytest.mark.parametrize(
    "text",
    [
        " " * MANY,
        "\n" * MANY,
        "# " * MANY,
        "\n#" * MANY,
        "1. " + " " * MANY + "10.7",
        "code " + " " * MANY + "10.71",
        "code" + "\t " * MANY,
        '"nace ' + "code " * MANY,
        "this class " * MANY,
        "include" + " also" * MANY,
        "includes" + "*" * MANY + " " * MANY,
        "<activity>" * MANY,
        "</activity>" * MANY,
        "<activity>" + "</activity" * MANY,
        "text" + ":" * MANY,
        "10.71" * MANY,
    ],
    ids=range(16),
)
def test_long_repeats_are_read(text):
    assert find_candidates(text + "\n### 10.71 Bread")[-1:] in ([], find_candidates("### 10.71 Bread"))
    found = find_activity(text)
    assert found is None or len(found) <= len(text)


def test_the_activity_reaches_from_the_first_tag_to_the_last():
    text = "<Activity>a</activity> b <activity>c</ACTIVITY> d"
    assert find_activity(text) == "a</activity> b <activity>c"
    assert find_activity("</activity>Label: baker<activity>") is None
    assert find_activity("</activity>\nLabel: baker\n<activity>") == "baker"


def test_a_label_in_tags_is_no_candidate():
    assert find_candidates("<activity>\n10.71 Bread\n</activity>\n10.72 Rusks")[0].code == "10.72"
