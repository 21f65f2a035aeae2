"""Answers to the questions of chapter 5 that differ from the official ones."""

WRONG = {
    "5.1": [
        ("naive_answer = response", "text"),
        ("naive_codes = ['47.72']", "naive_codes"),
        ("naive_codes = '47.72'", "list"),
        ("naive_answer = ''", "empty"),
        ("naive_answer = 'It is 47.91, or 47.72.'; naive_codes = ['47.91']", "lacks"),
    ],
    "5.2": [
        # the old edition first: 47.91 is in both
        (
            "def kind_of(answer, code):\n"
            "    found = re.search(r'\\d\\d[.]\\d\\d', answer)\n"
            "    if not found: return 'no code'\n"
            "    if found[0] == code: return 'right'\n"
            "    if found[0] in rev2: return 'a class of Rev. 2 only'\n"
            "    return 'another class of Rev. 2.1' if found[0] in titles else 'no class of either'",
            "both editions",
        ),
        # only where the answer is nothing but the code
        (
            "def kind_of(answer, code):\n"
            "    if answer == code: return 'right'\n"
            "    if answer in titles: return 'another class of Rev. 2.1'\n"
            "    return 'a class of Rev. 2 only' if answer in rev2 else 'no class of either' if answer else 'no code'",
            "sentence",
        ),
        # right when the code occurs at all
        (
            "official = kind_of\ndef kind_of(answer, code): return 'right' if code in answer else official(answer, code)",
            "first code counts",
        ),
        ("kind_of = lambda answer, code: 'right' if answer == code else None", "return"),
        ("kind_of = lambda answer, code: answer.startswith(code)", "should be 'right'"),
        ("counts = list(counts.items())", "dictionary"),
        ("counts = {'right': 200}", "of 200 answers"),
        ("counts = {kind: number / 200 for kind, number in counts.items()}", "no share"),
        ("counts = {'correct': counts['right']}", "five kinds"),
        ("counts = counts | {'no class of either': 1}", "of 200 answers"),
        ("right_share = right_share.value", "share"),
        ("right_share = share([True] * 187)", "all 200"),
        ("right_share = share([answer in titles for answer in sample_answers])", "right answers"),
    ],
    "5.3": [
        (
            "words_of_class = [sum(len(t) for t in row if t) for row in "
            "classes.select('HEADING', 'Includes', 'IncludesAlso', 'Excludes').iter_rows()]",
            "characters",
        ),
        ("words_of_class = [len(text.split()) for text in classes['HEADING']]", "three notes"),
        (
            "words_of_class = [sum(len(t.split()) for t in row if t) for row in "
            "classes.select('HEADING', 'Includes', 'IncludesAlso').iter_rows()]",
            r"characters \n",
        ),
        ("words_of_class = sum(words_of_class)", "words_of_class"),
        ("tokens_all = 10_000 * sum(words_of_class)", "tokens_all"),
        ("tokens_five = 10_000 * np.mean(words_of_class) * 4 / 3", "tokens_five"),
    ],
    "5.4": [
        ("def cosine(a, b): return a @ b", "both lengths"),
        ("def cosine(a, b): return np.linalg.norm(a - b)", "right angle"),
        ("def cosine(a, b): a @ b / np.linalg.norm(a) / np.linalg.norm(b)", "return"),
        ("def cosine(a, b): return a * b", "one number"),
        ("def cosine(a, b): return abs(a @ b) / (np.linalg.norm(a) * np.linalg.norm(b))", "opposite"),
        ("cosine = 0.5", "function"),
    ],
    "5.5": [
        ("nearer = nearer | {'euclid': 'A'}", "small"),
        ("nearer = nearer | {'dot': note_vectors['A']}", "name of a note"),
        ("nearer_normalised = nearer", "nearer_normalised"),
        ("nearer = list(nearer.values())", "dictionary"),
        ("nearer = {'cosine': 'A', 'dot': 'A'}", "euclid"),
    ],
    "5.6": [
        ("ranking = ranking[::-1]", "largest"),
        ("ranking = list(similarities.values())", "texts"),
        ("similarities = list(similarities.values())", "dictionary"),
        ("similarities = dict(zip(list(similarities)[::-1], similarities.values()))", "similarities"),
        ("similarities = {titles[code]: value for code, value in similarities.items()}", "codes"),
    ],
    "5.7": [
        ("candidates = list(notes)[:3]", "candidates"),
        ("prompt = prompt.replace('<activity>', '')", "lines of their own"),
        ("prompt = prompt.split('Candidates:')[0]", "lacks"),
        ("prompt = prompt + candidate_text(ranking[3])", "fourth"),
        ("prompt = prompt.replace('\\n\\n### ', '\\n### ')", "empty line"),
        ("prompt = prompt.replace('Candidates:', '')", "Candidates:"),
        ("prompt = '<activity>\\n</activity>\\n' + label + prompt.split('</activity>')[1]", "between"),
        ("rag_answer = json.dumps(rag_answer)", "dictionary"),
        ("rag_answer = {'answer': '47.72'}", "key 'code'"),
    ],
}

