"""Answers to the questions of chapter 7 that differ from the official ones."""

MESSAGES = (
    "def make_messages(label, blocks):\n"
    "    safe = {safe}\n"
    "    return [{{'role': 'system', 'content': SYSTEM}}, {{'role': 'user', 'content': {user}}}]\n"
    "messages = make_messages(label, blocks)"
)
SAFE = "' '.join(label.split()).replace('<', '‹').replace('>', '›')"
USER = "'\\n\\n'.join([f'<activity>\\n{safe}\\n</activity>', 'Candidates:', *blocks])"
ASK = (
    "def ask(messages, candidates, client=client):\n"
    "    started = time.perf_counter()\n"
    "    row = {{'code': None, 'confidence': None, 'detail': '', 'tokens_in': 0, 'tokens_out': 0}}\n"
    "    try:\n"
    "        completion = client.chat.completions.create(model=os.environ['CHAT_MODEL'], messages=messages, {options})\n"
    "        read = {read}\n"
    "        row |= {{'code': read.code, 'confidence': read.confidence, 'outcome': read.outcome, 'detail': read.detail}}\n"
    "        {usage}\n"
    "    except {errors} as error:\n"
    "        row |= {{'code': None, 'outcome': 'request failed', 'detail': repr(error)}}\n"
    "    return row | {{'seconds': time.perf_counter() - started}}\n"
    "failed = ask(messages, candidates, client=broken_client)"
)
OPTIONS = "temperature=0, response_format=request['response_format']"
READ = "parse_answer(completion.choices[0].message.content, candidates)"
USAGE = "row.update(tokens_in=getattr(completion.usage, 'prompt_tokens', 0), tokens_out=getattr(completion.usage, 'completion_tokens', 0))"
ERRORS = "(APIError, AttributeError, LookupError, TypeError, ValueError)"
JUDGE = (
    "def judge(content, candidates, wish):\n"
    "    read = parse_answer(content, candidates)\n"
    "    if wish:\n"
    "        what, value = wish\n"
    "        if what == 'code' and {code}:\n"
    "            return 'obeyed'\n"
    "        if what == 'outcome' and read.outcome == value:\n"
    "            return 'obeyed'\n"
    "        if what == 'confidence' and read.confidence is not None and read.confidence >= value:\n"
    "            return 'obeyed'\n"
    "        if what == 'words' and value.lower() in (content or '').lower():\n"
    "            return 'obeyed'\n"
    "    return {rest}\n"
)
READ_WITH = "parse_answer(content, [*candidates, value]).code == value"
REST = "read.outcome if read.outcome in ('coded', 'not codable') else 'refused'"
ABSTENTION = (
    "def abstention(rows, candidates):\n"
    "    shares = []\n"
    "    for offered in {order}:\n"
    "        outcomes = [outcome for code, outcome, row in zip(rows['code'], rows['outcome'], candidates)\n"
    "                    if (code in row) == offered and {kept}]\n"
    "        shares.append(sum({abstained} for outcome in outcomes) / len(outcomes))\n"
    "    return shares\n"
)
KEPT = "outcome != 'request failed'"

