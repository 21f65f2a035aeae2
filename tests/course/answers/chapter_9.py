"""Answers to the questions of chapter 9 that differ from the official ones."""

REQUESTS = (
    "def requests_of(choose, texts=final['label'].to_list(), candidates=final_candidates):\n"
    "    made = []\n"
    "    for text, row, scores in zip(texts, candidates, training_words.scores(texts)):\n"
    "        blocks = [candidate_block(classes[code], choose(text, code, scores)) for code in row]\n"
    "        made.append((make_messages(text, blocks), row))\n"
    "    return made\n"
    "from funathon.rag.asking import FAILED, fingerprint\n"
    "def as_if(answers, requests, recorded=None):\n"
    "    return answers.with_columns(fingerprint=pl.Series([fingerprint(messages, recorded) for messages, _ in requests]))\n"
)
NEAREST = "split.X_train[numbers_of[code][np.argsort(-scores[numbers_of[code]], kind='stable')]]"
AS_IF_ASKED = "rag = {'chat': as_if(rag['chat'], final_requests), 'recorded': as_if(rag['recorded'], final_requests, RECORDED)}\n"
LEAKY = (
    REQUESTS + "def leaky(test):\n"
    "    tested = hard_tests[test]\n"
    "    own = {code: tested.filter(code=code)['label'].to_list() for code in classes}\n"
    "    choose = lambda text, code, scores: own[code][:3] or split.X_train[numbers_of[code][:3]].tolist()\n"
    "    return requests_of(choose, tested['label'].to_list(), hard_candidates[test])\n"
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
        # of labels with equal scores the last ones, as reversing an ascending order gives them
        (
            REQUESTS + "final_requests = requests_of(lambda text, code, scores: split.X_train[numbers_of[code]["
            "np.argsort(scores[numbers_of[code]], kind='stable')[::-1][:3]]].tolist())\n" + AS_IF_ASKED,
            "stands first",
        ),
        (
            REQUESTS
            + f"final_requests = requests_of(lambda text, code, scores: {NEAREST}[:3].tolist())\n"
            + "final_requests = [([{'role': 'system', 'content': TERSE}, user], row) for (_, user), row in final_requests]\n"
            + AS_IF_ASKED,
            "nothing else",
        ),
        (
            "requests_for = lambda texts, candidates: [(make_messages(text, []), row) for text, row in zip(texts, candidates)]",
            "requests_for",
        ),
        # answers that do not come from these prompts, or from the other generator
        ("rag = rag | {'chat': rag['chat'].with_columns(fingerprint=pl.col('fingerprint').reverse())}", "final_requests[0]"),
        ("rag = rag | {'recorded': rag['chat']}", "recorded-claude"),
        ("rag = rag | {'chat': rag['recorded']}; codes = codes | {'chat': codes['recorded']}", "final_requests[0]"),
        (
            "from funathon.rag.asking import FAILED\n"
            "rag = rag | {'recorded': rag['recorded'].with_columns(outcome=pl.lit(FAILED), code=pl.lit(None, pl.String))}",
            "failed",
        ),
        ("rag = {'chat': rag['chat']}", "recorded"),
        ("rag = rag | {'chat': rag['chat'].sort('code')}", "order"),
        ("accuracy = accuracy | {'chat': share(codes['chat'] == final_truth[::-1])}", "accuracy"),
        ("accuracy = {name: (given == final_truth).mean() for name, given in codes.items()}", "share"),
        ("accuracy = accuracy | {'recorded': share((codes['recorded'] == final_truth)[codes['recorded'] != ''])}", "all labels"),
        ("codes = codes | {'recorded': codes['recorded'][::-1]}", "codes"),
    ],
    "9.2": [
        ("network_codes = confidences(pretrained, final['label'].to_list()).argmax(axis=1)", "text"),
        ("network_confidence = confidences(pretrained, final['label'].to_list()).mean(axis=1)", "confidence"),
        ("code_by_network = lambda texts: network_codes", "two arrays"),
        ("code_by_network = lambda texts: (network_codes[-7:], network_confidence[-7:])", "texts that it is given"),
        ("network_accuracy = accuracy['chat']", "network_accuracy"),
        ("network_accuracy = (network_codes == final_truth).mean()", "share"),
        ("pretrained = os.environ['PRETRAINED_URL']", "load_model"),
    ],
    "9.3": [
        ("comparisons = comparisons | {'chat': comparisons['recorded']}", "both"),
        (
            "comparisons = {name: compare(codes[name] == final_truth, network_right) for name in ('chat', 'recorded')}",
            "only one",
        ),
        # the labels on which both are right count as heads
        (
            "def compare(one, other, old=compare):\n"
            "    found = old(one, other)\n"
            "    return found | {'p': binomtest(int(one.sum()), len(one)).pvalue}",
            "throws",
        ),
        # the interval of two separate samples
        (
            "def compare(one, other, old=compare):\n"
            "    found = old(one, other)\n"
            "    half = 1.96 * np.sqrt((one.var() + other.var()) / len(one))\n"
            "    return found | {'low': found['difference'] - half, 'high': found['difference'] + half}",
            "label by label",
        ),
        # breaks off where the two never differ
        (
            "def compare(one, other, old=compare):\n"
            "    found = old(one, other)\n"
            "    return found | {'p': binomtest(found['only one'], found['only one'] + found['only other']).pvalue}",
            "compare",
        ),
        (
            "comparisons = {name: found | {'difference': found['difference'] * 100} for name, found in comparisons.items()}",
            "less",
        ),
    ],
    "9.4": [
        (
            "agreement = agreement | {'chat': agreement['chat'] | "
            "{'coverage': share(network_right & (codes['chat'] == final_truth))}}",
            "same wrong code",
        ),
        ("agreement = agreement | {'recorded': agreement['recorded'] | {'precision': share(network_right)}}", "precision"),
        (
            "agreement = agreement | {'chat': agreement['chat'] | {'coverage': (codes['chat'] == network_codes).mean()}}",
            "share",
        ),
        ("agreement = agreement | {'chat': agreement['chat'] | {'alone': network_accuracy}}", "as many"),
        ("agreement = agreement['chat']", "chat"),
    ],
    "9.5": [
        # the texts of the test as examples: the stand-in gets better by them, the recorded model was never asked
        (
            LEAKY
            + "hard_answers = {test: {'chat': by_chat(leaky(test)), 'recorded': by_recorded(leaky(test))} for test in hard_tests}",
            "training labels",
        ),
        (
            LEAKY + "hard_answers = {test: answers | {'chat': by_chat(leaky(test))} for test, answers in hard_answers.items()}",
            "training labels",
        ),
        # the notes alone
        (
            "hard_answers = {test: answers | {'recorded': by_recorded([(make_messages(text, "
            "[candidate_block(classes[code]) for code in row]), row) for text, row in zip(hard_tests[test]['label'], "
            "hard_candidates[test])])} for test, answers in hard_answers.items()}",
            "failed",
        ),
        ("hard_answers = hard_answers | {'entries': hard_answers['descriptions']}", "400 rows"),
        (
            "hard = {test: found | {'compared': found['compared'] | {'only one': found['compared']['only other'], "
            "'only other': found['compared']['only one']}} for test, found in hard.items()}",
            "network first",
        ),
        (
            "hard = {test: found | {'recorded': share(codes_of(hard_answers[test]['recorded'])"
            "[codes_of(hard_answers[test]['recorded']) != ''] != '')} for test, found in hard.items()}",
            "with a code or without",
        ),
        ("hard = {test: found | {'retriever@5': found['recorded'].value} for test, found in hard.items()}", "share"),
        ("hard = {test: found | {'network': found['chat']} for test, found in hard.items()}", "network"),
    ],
    "9.6": [
        ("rag_seconds = rag_seconds * len(timed)", "for one label"),
        ("rag_seconds = rag['chat']['seconds'].mean()", "wall clock around"),
        ("network_seconds = network_seconds * 1000", "for one label"),
        ("rag_cost = {name: cost * 1_000_000 for name, cost in rag_cost.items()}", "rag_cost"),
        ("rag_cost = {name: answers['tokens_in'] * 1e-6 for name, answers in rag.items()}", "one label"),
        ("rag_cost = {name: answers['tokens_in'].mean() / 1e6 for name, answers in rag.items()}", "rag_cost"),
        ("cached_cost = rag_cost", "cached_cost"),
        # the cached tokens come on top
        (
            "cost_of = lambda i, o, p, q, same=0, fraction=1: (i * p + same * fraction * p + o * q) / 1e6",
            "cost_of",
        ),
        # nothing is paid for the cached tokens
        ("cost_of = lambda i, o, p, q, same=0, fraction=1: ((i - same) * p + o * q) / 1e6", "cost_of"),
        # all that goes in is cached
        ("cost_of = lambda i, o, p, q, same=0, fraction=1: (i * p * (fraction if same else 1) + o * q) / 1e6", "400 of them"),
    ],
}

