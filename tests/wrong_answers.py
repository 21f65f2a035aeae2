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
            ("n_labels = labels.select(pl.len())", "whole number"),
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
            (
                "X_train, X_rest, y_train, y_rest = train_test_split(X, y, test_size=0.3, random_state=42); "
                "X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, test_size=0.5, random_state=42)",
                "stratify",
            ),
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
            ("tokenizer = WordPieceTokenizer(vocab_size=5000, output_dim=10); tokenizer.train(X.tolist())", "X_train only"),
            ("first_tokens = X_train[0]", "list"),
            ("first_tokens = X_train[0].split()", "first_tokens"),
            ("import copy; tokenizer = copy.copy(tokenizer); tokenizer.output_dim = 20", "10"),
        ],
        "3.2": [
            ("n_tokens = np.array([len(row) for row in encoded.input_ids])", "cut"),
            ("n_tokens = n_tokens - 2", "special"),
            ("share_cut = (n_tokens > 10).sum()", "share"),
            ("better_output_dim = 12", "12 tokens"),
            ("better_output_dim = int(n_tokens.max())", "padding"),
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
            ("best_classifier = classifier", "60 %"),
            ("runs = runs[['run_id', 'params.lr', 'metrics.val_accuracy']]", "all its columns"),
            ("runs = runs.assign(**{'params.lr': '0.003'})", "ten times as large"),
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
            ("changed_files = ['tokenizer.pkl']", "checksum"),
            ("changed = lambda folder: []", "differs"),
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
    "5-rag": {
        "1.1": [
            ("naive_answer = response", "text"),
            ("naive_codes = ['47.72']", "naive_codes"),
            ("naive_codes = '47.72'", "list"),
            ("naive_answer = ''", "empty"),
        ],
        "1.2": [
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
        "2.1": [
            ("def cosine(a, b): return a @ b", "both lengths"),
            ("def cosine(a, b): return np.linalg.norm(a - b)", "right angle"),
            ("def cosine(a, b): a @ b / np.linalg.norm(a) / np.linalg.norm(b)", "return"),
            ("def cosine(a, b): return a * b", "one number"),
            ("def cosine(a, b): return abs(a @ b) / (np.linalg.norm(a) * np.linalg.norm(b))", "opposite"),
            ("cosine = 0.5", "function"),
        ],
        "2.2": [
            ("nearer = nearer | {'euclid': 'A'}", "small"),
            ("nearer = nearer | {'dot': note_vectors['A']}", "nearer"),
            ("nearer_normalised = nearer", "nearer_normalised"),
            ("nearer = list(nearer.values())", "dictionary"),
        ],
        "2.3": [
            ("ranking = ranking[::-1]", "largest"),
            ("ranking = list(similarities.values())", "codes"),
            ("similarities = list(similarities.values())", "dictionary"),
            ("similarities = dict(zip(list(similarities)[::-1], similarities.values()))", "similarities"),
        ],
        "3.1": [
            ("candidates = list(notes)[:3]", "candidates"),
            ("prompt = prompt.replace('<activity>', '')", "between"),
            ("prompt = prompt.split('Candidates:')[0]", "lacks"),
            ("prompt = prompt + candidate_text(ranking[3])", "fourth"),
            ("rag_answer = json.dumps(rag_answer)", "dictionary"),
            ("rag_answer = {'answer': '47.72'}", "key code"),
        ],
    },
    "6-vector-database": {
        "1.0": [
            ("settings = settings | {'LLMLAB_API_KEY': os.environ['LLMLAB_API_KEY']}", "masked"),
            ("def mask(secret): return secret[:3] + '…'", "shorter"),
            ("def mask(secret): return '***'", "mask"),
            ("settings = {k: v for k, v in settings.items() if k != 'CHAT_MODEL'}", "CHAT_MODEL"),
            ("env_is_ignored = not env_is_ignored", "env_is_ignored"),
        ],
        "1.1": [
            ("client = OpenAI(base_url='https://api.openai.com/v1', api_key='x', timeout=120, max_retries=5)", "LLMLAB_URL"),
            ("client = OpenAI(base_url=os.environ['LLMLAB_URL'], api_key=os.environ['LLMLAB_API_KEY'])", "timeout"),
            ("client = client.with_options(max_retries=2)", "max_retries"),
            ("client = client.with_options(api_key='password')", "LLMLAB_API_KEY"),
            ("client = os.environ['LLMLAB_URL']", "OpenAI"),
        ],
        "1.2": [
            ("model_ids = list(client.models.list())", "ids"),
            ("model_ids = model_ids[::-1]", "sorted"),
            ("model_ids = model_ids[:1]", "model_ids"),
            ("missing_models = model_ids", "missing_models"),
        ],
        "1.3": [
            ("qdrant = QdrantClient(':memory:')", "memory"),
            ("import tempfile; qdrant = QdrantClient(path=tempfile.mkdtemp())", "chapter-6"),
            ("qdrant = os.environ['QDRANT_PATH']", "QdrantClient"),
            ("collection_names = qdrant.get_collections()", "list"),
            ("collection_names = ['nace']", "collection_names"),
        ],
        "2.1": [
            ("nomenclature = nomenclature.with_columns(pl.col('LEVEL').cast(pl.Int64))", "text"),
            ("nomenclature = nomenclature.rename({'CODE': 'code'})", "CODE"),
            ("n_of_level = {int(k): v for k, v in n_of_level.items()}", "n_of_level"),
            ("n_of_level = nomenclature.group_by('LEVEL').len()", "dictionary"),
        ],
        "2.2": [
            (
                "class NaceDocument(NaceDocument):\n"
                "    def to_embedding_text(self, includes_also=True, excludes=True):\n"
                "        return super().to_embedding_text(includes_also, excludes)",
                "exclusions",
            ),
            ("class NaceDocument(NaceDocument):\n    def __post_init__(self): pass", "ValueError"),
            (
                "class NaceDocument(NaceDocument):\n"
                "    def to_embedding_text(self, includes_also=True, excludes=False):\n"
                "        return f'{self.code} {self.heading}\\n{self.includes}'",
                "heading",
            ),
            (
                "class NaceDocument(NaceDocument):\n"
                "    @classmethod\n"
                "    def from_row(cls, row):\n"
                "        return cls(row['CODE'].strip(), row['HEADING'].strip(), int(row['LEVEL']), row['PARENT_CODE'],\n"
                "                   row['Includes'], row['IncludesAlso'], row['Excludes'])",
                "line break",
            ),
            ("documents = [document for document in documents if document.level == 4]", "documents"),
            ("documents = documents[::-1]", "order"),
        ],
        "2.3": [
            ("text_with = text_without", "excludes=True"),
            ("text_without, text_with = text_with, text_without", "text_without"),
            ("text_without = bread.to_embedding_text", "texts"),
        ],
        "3.1": [
            ("dimension = 1536", "dimension"),
            ("collection = 'nace'", "collection"),
            ("collection = qdrant.get_collection(collection)", "name"),
            (
                "collection = 'other'; qdrant.delete_collection(collection); qdrant.create_collection(collection, "
                "vectors_config=models.VectorParams(size=dimension, distance=models.Distance.DOT))",
                "cosine",
            ),
        ],
        "3.2": [
            ("few_similarities = few_vectors @ few_vectors.T * 4", "diagonal"),
            ("few_vectors = few_vectors[::-1]", "order"),
            ("few_similarities = np.corrcoef(few_vectors)", "cosine"),
            ("embed_batch = lambda texts, one=embed_batch: np.vstack([one([text]) for text in texts])", "one request"),
            ("few_vectors = few_vectors[0]", "shape"),
            ("few_similarities = few_similarities[0]", "shape"),
            ("def embed_batch(texts): return few_vectors", "embed_batch"),
        ],
        "3.3": [
            ("def point_id(code): return str(uuid.uuid4())", "uuid5"),
            ("def point_id(code): return code", "point_id"),
            ("few_points = few_points[::-1]", "order"),
            (
                "def make_point(document, vector): return models.PointStruct(id=point_id(document.code), vector=vector.tolist())",
                "payload",
            ),
            (
                "def make_point(document, vector): return models.PointStruct(id=point_id(document.code), "
                "vector=vector.tolist(), payload={'code': document.code})",
                "lacks",
            ),
        ],
        "3.4": [
            ("vectors = vectors[::-1]", "order"),
            ("vectors = vectors[:651]", "shape"),
            ("seconds = {'one a request': 3.0}", "seconds"),
            ("seconds = list(seconds.values())", "dictionary"),
            ("def embed_texts(texts, batch_size=32, workers=4): return embed_batch(texts)[::-1]", "order"),
            ("def embed_texts(texts, batch_size=32, workers=4): return embed_batch(texts[:batch_size])", "shape"),
        ],
        "3.5": [
            ("count_second = 2 * count_first", "twice"),
            ("count_first = 651", "count_first"),
            ("count_first = upsert_all", "number"),
            ("count_second = count_first - 100", "count_second"),
        ],
        "3.6": [
            ("stored = [stored]", "first element"),
            ("hits = class_hits", "hits"),
            ("class_hits = hits", "no classes"),
            ("hits = hits[:5]", "ten"),
            ("stored = qdrant.retrieve(collection, ids=[point_id('10.72')])[0]", "10.71"),
        ],
        "3.7": [
            ("candidates_classes = candidates_all", "no classes"),
            ("candidates_all = candidates_all[:, ::-1]", "nearest first"),
            ("candidates_all = candidates_all[:, :1]", "shape"),
            ("label_vectors = label_vectors[::-1]", "order"),
            ("recall = recall.with_columns(share=pl.col('share') * 1000)", "Retriever@1"),
            ("recall = recall.filter(k=5)", "four rows"),
            ("recall = recall.to_dicts()", "polars"),
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
                "make_messages = lambda label, blocks: [{'role': 'user', 'content': SYSTEM}, {'role': 'user', 'content': label}]",
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
            (
                "ask = lambda *a, ask=ask, **k: (r := ask(*a, **k)) | {'tokens_in': r['tokens_out'], 'tokens_out': r['tokens_in']}",
                "prompt_tokens",
            ),
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
            ("words_of = lambda texts: [text.split() for text in texts]", "stem"),
            ("bm25_scores = bm25_scores.T", "shape"),
        ],
        "4.3": [
            ("passages = passages[:-5]", "passages"),
            ("passage_scores = scores", "best passage"),
            ("passage_vectors = passage_vectors[::-1]", "order"),
            ("passage_scores = text_vectors @ passage_vectors.T", "one column a class"),
            ("passages = [(code, text.split(': ')[-1]) for code, text in passages]", "heading"),
        ],
        "4.4": [
            ("examples = list(zip(truth.tolist(), texts.tolist()))", "training set"),
            ("examples = list(zip(y_train[:6510].tolist(), X_train[:6510].tolist()))", "ten"),
            ("example_scores = passage_scores", "best passage or example"),
            ("examples = examples[:650]", "classes"),
            ("example_vectors = example_vectors[::-1]", "order"),
            ("bm25_label_scores = bm25_scores", "notes alone"),
        ],
        "4.5": [
            ("best_method = 'notes'", "best_method"),
            ("field_best = field_plain", "best_method"),
            ("field_scores = field_by_method['examples']", "field_scores"),
            ("field_plain = share(ranks(scores) <= 5)", "field test"),
            ("comparison = comparison.with_columns(at_5=pl.col('at_1'))", "at_5"),
            ("comparison = comparison.filter(pl.col('method') != 'passages')", "passages"),
        ],
        "5.1": [
            ("rag_accuracy = share(rag_codes == final_truth[::-1])", "rag_accuracy"),
            ("rag = rag.sort('code')", "order"),
            ("rag_accuracy = (rag_codes == final_truth).mean()", "share"),
            ("answers_path = Path('/dev/null')", "three training labels"),
            ("rag = rag.with_columns(coded=pl.col('coded').reverse())", "outside its candidates"),
        ],
        "5.2": [
            ("supervised_codes = P.argmax(axis=1)", "text"),
            ("supervised_confidence = P.mean(axis=1)", "confidence"),
            ("supervised_seconds = supervised_seconds * len(final)", "seconds"),
            ("both = both | {'both': both['both'] + both['none']}", "both"),
            ("supervised_accuracy = rag_accuracy", "supervised_accuracy"),
            ("supervised_right = ~supervised_right", "supervised_right"),
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
