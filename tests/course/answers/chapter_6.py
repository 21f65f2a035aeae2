"""Answers to the questions of chapter 6 that differ from the official ones."""

COSINE = "models.VectorParams(size=dimension, distance=models.Distance.COSINE)"
# makes the collection of question 6.6 anew, as the check then finds it
RECREATE = "qdrant.delete_collection(collection); qdrant.create_collection(collection, vectors_config={})"

WRONG = {
    "6.1": [
        ("settings = settings | {'LLMLAB_API_KEY': os.environ['LLMLAB_API_KEY']}", "masked"),
        ("def mask(secret): return secret[:3] + '…'", "7 characters"),
        ("def mask(secret): return '***'", "mask"),
        ("settings = {k: v for k, v in settings.items() if k != 'CHAT_MODEL'}", "CHAT_MODEL"),
        # a substring test: part of a line is taken for a line
        ("def is_ignored(name): return name in Path('../.gitignore').read_text()", "part of a line"),
        ("def is_ignored(name): return True", "part of a line"),
        ("is_ignored = True", "function"),
        ("def is_ignored(name): name in Path('../.gitignore').read_text().splitlines()", "True or False"),
    ],
    "6.2": [
        ("client = OpenAI(base_url='https://api.openai.com/v1', api_key='x', timeout=120, max_retries=5)", "LLMLAB_URL"),
        ("client = OpenAI(base_url=os.environ['LLMLAB_URL'], api_key=os.environ['LLMLAB_API_KEY'])", "timeout"),
        ("client = client.with_options(max_retries=2)", "max_retries"),
        ("client = client.with_options(api_key='password')", "LLMLAB_API_KEY"),
        ("client = os.environ['LLMLAB_URL']", "OpenAI"),
        ("import httpx; client = client.with_options(timeout=httpx.Timeout(60))", "timeout"),
    ],
    "6.3": [
        ("qdrant = QdrantClient(':memory:')", "folder"),
        ("import tempfile; qdrant = QdrantClient(path=tempfile.mkdtemp())", "chapter-6"),
        # another folder of the name that is asked for
        ("import tempfile; qdrant = QdrantClient(path=tempfile.mkdtemp() + '/chapter-6')", "QDRANT_PATH"),
        ("qdrant = os.environ['QDRANT_PATH']", "QdrantClient"),
        ("collection_names = qdrant.get_collections()", "list of texts"),
        ("collection_names = ['nace']", "no collection"),
        ("collection_names = [1]", "whole number"),
    ],
    "6.4": [
        ("nomenclature = nomenclature.with_columns(pl.col('LEVEL').cast(pl.Int64))", "text"),
        ("nomenclature = nomenclature.rename({'CODE': 'code'})", "CODE"),
        ("nomenclature = nomenclature.lazy()", "collected"),
        ("n_of_level = {int(k): v for k, v in n_of_level.items()}", "texts"),
        ("n_of_level = nomenclature.group_by('LEVEL').len()", "dictionary"),
        ("n_of_level = n_of_level | {'4': 652}", "n_of_level"),
    ],
    "6.5": [
        (
            "class NaceDocument(NaceDocument):\n"
            "    def to_embedding_text(self, includes_also=True, excludes=True):\n"
            "        return super().to_embedding_text(includes_also, excludes)",
            "exclusions",
        ),
        ("class NaceDocument(NaceDocument):\n    def __post_init__(self): pass", "ValueError"),
        (
            "class NaceDocument(NaceDocument):\n"
            "    def __post_init__(self):\n"
            "        assert self.level in PATTERNS and re.fullmatch(PATTERNS[self.level], self.code), 'my own words'",
            "AssertionError",
        ),
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
        ("documents = [document for document in documents if document.level == 4]", "1,047"),
        ("documents = documents[::-1]", "order"),
        ("documents = [document.code for document in documents]", "should hold documents"),
        ("documents = documents[0]", "list"),
    ],
    "6.6": [
        ("dimension = 1536", "dimension"),
        ("dimension = '384'", "whole number"),
        ("collection = 'nace'", "nace-chapter-6"),
        # a collection that exists, under another name than the one that is asked for
        (
            f"collection = 'bakery'; qdrant.delete_collection(collection); qdrant.create_collection(collection, vectors_config={COSINE})",
            "nace-chapter-6",
        ),
        ("collection = qdrant.get_collection(collection)", "name"),
        (RECREATE.format("models.VectorParams(size=dimension, distance=models.Distance.DOT)"), "cosine"),
        (RECREATE.format("models.VectorParams(size=100, distance=models.Distance.COSINE)"), "100"),
        (RECREATE.format("{'notes': " + COSINE + "}"), "without a name"),
        ("qdrant.delete_collection(collection)", "create it"),
    ],
    "6.7": [
        ("def point_id(code): return str(uuid.uuid4())", "uuid5"),
        ("def point_id(code): return code", "point_id"),
        ("few_points = few_points[::-1]", "id of"),
        ("few_points = [document.code for document in few]", "PointStruct"),
        ("few_points = [make_point(document, few_vectors[0]) for document in few]", "vector"),
        (
            "def make_point(document, vector): return models.PointStruct(id=point_id(document.code), vector=vector.tolist())",
            "payload",
        ),
        (
            "def make_point(document, vector): return models.PointStruct(id=point_id(document.code), "
            "vector=vector.tolist(), payload={'code': document.code})",
            "lacks",
        ),
        (
            "def make_point(document, vector): return models.PointStruct(id=point_id(document.code), "
            "vector={'notes': vector.tolist()}, payload=asdict(document))",
            "without a name",
        ),
        ("def make_point(document, vector): return document.code", "PointStruct"),
    ],
    "6.8": [
        ("vectors = vectors[::-1]", "order"),
        ("vectors = vectors[:651]", "shape"),
        # ignores workers: one request after the other
        (
            "def embed_texts(texts, batch_size=32, workers=4):\n"
            "    return np.concatenate([embed_batch(texts[i:i+batch_size]) for i in range(0, len(texts), batch_size)])",
            "at a time",
        ),
        # ignores workers: always four
        (
            "def embed_texts(texts, batch_size=32, workers=4, given=embed_texts): return given(texts, batch_size, 4)",
            "at most workers",
        ),
        # ignores batch_size: one text a request
        ("def embed_texts(texts, batch_size=32, workers=4, given=embed_texts): return given(texts, 1, workers)", "batch_size"),
        ("def embed_texts(texts, batch_size=32, workers=4): return embed_batch(texts)", "batches"),
        (
            "def embed_texts(texts, batch_size=32, workers=4, given=embed_texts): return given(texts, batch_size, workers)[::-1]",
            "order",
        ),
        # in the order in which the answers come
        (
            "from concurrent.futures import as_completed\n"
            "def embed_texts(texts, batch_size=32, workers=4):\n"
            "    with ThreadPoolExecutor(workers) as pool:\n"
            "        tasks = [pool.submit(embed_batch, texts[i:i+batch_size]) for i in range(0, len(texts), batch_size)]\n"
            "        return np.concatenate([task.result() for task in as_completed(tasks)])",
            "order",
        ),
        (
            "def embed_texts(texts, batch_size=32, workers=4, given=embed_texts): return given(texts[:batch_size], batch_size, workers)",
            "once",
        ),
        ("def embed_texts(texts, batch_size=32, workers=4): return vectors", "no request"),
        ("def embed_texts(texts): return embed_batch(texts)", "arguments"),
        ("embed_texts = vectors", "function"),
    ],
    "6.9": [
        ("count_second = 2 * count_first", "twice"),
        ("count_first = 651", "count_first"),
        ("count_first = upsert_all", "Call the function"),
        ("count_second = count_first - 100", "count_second"),
        # each batch of documents with the first vectors of all
        (
            "for i in range(0, 300, 100):\n"
            "    qdrant.upsert(collection, points=[make_point(d, v) for d, v in zip(documents[i:i+100], vectors)])",
            "vector of another document",
        ),
        (RECREATE.format(COSINE), "lacks the point"),
    ],
    "6.10": [
        ("stored = [stored]", "first element"),
        ("stored = stored.id", "the point that retrieve finds"),
        ("hits = class_hits", "hits"),
        ("class_hits = hits", "no classes"),
        ("hits = hits[:5]", "10 items"),
        ("hits = [hit.payload['code'] for hit in hits]", "points themselves"),
        ("hits = qdrant.query_points(collection, query=query_vector, limit=10)", "query_points(…).points"),
        ("hits = qdrant.query_points(collection, query=query_vector, limit=10, with_payload=False).points", "payload"),
        ("stored = qdrant.retrieve(collection, ids=[point_id('10.72')])[0]", "10.71"),
    ],
    "6.11": [
        ("candidates_classes = candidates_all", "no classes"),
        ("candidates_all = candidates_all[:, ::-1]", "nearest first"),
        ("candidates_all = candidates_all[:, :1]", "shape"),
        ("candidates_all = np.argsort(-unit(label_vectors) @ unit(vectors).T, axis=1)[:, :5]", "places"),
        ("label_vectors = label_vectors[::-1]", "order"),
        ("recall = recall.with_columns(share=pl.col('share') * 100)", "percentages"),
        ("recall = recall.with_columns(pl.col('k').cast(pl.String))", "String"),
        ("recall = recall.with_columns(share=pl.format('{} %', 'share'))", "String"),
        ("recall = recall.with_columns(levels=pl.lit('all four'))", "about the same"),
        ("recall = recall.with_columns(share=pl.col('share') - 0.05)", "share"),
        ("recall = recall.filter(k=5)", "4 rows"),
        ("recall = recall.to_dicts()", "polars"),
    ],
}