RIGHT = {
    "5.1": [
        "naive_codes = set(naive_codes)",
        "naive_answer = 'It is 47.91, not 47.72; 47.91 it is.'; naive_codes = ['47.91', '47.72', '47.91']",
        "naive_answer = 'It is 47.91, not 47.72; 47.91 it is.'; naive_codes = ('47.91', '47.72')",
    ],
    "5.2": [
        # by hand, with all five kinds in the dictionary
        "def kind_of(answer, code):\n"
        "    first = (re.findall(r'[0-9]{2}[.][0-9]{2}', answer) + [None])[0]\n"
        "    if first is None: return 'no code'\n"
        "    if first in set(titles) - {code}: return 'another class of Rev. 2.1'\n"
        "    return 'right' if first == code else 'a class of Rev. 2 only' if first in rev2 else 'no class of either'\n"
        "counts = dict.fromkeys(['right', 'another class of Rev. 2.1', 'a class of Rev. 2 only', 'no class of either', 'no code'], 0)\n"
        "for answer, code in zip(sample_answers, sample_codes): counts[kind_of(answer, code)] += 1\n"
        "right_share = share(np.array(sample_answers) == np.array(sample_codes))",
        # the counts of polars
        "counts = dict(pl.Series('kind', [kind_of(a, c) for a, c in zip(sample_answers, sample_codes)]).value_counts().iter_rows())",
        "counts = {kind: float(number) for kind, number in counts.items()}",
        "right_share = share(pl.Series(sample_answers) == pl.Series(sample_codes))",
    ],
    "5.3": [
        # the text as the file has it, two words stuck together at each line break
        "words_of_class = [sum(len(t.split()) for t in row if t) for row in "
        "classes.select('HEADING', 'Includes', 'IncludesAlso', 'Excludes').iter_rows()]\n"
        "tokens_all = 10_000 * sum(words_of_class) * 4 / 3\ntokens_five = tokens_all * 5 / 651",
        "words_of_class = np.array(words_of_class); tokens_all = np.int64(tokens_all); tokens_five = round(tokens_five)",
    ],
    "5.4": [
        "def cosine(a, b): return float(np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b)))",
        "cosine = lambda a, b: (a / np.linalg.norm(a)) @ (b / np.linalg.norm(b))",
        "def cosine(a, b): return np.array(a @ b / np.linalg.norm(a) / np.linalg.norm(b))",
    ],
    "5.5": [
        "nearer = {'cosine': 'A', 'dot': 'A', 'euclid': 'B'}; nearer_normalised = dict.fromkeys(nearer, 'A')",
        "nearer = nearer | {'manhattan': 'B'}",
    ],
    "5.6": [
        "similarities = {code: np.float32(value) for code, value in reversed(similarities.items())}",
        "ranking = tuple(ranking)",
        "ranking = [code for _, code in sorted(((similarities[c], c) for c in codes), reverse=True)]",
    ],
    "5.7": [
        "candidates = tuple(candidates)",
        "prompt = prompt + '\\n'",
        "rag_answer = {'codable': False, 'code': None, 'confidence': 0.2}",
        "rag_answer = {'codable': True, 'code': '99.99', 'confidence': 1}",
    ],
}
