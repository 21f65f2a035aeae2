import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import pydantic_function_tool

from funathon.rag.answers import OUTCOMES, Answer, NaceAnswer, parse_answer

CANDIDATES = ["06.10", "10.71", "68.11", "68.12"]


def read(content) -> Answer:
    return parse_answer(content if isinstance(content, str | None) else json.dumps(content), CANDIDATES)


def answer(code, codable=True, confidence=0.8):
    return json.dumps({"codable": codable, "code": code, "confidence": confidence})


def test_what_was_asked_for():
    assert read(answer("10.71")) == Answer("10.71", 0.8, "coded", "")
    assert read(answer(None, codable=False, confidence=0.1)) == Answer(None, 0.1, "not codable", "")


@pytest.mark.parametrize(
    "content",
    [
        f"```json\n{answer('10.71')}\n```",
        f"```\n{answer('10.71')}",
        f"Here is my answer (of 5 {{candidates}}):\n{answer('10.71')}",
        f"{answer('10.71')}\nI chose [10.71] because bread is baked.",
        f'<think>Could be {answer("06.10")} or {{"code": …\n</think>\n{answer("10.71")}',
        # some servers cut the opening tag away
        f"Bread, so 10.71.</think>{answer('10.71')}",
        f'{{"result": {answer("10.71")}}}',
        f"[{answer('10.71')}]",
        f"{answer('10.71')}\n{answer('10.71')}",
        json.dumps({"Code": "10.71", "Confidence": 0.8, "Codable": True}),
        json.dumps({"codable": "true", "code": ["10.71"], "confidence": 0.8}),
    ],
)
def test_json_is_found_wherever_it_stands(content):
    assert read(content) == Answer("10.71", 0.8, "coded", "")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ('"6.1"', "06.10"),
        ('"6.10"', "06.10"),
        ('"06.1"', "06.10"),
        ("6.1", "06.10"),
        ("6.10", "06.10"),
        ("10.71", "10.71"),
        ('"0610"', "06.10"),
        ("1071", "10.71"),
        ('"10,71"', "10.71"),
        ('"C10.71"', "10.71"),
        ('"NACE 10.71"', "10.71"),
        ('"10.71 Manufacture of bread"', "10.71"),
        ('" 10.71 "', "10.71"),
    ],
)
def test_a_damaged_code_is_repaired_and_the_repair_is_told(written, code):
    found = read(f'{{"codable": true, "code": {written}, "confidence": 0.8}}')
    assert (found.code, found.outcome) == (code, "coded")
    assert (f"read as {code}" in found.detail) == (written.strip('" ') != code)


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (None, "empty answer"),
        ("", "empty answer"),
        (" \n", "empty answer"),
        ("<think>Bread.</think>\n", "empty answer"),
        ("<think>Bread or petroleum? Let me think", "truncated answer"),
        ("I cannot help with that.", "no JSON"),
        ("10.71", "no JSON"),
        ("{'code': '10.71'", "truncated answer"),
        ("The baker's 'own' words", "no JSON"),
        ({"section_code": "C", "group_code": "10.7"}, "no code"),
        ("[" * 100_000 + "{", "truncated answer"),
        ('{"a":' * 100_000, "no JSON"),
        (answer("10.71")[:-1], "truncated answer"),
        (answer("10.71")[:-14], "truncated answer"),
        (answer("10.71")[:30], "truncated answer"),
        ('{"codable": tru', "truncated answer"),
        ("Here it is: {", "truncated answer"),
        (answer("10.71") + answer("06.10"), "several answers"),
        (f"[{answer('10.71')}, {answer('06.10')}]", "several answers"),
        (answer("10.71") + answer(None, codable=False), "several answers"),
        (answer("10.71 or 06.10"), "several answers"),
        (answer(["10.71", "06.10"]), "several answers"),
        (answer("47.24"), "not a candidate"),
        (answer("99.99"), "invented"),
        (answer("9999"), "invented"),
        (answer("4724"), "not a candidate"),
        (answer("68.1"), "no class"),
        (answer(68.1), "no class"),
        (answer("68"), "no class"),
        (answer(68), "no class"),
        (answer("L"), "no class"),
        (answer("bread"), "no class"),
        (answer("10.71.1"), "no class"),
        (answer(None), "no code"),
        (answer(""), "no code"),
        (answer("null"), "no code"),
        (answer([]), "no code"),
        (answer({"value": "10.71"}), "no code"),
        ({"code": None}, "no code"),
        ({"answer": "10.71"}, "no code"),
        (NaceAnswer.model_json_schema(), "no code"),
        (answer("10.71", codable=False), "contradiction"),
    ],
)
def test_every_other_answer_has_its_name_and_no_code(content, outcome):
    found = read(content)
    assert (found.code, found.outcome) == (None, outcome)
    assert found.outcome in OUTCOMES and found.detail