RIGHT = {
    "6.1": [
        "def mask(secret): return secret[:3] * (len(secret) > 7) + '…'",
        "def is_ignored(name):\n    with open('../.gitignore') as file:\n        return any(line.strip() == name for line in file)",
        "settings = settings | {'NACE_URL': os.environ['NACE_URL']}",
    ],
    "6.2": [
        "import httpx; client = client.with_options(timeout=httpx.Timeout(120))",
        "import httpx; client = client.with_options(timeout=httpx.Timeout(120, connect=5))",
        "client = OpenAI(base_url=os.environ['LLMLAB_URL'] + '/', api_key=os.environ['LLMLAB_API_KEY'], timeout=120.0, max_retries=5)",
    ],
    "6.3": [
        # as a client that was made with another spelling of the same folder; a second one cannot open it
        "qdrant.init_options['path'] = Path(qdrant.init_options['path'])",
        "qdrant.init_options['path'] = os.path.relpath(qdrant.init_options['path']) + '/'",
        "collection_names = tuple(collection_names)",
        "collection_names = set(collection_names)",
    ],
    "6.4": [
        "n_of_level = dict(nomenclature['LEVEL'].value_counts().iter_rows())",
        "from collections import Counter; n_of_level = Counter(nomenclature['LEVEL'])",
        "import numpy; n_of_level = {level: numpy.int64(n) for level, n in reversed(n_of_level.items())}",
    ],
    "6.5": [
        """
@dataclass
class NaceDocument:
    excludes: str | None
    includes_also: str | None
    includes: str | None
    parent_code: str | None
    level: int
    heading: str
    code: str

    def __post_init__(self):
        verify(self.code, self.level, self.parent_code)

    @staticmethod
    def from_row(row):
        names = {"CODE": "code", "HEADING": "heading", "PARENT_CODE": "parent_code", "Includes": "includes"}
        names |= {"IncludesAlso": "includes_also", "Excludes": "excludes"}
        texts = {new: "\\n".join((row[old] or "").split("\\\\n")).strip() or None for old, new in names.items()}
        return NaceDocument(level=int(row["LEVEL"]), **texts)

    def to_embedding_text(self, includes_also=True, excludes=False):
        text = self.heading + "\\n"
        for title, note, wanted in [("Includes", self.includes, True), ("Also includes", self.includes_also, includes_also),
                                    ("Excludes", self.excludes, excludes)]:
            text += f"\\n{title}:\\n{note}\\n" if note and wanted else ""
        return text

documents = tuple(NaceDocument.from_row(row) for row in nomenclature.to_dicts())
""",
        "class NaceDocument(NaceDocument):\n    pass\n"
        "documents = [NaceDocument.from_row(row) for row in nomenclature.iter_rows(named=True)]",
    ],
    "6.6": [
        "import numpy; dimension = numpy.int64(dimension)",
        RECREATE.format("models.VectorParams(size=dimension, distance=models.Distance.COSINE, on_disk=True)"),
    ],
    "6.7": [
        "def point_id(code): return uuid.uuid5(uuid.NAMESPACE_URL, 'nace-rev-2.1/' + code)",
        "def make_point(document, vector): return models.PointStruct(id=point_id(document.code), "
        "vector=[float(number) for number in vector], payload={**vars(document), 'text': document.to_embedding_text()})",
        "few_points = tuple(few_points)",
    ],
    "6.8": [
        "from multiprocessing.pool import ThreadPool\n"
        "def embed_texts(texts, batch_size=32, workers=4):\n"
        "    with ThreadPool(workers) as pool:\n"
        "        batches = [texts[i:i+batch_size] for i in range(0, len(texts), batch_size)]\n"
        "        return np.vstack(pool.map(embed_batch, batches, chunksize=1))",
        "def embed_texts(texts, batch_size=32, workers=4):\n"
        "    with ThreadPoolExecutor(max_workers=workers) as pool:\n"
        "        tasks = [pool.submit(embed_batch, texts[i:i+batch_size]) for i in range(0, len(texts), batch_size)]\n"
        "        return [vector for task in tasks for vector in task.result()]",
        "vectors = unit(vectors).astype(float).tolist()",
    ],
    "6.9": ["count_first = np.int64(count_first)", "upsert_all()"],
    "6.10": [
        "hits, class_hits = tuple(hits), tuple(class_hits)",
        "class_hits = qdrant.query_points(collection, query=query_vector, limit=10, with_vectors=True, query_filter=models.Filter("
        "must_not=[models.FieldCondition(key='level', range=models.Range(lt=4))])).points",
    ],
    "6.11": [
        "label_vectors = embed_texts(sample_texts, batch_size=100, workers=1).astype(float)",
        "candidates_all, candidates_classes = candidates_all.tolist(), candidates_classes.tolist()",
        "recall = recall.sort('share').with_columns(pl.col('k').cast(pl.Float64), of=pl.lit(1000))",
    ],
}
