"""Answers to the questions of chapter 5 that differ from the official ones."""

WRONG = {
    "5.1": [
        ("naive_answer = response", "text"),
        ("naive_codes = ['47.72']", "naive_codes"),
        ("naive_codes = '47.72'", "list"),
        ("naive_answer = ''", "empty"),
    ],
    "5.2": [
        (
            "words_of_class = [sum(len(t) for t in row if t) for row in "
            "classes.select('HEADING', 'Includes', 'IncludesAlso', 'Excludes').iter_rows()]",
            "characters",
        ),
        ("words_of_class = [len(text.split()) for text in classes['HEADING']]", "three notes"),
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
        ("nearer = nearer | {'dot': note_vectors['A']}", "nearer"),
        ("nearer_normalised = nearer", "nearer_normalised"),
        ("nearer = list(nearer.values())", "dictionary"),
    ],
    "5.5": [
        ("ranking = ranking[::-1]", "largest"),
        ("ranking = list(similarities.values())", "codes"),
        ("similarities = list(similarities.values())", "dictionary"),
        ("similarities = dict(zip(list(similarities)[::-1], similarities.values()))", "similarities"),
    ],
    "5.6": [
        ("candidates = list(notes)[:3]", "candidates"),
        ("prompt = prompt.replace('<activity>', '')", "between"),
        ("prompt = prompt.split('Candidates:')[0]", "lacks"),
        ("prompt = prompt + candidate_text(ranking[3])", "fourth"),
        ("rag_answer = json.dumps(rag_answer)", "dictionary"),
        ("rag_answer = {'answer': '47.72'}", "key code"),
    ],
}

RIGHT = {}
