"""Answers to the questions of chapter 10 that differ from the official ones."""

WRONG = {
    "10.1": [
        ("successors = {old: new[0] for old, new in successors.items()}", "successors["),
        ("unambiguous = len(successors)", "unambiguous"),
        # the classes instead of the businesses
        ("done = share([len(new) == 1 for new in successors.values()])", "all businesses"),
        ("by_table = register.join(pairs, left_on='nace_rev2', right_on='rev2').rename({'rev2_1': 'recoded'})", "rows"),
        ("by_table = by_table.with_columns(recoded=pl.col('nace_rev2'))", "successor"),
    ],
    "10.2": [
        ("def cag_messages(text, old, own=cag_messages): return own(text, old)[1:]", "2"),
        (
            "def cag_messages(text, old, own=cag_messages):\n"
            "    system, user = own(text, old)\n"
            "    return [system, user | {'content': user['content'].replace(isolated(text), text)}]",
            "isolated",
        ),
        (
            "def cag_messages(text, old, own=cag_messages):\n"
            "    system, user = own(text, old)\n"
            "    lines = user['content'].split('\\n')\n"
            "    return [system, user | {'content': '\\n'.join(x for x in lines if not x.startswith('From the old'))}]",
            "what went there",
        ),
        (
            "def cag_messages(text, old, own=cag_messages):\n"
            "    system, user = own(text, old)\n"
            "    return [system, user | {'content': user['content'].replace('Old class: ', 'Class: ')}]",
            "Old class",
        ),
        ("successors_all = list(classes)[:5]\ndef cag_messages(text, old): return make_old(text, old)", "cag_messages"),
    ],
    "10.3": [
        (
            "annotations = annotations | {'network': [codes[row.argmax()] for row in by_network]}\n"
            "restricted = lambda scores, candidates: [codes[row.argmax()] for row in scores]",
            "best-scored",
        ),
        ("annotations = annotations | {'notes': annotations['labels']}", "notes"),
        # without those that got no code
        (
            "good = np.array([a == b for a, b in zip(annotations['cag'], right) if a is not None])\n"
            "figures = figures | {'cag': {'all': share(good), 'offered': figures['cag']['offered']}}",
            "denominator",
        ),
        ("figures = {name: {'all': own['offered'], 'offered': own['offered']} for name, own in figures.items()}", "all"),
    ],
    "10.4": [
        ("weights = {name: 1.0 for name in weights}", "weights"),
        # learnt on all
        (
            "weights = {name: max(0.0, float(np.log((rightness(given).sum() + 1) / ((~rightness(given)).sum() + 1)))) "
            "for name, given in annotations.items()}",
            "first half",
        ),
        ("weighted = share(rightness(vote(annotations, weights))[second_half])", "whose right class is offered"),
        ("majority = weighted", "majority"),
        (
            "def vote(given, weights):\n"
            "    return [max(set(row) - {None}, key=row.count) if set(row) - {None} else None for row in zip(*given.values())]",
            "vote(…)",
        ),
    ],
    "10.5": [
        # the letters compared as they stand
        (
            "shift = sections.filter(pl.col('section_before') != pl.col('section_after'))"
            ".group_by('section_before', 'section_after').len(name='businesses')",
            "same section",
        ),
        ("moved = share(sections['section_before'] != sections['section_after'])", "moved"),
        ("shift = shift.head(8)", "shift"),
        ("shift = shift.rename({'section_before': 'before'})", "section_before"),
    ],
    "10.6": [
        ("to_people = np.arange(BUDGET)", "at random"),
        ("to_people = np.flatnonzero(~rightness(decided))[:BUDGET].tolist() + np.flatnonzero(rightness(decided))[:20].tolist()\n"
         "to_people = to_people[:BUDGET]", "Nobody knows"),
        ("to_people = to_people[:50]", "100"),
        ("to_people = np.argsort(-agree, kind='stable')[:BUDGET]", "disagree"),
    ],
}  # fmt: skip

RIGHT = {
    "10.1": [
        "successors = {}\n"
        "for old, new in pairs.sort('rev2_1').select('rev2', 'rev2_1').iter_rows(): successors.setdefault(old, []).append(new)",
        "by_table = by_table.sort('id', descending=True)",
        "by_table = register.with_columns(recoded=pl.col('nace_rev2').replace_strict("
        "{old: new[0] for old, new in successors.items() if len(new) == 1}, default=None)).drop_nulls('recoded')\n"
        "done = share(register['id'].is_in(by_table['id'].implode()))",
    ],
    "10.2": [
        "def cag_messages(text, old):\n"
        "    whole = f'<activity>{isolated(text)}</activity>\\n\\nOld class: {old} {titles[old]}\\n'\n"
        "    for new in successors[old]:\n"
        "        first, rest = candidate_block(classes[new]).split('\\n', 1)\n"
        "        whole += f'\\n{first}\\nFrom the old class: {content_of[old, new]}\\n{rest}\\n'\n"
        "    return [dict(role='system', content=SYSTEM), dict(role='user', content=whole)]",
        "cag_messages = lambda text, old, own=cag_messages: tuple(own(text, old))",
    ],
    "10.3": [
        "def restricted(scores, candidates):\n"
        "    places = [[np.flatnonzero(codes == code)[0] for code in row] for row in candidates]\n"
        "    return [str(row[np.argmax(own[place])]) for own, place, row in zip(np.asarray(scores), places, candidates)]\n"
        "annotations = annotations | {'network': restricted(by_network, candidates)}",
        "annotations = {name: tuple(given) for name, given in reversed(annotations.items())}",
    ],
    "10.4": [
        "def vote(given, weights):\n"
        "    table = []\n"
        "    for row in zip(*given.values()):\n"
        "        named = [code for code in dict.fromkeys(row) if code is not None]\n"
        "        sums = [sum(weights[name] for name, code in zip(given, row) if code == each) for each in named]\n"
        "        table.append(named[int(np.argmax(sums))] if named else None)\n"
        "    return table",
        "weights = dict(reversed(weights.items())); majority = majority",
    ],
    "10.5": [
        "shift = shift.to_pandas()",
        "shift = shift.sort('section_after').select('businesses', 'section_after', 'section_before')",
    ],
    "10.6": [
        "to_people = np.argsort(agree, kind='stable')[:BUDGET].tolist()",
        "sure = np.array([row['confidence'] or 0 for row in cag])\nto_people = set(np.lexsort((sure, agree - outside))[:BUDGET].tolist())\n"
        "to_people = sorted(to_people)",
    ],
}