@pytest.mark.parametrize(
    ("written", "confidence"),
    [
        ("0.8", 0.8),
        ('"0.8"', 0.8),
        ('"0,8"', 0.8),
        ('"80 %"', 0.8),
        ('"80%"', 0.8),
        ("80", 0.8),
        ("1", 1.0),
        ("0", 0.0),
        ("8e-1", 0.8),
        (".8", None),  # not JSON
        ('".8"', 0.8),
    ],
)
def test_confidences_as_models_write_them(written, confidence):
    found = read(f'{{"codable": true, "code": "10.71", "confidence": {written}}}')
    assert found.confidence == (None if confidence is None else pytest.approx(confidence))
    assert found.outcome == ("no JSON" if confidence is None else "coded")


@pytest.mark.parametrize("written", ['"high"', "null", "-0.2", "800", "NaN", "Infinity", '"0.8/1"', "[0.8]", "true"])
def test_a_confidence_that_cannot_be_read_is_none_and_told(written):
    found = read(f'{{"codable": true, "code": "10.71", "confidence": {written}}}')
    assert (found.code, found.outcome, found.confidence) == ("10.71", "coded", None)
    assert "confidence" in found.detail


@pytest.mark.parametrize(
    "content",
    [
        "{'codable': True, 'code': '10.71', 'confidence': 0.8, 'why': 'it\\'s \"bread\"'}",
        "{'codable': true, 'code': '10.71', 'confidence': 0.8}",
        "{“codable”: true, “code”: “10.71”, “confidence”: 0.8}",
        "{„codable‟: true, ‘code’: ’10.71’, ‘confidence’: 0.8}",
    ],
)
def test_other_quotes_are_repaired_and_told(content):
    found = read(content)
    assert (found.code, found.confidence, found.outcome) == ("10.71", 0.8, "coded")
    assert "quotes" in found.detail


@pytest.mark.parametrize(
    "names",
    [
        ("nace_code", "is_codable", "confidence_score"),
        ("NACE Code", "Codable", "Confidence"),
        ("naceCode", "isCodable", "confidence"),
        ("nace", "codable", "confidence"),
        ("selected_code", "codable", "confidence"),
    ],
)
def test_fields_of_other_names_are_read(names):
    assert read(dict(zip(names, ("10.71", True, 0.8)))) == Answer("10.71", 0.8, "coded", "")
    assert read(dict(zip(names, (None, False, 0.1)))) == Answer(None, 0.1, "not codable", "")


def test_the_code_is_told_from_what_is_said_about_it():
    said = {"nace_code": "10.71", "code_explanation": "06.10 is petroleum", "confidence": 0.8, "confidence_reason": "sure"}
    assert read(said) == Answer("10.71", 0.8, "coded", "")
    assert read({"code": "10.71", "nace_code": "06.10", "confidence": 0.8}).code == "10.71"


@pytest.mark.parametrize(
    "parts",
    [
        [{"type": "text", "text": answer("10.71")}],
        [
            {"type": "thinking", "thinking": [{"type": "text", "text": answer("06.10")}]},
            {"type": "text", "text": answer("10.71")},
        ],
        [{"type": "text", "text": answer("10.71")[:20]}, {"type": "text", "text": answer("10.71")[20:]}],
        [answer("10.71")],
    ],
)
def test_a_content_in_parts(parts):
    assert parse_answer(parts, CANDIDATES) == Answer("10.71", 0.8, "coded", "")


@pytest.mark.parametrize("content", [[], [None], [{"type": "text"}], [{"type": "text", "text": None}], {}, 5])
def test_a_content_without_a_text_is_empty(content):
    assert parse_answer(content, CANDIDATES).outcome == "empty answer"


@given(st.text(alphabet="{}[]'\"“’\\:, codeTrueNone10.7"))
def test_nothing_raises(content):
    assert read(content).outcome in OUTCOMES


def test_a_label_that_gives_orders_cannot_reach_beyond_the_candidates():
    assert read(answer("01.11")).outcome == "not a candidate"


def test_the_schema_is_one_that_servers_take_in_strict_mode():
    schema = pydantic_function_tool(NaceAnswer)["function"]
    assert schema["strict"] and schema["parameters"]["required"] == ["codable", "code", "confidence"]
    assert schema["parameters"]["additionalProperties"] is False
