"""Plausible wrong answers for every question: code run after the official solution, and a word the verdict must contain.

Each list has at least two; `tests/test_checks.py` proves that the checks refuse them all.
"""

WRONG = {
    "1-data": {
        "1.1": [
            ("import pandas as pl", "pl"),
            ("env_found = load_dotenv", "env_found"),
        ],
        "1.2": [
            ("n_labels = labels.count", "n_labels"),
            ("n_labels = len(labels) - 1", "n_labels"),
            ("labels = labels.to_pandas(); n_labels = len(labels)", "labels"),
            ("labels = labels.with_columns(pl.col('code').cast(pl.Float64))", "text"),
            ("labels = labels.rename({'label': 'text'})", "label"),
        ],
        "1.3": [
            ("n_classes = len(labels)", "rows"),
            ("n_classes = labels['code'].n_unique", "()"),
            ("n_classes = labels['name'].n_unique() - 1", "n_classes"),
            ("n_classes = str(n_classes)", "n_classes"),
        ],
        "1.4": [
            ("words_per_label = labels['label'].str.len_chars()", "characters"),
            ("words_per_label = labels['label'].str.split(' ')", "words_per_label"),
            ("labels_per_class = labels['code'].n_unique()", "labels_per_class"),
            ("examples = labels.sample(5, seed=1)['label'].to_list()", "one class"),
            ("examples = labels.filter(code='10.71').head(3)['label'].to_list()", "five"),
        ],
        "2.1": [
            ("X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=42)", "15%"),
            ("X_val, X_test, y_val, y_test = train_test_split(X, y, test_size=0.5, random_state=42)", "val"),
            ("y_val = y_val[::-1]", "belong together"),
            ("X_train = X_train.tolist()", "numpy"),
            (
                "X_val, X_test, y_val, y_test = X_train[: len(X_val)], X_test, y_train[: len(y_val)], y_test",
                "two of the sets",
            ),
        ],
        "2.2": [
            ("encoder = LabelEncoder()", "fit"),
            ("encoder = LabelEncoder().fit(y_train[:100])", "y_train"),
            ("unseen_codes = set(y_train)", "unseen_codes"),
            ("unseen_codes = 0", "set"),
        ],
        "2.3": [
            ("value_encoder = encoder", "ValueEncoder"),
            ("value_encoder = ValueEncoder(label_encoder=LabelEncoder())", "fitted"),
            ("value_encoder = ValueEncoder(label_encoder=LabelEncoder().fit(y_train[:50]))", "encoder"),
        ],
    },
    "2-tokenizer": {
        "3.1": [
            ("tokenizer = WordPieceTokenizer(vocab_size=5000, output_dim=10)", "trained"),
            ("encoded = tokenizer.tokenize(X_val.tolist())", "shape"),
            ("first_tokens = X_train[0]", "list"),
            ("first_tokens = X_train[0].split()", "first_tokens"),
            ("import copy; tokenizer = copy.copy(tokenizer); tokenizer.output_dim = 20", "10"),
        ],
        "3.2": [
            ("n_tokens = np.array([len(row) for row in encoded.input_ids])", "cut"),
            ("n_tokens = n_tokens - 2", "special"),
            ("share_cut = (n_tokens > 10).sum()", "share"),
            ("better_output_dim = 12", "12 tokens"),
            ("better_output_dim = 512", "padding"),
        ],
        "3.3": [
            ("pieces = list(pieces.values())", "dictionary"),
            ("pieces = {k: v for k, v in pieces.items() if k != 'café'}", "café"),
            ("pieces = {k: ['[SEP]', *v, '[CLS]'] for k, v in pieces.items()}", "special"),
            ("pieces = {k: [k] for k in pieces}", "tokens"),
        ],
        "3.4": [
            ("bakery_ids = tokenizer.tokenize(['cafe']).input_ids[0].tolist()", "bakery_ids"),
            ("bakery_mask = [1] * 10", "bakery_mask"),
            ("n_padding = sum(bakery_mask)", "n_padding"),
        ],
    },
    "3-training": {
        "4.1": [
            ("model_config = ModelConfig(embedding_dim=10, num_classes=value_encoder.num_classes)", "96"),
            ("model_config = ModelConfig(embedding_dim=96, num_classes=2)", "num_classes"),
            ("classifier = torchTextClassifiers", "classifier"),
            ("classifier = torchTextClassifiers(tokenizer=tokenizer, model_config=model_config)", "value_encoder"),
        ],
        "4.2": [
            ("training_config = TrainingConfig(num_epochs=1, batch_size=256, lr=5e-4)", "num_workers"),
            ("import dataclasses; training_config = dataclasses.replace(training_config, lr=0.5)", "lr"),
            ("training_config = {'lr': 5e-4}", "TrainingConfig"),
            ("import dataclasses; training_config = dataclasses.replace(training_config, trainer_params=None)", "trainer_params"),
        ],
        "4.3": [
            ("reloaded = classifier", "reloaded"),
            (
                "reloaded = torchTextClassifiers(tokenizer=tokenizer, model_config=model_config, value_encoder=value_encoder)",
                "reloaded",
            ),
            ("with mlflow.start_run() as first_run: pass", "val_accuracy"),
        ],
        "4.4": [
            ("best_classifier = classifier", "55 %"),
            ("best_classifier = best_id", "best_classifier"),
            ("runs = runs.head(1)", "three"),
            ("runs = list(runs)", "search_runs"),
        ],
        "4.5": [
            ("baseline_accuracy = (baseline.predict(X_val) == y_val).sum()", "share"),
            ("baseline_accuracy = (baseline.predict(X_train[:2000]) == y_train[:2000]).mean()", "training set"),
            ("network_accuracy = first_accuracy", "network_accuracy"),
        ],
    },
    "4-prediction": {
        "5.0": [
            ("changed_files = list(manifest['files'])", "checksum"),
            ("from_run = pretrained", "from_run"),
            ("changed_files = 0", "list"),
            ("model_folder = Path('.')", "manifest"),
        ],
        "5.1": [
            ("top5 = pretrained.predict(sample)", "top_k"),
            ("sample = X_train[:5]", "X_test"),
            ("top5 = pretrained.predict(X_test[:5], top_k=5)", "sample"),
            ("top5 = top5['prediction']", "dictionary"),
        ],
        "5.2": [
            ("explained = pretrained.predict(np.array([text]))", "explain_with_captum"),
            (
                "words, word_attributions = tokens, token_attributions[is_token].tolist(); words = ['ies'] * len(words)",
                "pretzels",
            ),
            ("word_attributions = word_attributions[:-1]", "same length"),
            ("char_attributions = token_attributions", "character"),
        ],
        "5.3": [
            ("predicted = P_test.argmax(axis=1)", "predicted"),
            ("predicted = classes[P_test.argmax(axis=1)][:, None]", "shape"),
            ("test_accuracy = (predicted == y_test).sum()", "share"),
            ("test_accuracy = (predicted[:, None] == y_test).mean()", "test_accuracy"),
        ],
        "5.4": [
            ("by_level = by_level.with_columns(low=pl.lit(0.0), high=pl.lit(1.0))", "interval"),
            ("by_level = by_level.filter(pl.col('k') == 1)", "12"),
            ("by_level = by_level.with_columns(accuracy=pl.col('accuracy') * 0.9)", "accuracy"),
            ("by_level = by_level.to_pandas()", "polars"),
        ],
        "5.5": [
            ("curve = curve.with_columns(precision=pl.col('precision') * pl.col('coverage'))", "precision"),
            ("curve = curve.with_columns(coverage=1 - pl.col('coverage'))", "coverage"),
            ("ece = np.mean([abs(a - c) for a, c in zip(mean_accuracy, mean_confidence)]) + 0.05", "ece"),
            ("curve = curve.head(10)", "thresholds"),
        ],
        "5.6": [
            ("field_accuracy = test_accuracy", "field_accuracy"),
            ("worst_divisions = worst_divisions.head(5)", "ten"),
            (
                "worst_divisions = field.group_by('division').agg(n=pl.len(), accuracy=pl.col('right').mean()).sort('accuracy').tail(10)",
                "worst_divisions",
            ),
            ("by_register = by_register.head(1)", "by_register"),
        ],
    },
    "7-generation": {
        "1.1": [
            ("query_vector = embed([label])", "first row"),
            ("candidates = [hit.payload['heading'] for hit in hits]", "codes of hits"),
            ("candidates = candidates[::-1]", "nearest first"),
            ("hits = hits[:3]; candidates = candidates[:3]", "five"),
            ("query_vector = embed(['something else'])[0]", "vector of label"),
        ],
        "1.2": [
            (
                "make_messages = lambda label, blocks: [{'role': 'user', 'content': SYSTEM}, "
                "{'role': 'user', 'content': label}]",
                "roles",
            ),
            (
                "make_messages = lambda label, blocks: [{'role': 'system', 'content': SYSTEM}, {'role': 'user', "
                "'content': '\\n\\n'.join([f'<activity>\\n{label}\\n</activity>', 'Candidates:', *blocks])}]",
                "closes the frame",
            ),
            (
                "make_messages = lambda label, blocks: [{'role': 'system', 'content': SYSTEM}, {'role': 'user', "
                "'content': '\\n\\n'.join([f'<activity>\\n{label.replace(chr(60), str())}\\n</activity>', 'Candidates:', *blocks])}]",
                "one line",
            ),
            ("messages = messages[1:]", "messages"),
        ],
        "1.3": [
            ("answer = completion.choices[0].message.content", "NaceAnswer"),
            (
                "class NaceAnswer(BaseModel):\n    codable: bool\n    code: str | None\n    confidence: float",
                "confidence of 7",
            ),
            ("completion = completion.choices[0].message.content", "completion"),
            ("answer = NaceAnswer(codable=True, code='01.11', confidence=0.123)", "completion"),
        ],
        "1.4": [
            ("accepted = set(received)", "in a code fence"),
            ("accepted = {'as asked', 'not codable'}", "a group"),
            ("outcomes = {name: read.outcome for name, read in outcomes.items()}", "parse_answer"),
            ("outcomes = {name: parse_answer(content, []) for name, content in received.items()}", "offered"),
        ],
        "1.5": [
            ("attack_candidates = candidates", "attack_candidates"),
            ("obeyed = parse_answer(obeying, [*attack_candidates, '01.11'])", "obeyed"),
            ("import dataclasses; attack_answer = dataclasses.replace(attack_answer, code='01.11')", "outside"),
            ("attack_answer = attack_answer.code", "parse_answer"),
        ],
        "2.1": [
            ("sample_candidates = sample_candidates[::-1]", "does not belong"),
            ("sample = pl.DataFrame({'label': X_train[chosen], 'code': y_train[chosen]})", "test set"),
            ("sample = sample.head(100)", "500"),
            ("sample_candidates = [row[:1] for row in sample_candidates]", "five codes"),
        ],
        "2.2": [
            (
                "def ask(messages, candidates, client=client):\n    return client.chat.completions.create("
                "model=os.environ['CHAT_MODEL'], messages=messages)",
                "raises",
            ),
            ("failed = failed | {'outcome': 'not codable'}", "request failed"),
            ("failed = None", "failed"),
            ("failed = {key: value for key, value in failed.items() if key != 'detail'}", "detail"),
        ],
        "2.3": [
            ("rows = rows.sort('code')", "order"),
            ("rows = rows.with_columns(coded=pl.col('coded').shuffle(seed=1))", "none of its candidates"),
            ("ask_all = lambda requests, path, workers=4: [ask(*request) for request in requests]", "ask_all"),
            ("rows = rows.drop('tokens_in')", "tokens_in"),
        ],
        "2.4": [
            ("share_coded = share_coded.value", "share"),
            ("share_coded = share(np.array([True, True, False]))", "share_coded"),
            ("outcome_counts = rows['outcome'].n_unique()", "outcome_counts"),
            ("outcome_counts = outcome_counts.with_columns(pl.col('len') // 2)", "add up"),
        ],
        "3.1": [
            ("conditional = share(right)", "is a candidate"),
            ("pipeline = conditional", "all"),
            ("retriever = {k + 1: value for k, value in retriever.items()}", "1 to 5"),
            ("retriever = {k: share(rank <= k) for k in retriever}", "retriever[1]"),
            ("pipeline = right.mean()", "share"),
        ],
        "3.2": [
            ("verdicts = np.where(right, 'right', 'retriever')", "generator"),
            ("verdicts = np.where(rank < K, 'right', 'retriever')", "verdicts"),
            ("verdicts = np.where(right, 'right', 'wrong')", "four texts"),
            ("errors = errors.with_columns(pl.col('len') + 1)", "count"),
        ],
        "3.3": [
            ("by_level = by_level.head(2)", "four levels"),
            ("by_level = by_level.with_columns(pipeline=pl.col('retriever'))", "pipeline"),
            ("by_level = by_level.with_columns(low=pl.lit(0.0), high=pl.lit(1.0))", "95 %"),
            ("by_level = by_level.with_columns(retriever=pl.lit(retriever[5].value))", "retriever"),
        ],
        "3.4": [
            ("median_confidence = {'right': 1.0, 'wrong': 0.0}", "median_confidence"),
            ("curve = curve.with_columns(coverage=pl.col('coverage') * 0.5)", "coverage"),
            ("curve = curve.with_columns(precision=pl.col('precision') * pl.col('coverage'))", "precision"),
            ("curve = curve.filter(pl.col('threshold') > 0.1)", "start at 0"),
        ],
        "4.1": [
            ("recall = recall[:20]", "50"),
            ("recall = np.array([(rank_notes < k).mean() for k in range(1, 51)])", "k=1"),
            ("k_80 = k_80 - 1", "k_80"),
            ("prompt_words = {k: words * 6 for k, words in prompt_words.items()}", "characters"),
        ],
        "4.2": [
            ("fuse = lambda score_arrays, weights: sum(w * s for s, w in zip(score_arrays, weights))", "fuse"),
            (
                "fuse = lambda score_arrays, weights: sum(w / (60 + rankdata(s, axis=1)) for s, w in zip(score_arrays, weights))",
                "fuse",
            ),
            ("bm25_scores = scores", "BM25"),
            ("hybrid = hybrid | {'weighted': hybrid['bm25']}", "weighted"),
            ("bm25_scores = bm25_scores.T", "shape"),
        ],
        "4.3": [
            ("passages = passages[:-5]", "passages"),
            ("passage_scores = scores", "best passage"),
            ("passage_scores = text_vectors @ passage_vectors.T", "one column a class"),
            ("passages = [(code, text.split(': ')[-1]) for code, text in passages]", "heading"),
        ],
        "4.4": [
            ("examples = list(zip(truth.tolist(), texts.tolist()))", "training set"),
            ("examples = list(zip(y_train[:6510].tolist(), X_train[:6510].tolist()))", "ten"),
            ("example_scores = passage_scores", "best passage or example"),
            ("examples = examples[:650]", "classes"),
            ("bm25_label_scores = bm25_scores", "notes alone"),
        ],
        "4.5": [
            ("best_method = 'notes'", "best_method"),
            ("field_best = field_plain", "best_method"),
            ("field_plain = share(ranks(scores) <= 5)", "field test"),
            ("comparison = comparison.with_columns(at_5=pl.col('at_1'))", "at_5"),
            ("comparison = comparison.filter(pl.col('method') != 'passages')", "passages"),
        ],
        "5.1": [
            ("rag_accuracy = share(rag_codes == final_truth[::-1])", "rag_accuracy"),
            ("rag = rag.sort('code')", "order"),
            ("rag_accuracy = (rag_codes == final_truth).mean()", "share"),
            ("rag = rag.with_columns(coded=pl.col('coded').reverse())", "outside its candidates"),
        ],
        "5.2": [
            ("supervised_codes = P.argmax(axis=1)", "text"),
            ("supervised_confidence = P.mean(axis=1)", "confidence"),
            ("supervised_seconds = supervised_seconds * 100_000", "seconds"),
            ("both = both | {'both': both['both'] + both['none']}", "both"),
            ("supervised_accuracy = rag_accuracy", "supervised_accuracy"),
        ],
        "5.3": [
            ("agree = supervised_right & rag_right", "right or wrong"),
            ("agree_precision = share(supervised_right)", "agree_precision"),
            ("agree_coverage = agree.mean()", "share"),
            ("alone_precision = supervised_accuracy", "as many"),
        ],
        "5.4": [
            ("rag_cost = rag_cost * 1_000_000", "rag_cost"),
            ("rag_cost = rag['tokens_in'] * 1e-6", "one number"),
            ("summary = summary[::-1]", "rows"),
            ("summary = summary.with_columns(accuracy=pl.col('precision'))", "accuracy"),
        ],
    },
}
