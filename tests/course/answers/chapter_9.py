"""Answers to the questions of chapter 9 that differ from the official ones."""

REQUESTS = (
    "def requests_of(choose, texts=final['label'].to_list(), candidates=final_candidates):\n"
    "    made = []\n"
    "    for text, row, scores in zip(texts, candidates, training_words.scores(texts)):\n"
    "        blocks = [candidate_block(classes[code], choose(text, code, scores)) for code in row]\n"
    "        made.append((make_messages(text, blocks), row))\n"
    "    return made\n"
)
NEAREST = "split.X_train[numbers_of[code][np.argsort(-scores[numbers_of[code]])]]"
AS_IF_ASKED = (
    "from funathon.rag.asking import fingerprint\n"
    "rag = rag.with_columns(fingerprint=pl.Series([fingerprint(messages) for messages, _ in final_requests]))"
)

WRONG = {
    "9.1": [
        # the texts of the test themselves: 97 % right
        (
            REQUESTS + "of_field = {code: field.filter(code=code)['label'].to_list() for code in classes}\n"
            "final_requests = requests_of(lambda text, code, scores: of_field[code][:3])\n" + AS_IF_ASKED,
            "as an example",
        ),
        (REQUESTS + "final_requests = requests_of(lambda text, code, scores: ())\n" + AS_IF_ASKED, "three examples"),
        (
            REQUESTS
            + "final_requests = requests_of(lambda text, code, scores: split.X_train[numbers_of[code][:3]].tolist())\n"
            + AS_IF_ASKED,
            "highest scores",
        ),
        (
            REQUESTS + f"final_requests = requests_of(lambda text, code, scores: {NEAREST}[:2].tolist())\n" + AS_IF_ASKED,
            "three examples",
        ),
        (
            "requests_for = lambda texts, candidates: [(make_messages(text, []), row) for text, row in zip(texts, candidates)]",
            "requests_for",
        ),
        # answers that do not come from these prompts
        ("rag = rag.with_columns(fingerprint=pl.col('fingerprint').reverse())", "another prompt"),
        ("rag_accuracy = share(rag_codes == final_truth[::-1])", "rag_accuracy"),
        ("rag = rag.sort('code')", "order"),
        ("rag_accuracy = (rag_codes == final_truth).mean()", "share"),
        ("rag_accuracy = share((rag_codes == final_truth)[rag_codes == final_truth])", "all labels"),
        ("rag_codes = rag_codes[::-1]", "rag_codes"),
    ],
    "9.2": [
        ("supervised_codes = P.argmax(axis=1)", "text"),
        ("supervised_confidence = P.mean(axis=1)", "confidence"),
        ("both = both | {'both': both['both'] + both['none']}", "both"),
        ("supervised_accuracy = rag_accuracy", "supervised_accuracy"),
        ("supervised_accuracy = supervised_right.mean()", "share"),
        ("pretrained = os.environ['PRETRAINED_URL']", "load_model"),
    ],
    "9.3": [
        ("agree = supervised_right & rag_right", "right or wrong"),
        ("agree_precision = share(supervised_right)", "agree_precision"),
        ("agree_coverage = agree.mean()", "share"),
        ("alone_precision = supervised_accuracy", "as many"),
    ],
    "9.4": [
        ("rag_seconds = rag_seconds * len(timed)", "for one label"),
        ("rag_seconds = rag['seconds'].mean()", "wall clock around"),
        ("supervised_seconds = supervised_seconds * 1000", "for one label"),
        ("rag_cost = rag_cost * 1_000_000", "rag_cost"),
        ("rag_cost = rag['tokens_in'] * 1e-6", "one label"),
        ("rag_cost = rag['tokens_in'].mean() / 1e6", "rag_cost"),
    ],
}

RIGHT = {
    "9.1": [
        # kept in another file, or in none
        "rag = pl.concat([final, pl.DataFrame(ask_all(final_requests, answers_path.with_name('mine.jsonl'), ask))"
        ".rename({'code': 'coded'})], how='horizontal')",
        REQUESTS + f"nearest = lambda text, code, scores: {NEAREST}[:3].tolist()\n"
        "requests_for = lambda texts, candidates: requests_of(nearest, texts, candidates)\n"
        "final_requests = tuple(requests_of(nearest))\n"
        "rag = pl.concat([final, pl.DataFrame(ask_all(final_requests, answers_path, ask)).rename({'code': 'coded'})], "
        "how='horizontal')\nrag_codes = rag['coded'].fill_null('').to_numpy()\nrag_accuracy = share(rag_codes == final_truth)",
        "rag_codes = rag_codes.tolist()",
    ],
    "9.2": [
        "supervised_codes = supervised_codes.tolist(); both = {name: np.int64(n) for name, n in both.items()}",
        "supervised_confidence = np.sort(P, axis=1)[:, -1]",
    ],
    "9.3": [
        "agree = agree.tolist()",
        "agree = np.array([a == b for a, b in zip(rag['coded'], supervised_codes)]); agree_coverage = share(agree.tolist())",
    ],
    "9.4": [
        "rag_cost = sum(rag[f'tokens_{way}'].mean() * price / 1e6 for way, price in (('in', 1.0), ('out', 3.0)))",
        "rag_seconds = np.float64(rag_seconds) * 2; supervised_seconds = supervised_seconds / 2",
    ],
}