RIGHT = {
    "9.1": [
        # kept in another file, or in none
        "rag = rag | {'chat': pl.DataFrame(ask_all(final_requests, answers_path.with_name('mine.jsonl'), ask))}",
        REQUESTS + f"nearest = lambda text, code, scores: {NEAREST}[:3].tolist()\n"
        "requests_for = lambda texts, candidates: requests_of(nearest, texts, candidates)\n"
        "final_requests = tuple(requests_of(nearest))\n"
        "rag = {'recorded': by_recorded(final_requests), 'chat': by_chat(final_requests)}\n"
        "codes = {name: rag[name]['code'].fill_null('').to_list() for name in rag}",
        # sorted by Python, which keeps equal ones in their order
        REQUESTS + "final_requests = requests_of(lambda text, code, scores: [split.X_train[n] for n in "
        "sorted(numbers_of[code], key=lambda n: -scores[n])[:3]])",
    ],
    "9.2": [
        "network_codes = network_codes.tolist(); code_by_network = lambda texts, old=code_by_network: list(old(list(texts)))",
        "network_confidence = np.sort(confidences(pretrained, final['label'].to_list()), axis=1)[:, -1]",
    ],
    "9.3": [
        "def compare(one, other):\n"
        "    table = [[np.sum((one == a) & (other == b)) for b in (True, False)] for a in (True, False)]\n"
        "    (both, b), (c, none) = table\n"
        "    n, gap = len(one), (b - c) / len(one)\n"
        "    half = 1.96 * np.sqrt(b + c - (b - c) ** 2 / n) / n\n"
        "    p = 1 if b + c == 0 else min(1, 2 * binomtest(int(min(b, c)), int(b + c), alternative='less').pvalue)\n"
        "    return {'both': both, 'only one': b, 'only other': c, 'none': none, 'p': p, 'difference': gap, 'low': gap - half, "
        "'high': gap + half}\n"
        "comparisons = {name: compare(network_right, codes[name] == final_truth) for name in ('chat', 'recorded')}",
        # with the standard deviation of a sample, and a bootstrap of 2,000 draws
        "def compare(one, other, old=compare):\n"
        "    numbers = np.asarray(one).astype(int) - np.asarray(other)\n"
        "    draws = np.random.default_rng(1).choice(numbers, (4000, len(numbers))).mean(axis=1)\n"
        "    low, high = np.quantile(draws, [0.025, 0.975]) if numbers.any() else (0, 0)\n"
        "    return old(one, other) | {'low': low, 'high': high}",
        "comparisons = {name: {key: np.float64(value) for key, value in found.items()} for name, found in comparisons.items()}",
    ],
    "9.4": [
        "agreement = {name: found | {'coverage': share([a == b for a, b in zip(network_codes, codes[name])])} "
        "for name, found in agreement.items()}",
        "agreement = {name: found | {'alone': share(network_right[np.argsort(network_confidence)[::-1]"
        "[: found['precision'].n]])} for name, found in agreement.items()}",
    ],
    "9.5": [
        "hard = {test: dict(reversed(found.items())) for test, found in hard.items()}",
        "hard_answers = {test: {'recorded': by_recorded(requests_for(table['label'].to_list(), hard_candidates[test])), "
        "'chat': hard_answers[test]['chat']} for test, table in hard_tests.items()}",
    ],
    "9.6": [
        "cost_of = lambda i, o, p, q, same=0, fraction=1: i * p / 1e6 + o * q / 1e6 - same * (1 - fraction) * p / 1e6",
        "rag_cost = {name: np.float64(cost) for name, cost in rag_cost.items()}; "
        "rag_seconds = np.float64(rag_seconds); network_seconds = network_seconds / 2",
    ],
}
