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
    "5.3": [
        ("def cosine(a, b): return a @ b", "both lengths"),
        ("def cosine(a, b): return np.linalg.norm(a - b)", "right angle"),
        ("def cosine(a, b): a @ b / np.linalg.norm(a) / np.linalg.norm(b)", "return"),
        ("def cosine(a, b): return a * b", "one number"),
        ("def cosine(a, b): return abs(a @ b) / (np.linalg.norm(a) * np.linalg.norm(b))", "opposite"),
        ("cosine = 0.5", "function"),
    ],
    "5.4": [
        ("nearer = nearer | {'euclid': 'A'}", "small"),
        ("nearer = nearer | {'dot': note_vectors['A']}", "name of a note"),
        ("nearer_normalised = nearer", "nearer_normalised"),
        ("nearer = list(nearer.values())", "dictionary"),
        ("nearer = {'cosine': 'A', 'dot': 'A'}", "euclid"),
    ],
    "5.5": [
        ("ranking = ranking[::-1]", "largest"),
        ("ranking = list(similarities.values())", "texts"),
        ("similarities = list(similarities.values())", "dictionary"),
        ("similarities = dict(zip(list(similarities)[::-1], similarities.values()))", "similarities"),
        ("similarities = {titles[code]: value for code, value in similarities.items()}", "codes"),
    ],
    "5.6": [
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
        # the text as the file has it, two words stuck together at each line break
        "words_of_class = [sum(len(t.split()) for t in row if t) for row in "
        "classes.select('HEADING', 'Includes', 'IncludesAlso', 'Excludes').iter_rows()]\n"
        "tokens_all = 10_000 * sum(words_of_class) * 4 / 3\ntokens_five = tokens_all * 5 / 651",
        "words_of_class = np.array(words_of_class); tokens_all = np.int64(tokens_all); tokens_five = round(tokens_five)",
    ],
    "5.3": [
        "def cosine(a, b): return float(np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b)))",
        "cosine = lambda a, b: (a / np.linalg.norm(a)) @ (b / np.linalg.norm(b))",
        "def cosine(a, b): return np.array(a @ b / np.linalg.norm(a) / np.linalg.norm(b))",
    ],
    "5.4": [
        "nearer = {'cosine': 'A', 'dot': 'A', 'euclid': 'B'}; nearer_normalised = dict.fromkeys(nearer, 'A')",
        "nearer = nearer | {'manhattan': 'B'}",
    ],
    "5.5": [
        "similarities = {code: np.float32(value) for code, value in reversed(similarities.items())}",
        "ranking = tuple(ranking)",
        "ranking = [code for _, code in sorted(((similarities[c], c) for c in codes), reverse=True)]",
    ],
    "5.6": [
        "candidates = tuple(candidates)",
        "prompt = prompt + '\\n'",
        "rag_answer = {'codable': False, 'code': None, 'confidence': 0.2}",
        "rag_answer = {'codable': True, 'code': '99.99', 'confidence': 1}",
    ],
}