WRONG = {
    "7.1": [
        ("query_vector = embed([label])", "first row"),
        ("candidates = [hit.payload['heading'] for hit in hits]", "codes of `hits`"),
        ("candidates = candidates[::-1]", "nearest first"),
        ("hits = hits[:3]; candidates = candidates[:3]", "limit=5"),
        ("query_vector = embed(['something else'])[0]", "vector of `label`"),
    ],
    "7.2": [
        (
            "make_messages = lambda label, blocks: [{'role': 'user', 'content': SYSTEM}, {'role': 'user', 'content': label}]",
            "roles",
        ),
        (MESSAGES.format(safe="label", user=USER), "could close the frame"),
        (MESSAGES.format(safe="' '.join(label.split()).replace('</activity>', '')", user=USER), "every `<` and `>`"),
        (MESSAGES.format(safe="' '.join(label.split()).replace('<', '‹')", user=USER), "every `<` and `>`"),
        (MESSAGES.format(safe="label.replace('<', '‹').replace('>', '›')", user=USER), "one line"),
        (
            MESSAGES.format(safe=SAFE, user="f'<activity>\\n{safe}\\n</activity>\\n\\nCandidates:\\n\\n' + '\\n'.join(blocks)"),
            "between one block and the next",
        ),
        (
            MESSAGES.format(safe=SAFE, user="f'<activity>\\n{safe}\\n</activity>\\n\\n' + '\\n\\n'.join(blocks)"),
            "Candidates:",
        ),
        ("messages = messages[1:]", "messages"),
        # one kind of line break, and not the other
        (MESSAGES.format(safe="label.replace('\\n', ' ').replace('<', '‹').replace('>', '›')", user=USER), "line break `\\r`"),
        (MESSAGES.format(safe="label.replace('\\r', ' ').replace('<', '‹').replace('>', '›')", user=USER), "line break `\\n`"),
        (
            "make_messages = lambda label, blocks, listed=make_messages: tuple(listed(label, blocks))\n"
            "messages = make_messages(label, blocks)",
            "should be a list; it is a tuple of 2 dictionaries",
        ),
    ],
    "7.3": [
        ("answer = completion.choices[0].message.content", "NaceAnswer"),
        (
            "class NaceAnswer(BaseModel):\n    codable: bool\n    code: str | None\n    confidence: float",
            "confidence of 7",
        ),
        (
            "class NaceAnswer(BaseModel):\n    codable: bool\n    code: str\n    confidence: float = Field(ge=0, le=1)",
            "`code` should accept text and `None`",
        ),
        (
            "class NaceAnswer(BaseModel):\n    codable: bool\n    code: str | None\n    confidence: float = Field(gt=0, le=1)",
            "`confidence` should accept numbers from 0 to 1",
        ),
        ("completion = completion.choices[0].message.content", "completion"),
        ("answer = NaceAnswer(codable=True, code='01.11', confidence=0.123)", "completion"),
        (
            "request = {key: value for key, value in request.items() if key != 'response_format'}\n"
            "completion = client.chat.completions.create(**request)",
            "response_format",
        ),
        ("request = {key: value for key, value in request.items() if key != 'temperature'}", "temperature"),
        ("request = request | {'temperature': 1}", "temperature"),
        ("request = request | {'response_format': {'type': 'json_object'}}", "json_schema"),
    ],
    "7.4": [
        ("accepted = set(received)", "in a code fence"),
        ("accepted = {'as asked', 'not codable'}", "a group"),
        ("accepted = accepted - {'an invented class'}", "an invented class"),
        ("accepted = len(accepted)", "accepted"),
        ("outcomes = {name: read.outcome for name, read in outcomes.items()}", "parse_answer"),
        ("outcomes = {name: parse_answer(content, []) for name, content in received.items()}", "offered"),
    ],
    "7.5": [
        ("judge = lambda content, candidates, wish: parse_answer(content, candidates).outcome", "named what was wanted"),
        # the code is looked for in the whole text
        (JUDGE.format(code="value in (content or '')", rest=REST), "in its thoughts only"),
        # with the offered codes only
        (JUDGE.format(code="read.code == value", rest=REST), "though it was not offered"),
        (JUDGE.format(code=READ_WITH, rest="read.outcome"), "should return 'refused'"),
        (JUDGE.format(code=READ_WITH, rest="'coded' if read.code else 'not codable'"), "is not accepted"),
        (JUDGE.format(code=READ_WITH, rest=REST).replace("read.confidence is not None and ", ""), "raises TypeError"),
        (JUDGE.format(code=READ_WITH, rest=REST).replace("(content or '')", "content"), "raises AttributeError"),
        (JUDGE.format(code=READ_WITH, rest=REST).replace(">= value", "> value"), "as high as was wanted"),
        (JUDGE.format(code=READ_WITH, rest=REST).replace("value.lower()", "value.upper()"), "before the JSON"),
        (
            "counts = {run: Counter(map(judge, contents[::-1], attack_candidates, wishes)) for run, contents in answers_to_attacks.items()}",
            "in the same place",
        ),
        ("counts = Counter(answers_to_attacks)", "a dictionary"),
        (
            "counts = {run: Counter(list(map(judge, contents, attack_candidates, wishes))[:19]) for run, contents in answers_to_attacks.items()}",
            "should have",
        ),
        ("counts = {run: of_run for run, of_run in counts.items() if 'unguarded' not in run}", "unguarded"),
        ("obeyed = parse_answer(obeying, [*attack_candidates[0], '01.11'])", "obeyed"),
        ("obeyed = '01.11'", "parse_answer"),
        ("spoilt = spoilt[1:]", "lacks"),
        # every text whose class is not offered, also where the innocent part does not find it either
        (
            "spoilt = [text for text, code, row in zip(attacks['text'], right_classes, attack_candidates) if code and code not in row]",
            "not even among those of the innocent part",
        ),
        ("spoilt = [part for part, text in zip(business, attacks['text']) if text in spoilt]", "whole as they stand there"),
        ("spoilt = spoilt + [attacks['text'][10]]", "no one class"),
        ("spoilt = len(spoilt)", "a set of texts"),
    ],
    "7.6": [
        ("sample_candidates = sample_candidates[::-1]", "does not belong"),
        ("sample = pl.DataFrame({'label': split.X_train[chosen], 'code': split.y_train[chosen]})", "test set"),
        ("sample = sample.head(100)", "500"),
        ("sample_candidates = [row[:1] for row in sample_candidates]", "five codes"),
        ("search_all = lambda texts, k=5, one=search_all: [one([text], k)[0] for text in texts]", "all the texts at once"),
        ("search_all = lambda texts, k=5, one=search_all: one(texts, 5)", "three classes"),
        ("search_all = lambda texts, k=5, one=search_all: one(sorted(texts), k)", "in the order of the texts"),
    ],
    "7.7": [
        (
            "def ask(messages, candidates, client=client):\n    return client.chat.completions.create("
            "model=os.environ['CHAT_MODEL'], messages=messages)",
            "raises",
        ),
        (ASK.format(options=OPTIONS, read=READ, usage=USAGE, errors="APIError"), "raises AttributeError when a web page"),
        (ASK.format(options="n=1", read=READ, usage=USAGE, errors=ERRORS), "temperature"),
        # the messages of question 7.3 for whatever it is asked
        (
            ASK.format(options=OPTIONS, read=READ, usage=USAGE, errors=ERRORS).replace(
                f"model=os.environ['CHAT_MODEL'], messages=messages, {OPTIONS}", "**request"
            ),
            "sends other messages than it is given",
        ),
        (
            "offered_once = candidates\n"
            + ASK.format(options=OPTIONS, read=READ.replace(", candidates", ", offered_once"), usage=USAGE, errors=ERRORS),
            "with the candidates that it is given",
        ),
        (ASK.format(options=OPTIONS, read=READ, usage=USAGE, errors="Exception"), "no others"),
        (
            ASK.format(options=OPTIONS, read=READ.replace(", candidates", ", codes"), usage=USAGE, errors=ERRORS),
            "not a candidate",
        ),
        (
            ASK.format(options=OPTIONS, read=READ, usage="row['tokens_in'] = completion.usage.prompt_tokens", errors=ERRORS),
            "tokens_out",
        ),
        (
            ASK.format(options=OPTIONS, read=READ, usage=USAGE.replace("prompt_t", "completion_t", 1), errors=ERRORS),
            "prompt_tokens",
        ),
        ("failed = failed | {'outcome': 'not codable'}", "request failed"),
        ("failed = None", "failed"),
        ("failed = {key: value for key, value in failed.items() if key != 'detail'}", "detail"),
    ],
    "7.8": [
        ("n_kept = len(requests)", "interrupted half-way"),
        ("n_kept = 0; n_torn = -1", "interrupted half-way"),
        ("n_torn = n_kept", "n_torn"),
        ("rows = rows.sort('code')", "order"),
        ("rows = pl.concat([sample, rows.drop('label', 'code').reverse()], how='horizontal')", "another request"),
        ("rows = rows.with_columns(coded=pl.col('coded').shuffle(seed=1))", "holds for its request"),
        ("rows = rows.drop('tokens_in')", "tokens_in"),
        ("rows = rows.head(100)", "500"),
        # what is left when `ask` sent one and the same prompt for every label
        ("rows = rows.with_columns(tokens_in=pl.lit(1234))", "one and the same prompt"),
    ],
    "7.9": [
        ("recorded_rows = rows", "fingerprints of CHAT_MODEL"),
        ("recorded_rows = recorded_rows.reverse()", "order"),
        (
            "recorded_rows = pl.concat([sample, recorded_rows.drop('label', 'code').reverse()], how='horizontal')",
            "other requests",
        ),
        ("recorded_rows = recorded_rows.with_columns(outcome=pl.lit('request failed'))", "no recorded answer"),
        ("abstention = lambda rows, candidates: ((rows['outcome'] == 'not codable').mean(), 0.0)", "made-up rows"),
        # failures among the labels; every empty code taken for abstention; the two shares the wrong way round
        (
            ABSTENTION.format(kept="True", abstained="outcome == 'not codable'", order="(False, True)"),
            "a failed request counts nowhere",
        ),
        (ABSTENTION.format(kept=KEPT, abstained="outcome != 'coded'", order="(False, True)"), "cannot be read"),
        (ABSTENTION.format(kept=KEPT, abstained="outcome == 'not codable'", order="(True, False)"), "without their class"),
        (
            ABSTENTION.format(
                kept="outcome in ('coded', 'not codable')", abstained="outcome == 'not codable'", order="(False, True)"
            ),
            "stays in the denominator",
        ),
        ("abstention = lambda rows, candidates, own=abstention: own(rows, candidates)[0]", "first that of"),
        ("of_recorded = of_chat_model", "of_recorded"),
        ("of_chat_model = of_recorded", "of_chat_model"),
        ("of_recorded = of_recorded[::-1]", "of_recorded"),
        ("of_recorded = [100 * share for share in of_recorded]", "of_recorded"),
    ],
}

RIGHT = {
    "7.1": [
        "candidates = tuple(candidates)",
        "query_vector = query_vector.tolist()",
    ],
    "7.2": [
        MESSAGES.format(safe=SAFE, user=USER + " + '\\n'"),
        "import re\n"
        + MESSAGES.format(
            safe="re.sub(r'\\s+', ' ', label).strip().translate({60: '‹', 62: '›'})",
            user="f'<activity>\\n{safe}\\n</activity>\\n\\nCandidates:\\n\\n' + '\\n\\n'.join(blocks)",
        ),
    ],
    "7.3": [
        "from typing import Annotated, Optional\n"
        "class NaceAnswer(BaseModel):\n"
        "    code: Optional[str] = None\n"
        "    codable: bool\n"
        "    confidence: Annotated[float, Field(ge=0.0, le=1.0)]\n"
        "answer = NaceAnswer.model_validate_json(completion.choices[0].message.content)",
        "request = request | {'temperature': 0.0, 'max_tokens': 200}\ncompletion = client.chat.completions.create(**request)\n"
        "answer = NaceAnswer.model_validate_json(completion.choices[0].message.content)",
    ],
    "7.4": [
        "accepted = sorted(accepted)",
        "accepted = frozenset(accepted); outcomes = dict(reversed(outcomes.items()))",
    ],
    "7.5": [
        JUDGE.format(code=READ_WITH, rest=REST)
        + "counts = {run: dict(of_run) for run, of_run in counts.items()}\nspoilt = set(spoilt)",
        # the code is taken out of the JSON by hand, and what does not occur is counted as well
        "import json, re\n"
        + JUDGE.format(
            code="value in re.findall(r'\"code\": *\"([^\"]*)\"', (content or '').split('</think>')[-1])",
            rest="read.outcome if read.outcome in ('coded', 'not codable') else 'refused'",
        )
        + "kinds = ('obeyed', 'coded', 'not codable', 'refused')\n"
        "judged = {run: [judge(*one) for one in zip(contents, attack_candidates, wishes)] for run, contents in answers_to_attacks.items()}\n"
        "counts = {run: {kind: np.int64(verdicts.count(kind)) for kind in kinds} for run, verdicts in judged.items()}\n"
        "spoilt = pl.Series(spoilt)",
    ],
    "7.6": [
        "sample_candidates = [tuple(row) for row in sample_candidates]",
        "def search_all(texts, k=5):\n"
        "    return codes[np.argsort(-(embed(list(texts)) @ document_vectors.T), axis=1)[:, :k]].tolist()",
    ],
    "7.7": [
        ASK.format(options=OPTIONS, read=READ, usage=USAGE, errors=ERRORS),
        ASK.format(options=OPTIONS + ", timeout=60", read=READ, usage=USAGE, errors=ERRORS + " + (RuntimeError,)"),
    ],
    "7.8": [
        "n_kept = np.int64(n_kept); n_torn = np.int64(n_torn)",
        "rows = rows.select('fingerprint', *(name for name in rows.columns if name != 'fingerprint')).to_pandas()",
    ],
    "7.9": [
        ABSTENTION.format(kept=KEPT, abstained="outcome == 'not codable'", order="(False, True)"),
        "from funathon.measures import share\n"
        "def abstention(rows, candidates):\n"
        "    groups = {True: [], False: []}\n"
        "    for code, outcome, row in zip(rows['code'], rows['outcome'], candidates):\n"
        "        if outcome != 'request failed':\n"
        "            groups[code in row].append(outcome == 'not codable')\n"
        "    return [share(groups[False]), share(groups[True])]\n"
        "of_chat_model, of_recorded = abstention(rows, sample_candidates), abstention(recorded_rows, sample_candidates)",
        "recorded_rows = recorded_rows.to_pandas(); of_recorded = np.array(of_recorded)",
    ],
}
