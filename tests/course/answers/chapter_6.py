"""Answers to the questions of chapter 6 that differ from the official ones."""

WRONG = {
    "6.1": [
        ("settings = settings | {'LLMLAB_API_KEY': os.environ['LLMLAB_API_KEY']}", "masked"),
        ("def mask(secret): return secret[:3] + '…'", "shorter"),
        ("def mask(secret): return '***'", "mask"),
        ("settings = {k: v for k, v in settings.items() if k != 'CHAT_MODEL'}", "CHAT_MODEL"),
        ("env_is_ignored = not env_is_ignored", "env_is_ignored"),
    ],
    "6.2": [
        ("client = OpenAI(base_url='https://api.openai.com/v1', api_key='x', timeout=120, max_retries=5)", "LLMLAB_URL"),
        ("client = OpenAI(base_url=os.environ['LLMLAB_URL'], api_key=os.environ['LLMLAB_API_KEY'])", "timeout"),
        ("client = client.with_options(max_retries=2)", "max_retries"),
        ("client = client.with_options(api_key='password')", "LLMLAB_API_KEY"),
        ("client = os.environ['LLMLAB_URL']", "OpenAI"),
    ],
    "6.3": [
        ("model_ids = list(client.models.list())", "ids"),
        ("model_ids = model_ids[::-1]", "sorted"),
        ("model_ids = model_ids[:1]", "model_ids"),
        ("missing_models = model_ids", "missing_models"),
    ],
    "6.4": [
        ("qdrant = QdrantClient(':memory:')", "memory"),
        ("import tempfile; qdrant = QdrantClient(path=tempfile.mkdtemp())", "chapter-6"),
        ("qdrant = os.environ['QDRANT_PATH']", "QdrantClient"),
        ("collection_names = qdrant.get_collections()", "list"),
        ("collection_names = ['nace']", "collection_names"),
    ],
    "6.5": [
        ("nomenclature = nomenclature.with_columns(pl.col('LEVEL').cast(pl.Int64))", "text"),
        ("nomenclature = nomenclature.rename({'CODE': 'code'})", "CODE"),
        ("n_of_level = {int(k): v for k, v in n_of_level.items()}", "n_of_level"),
        ("n_of_level = nomenclature.group_by('LEVEL').len()", "dictionary"),
    ],
    "6.6": [
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
    "6.7": [
        ("text_with = text_without", "excludes=True"),
        ("text_without, text_with = text_with, text_without", "text_without"),
        ("text_without = bread.to_embedding_text", "texts"),
    ],
    "6.8": [
        ("dimension = 1536", "dimension"),
        ("collection = 'nace'", "collection"),
        ("collection = qdrant.get_collection(collection)", "name"),
        (
            "collection = 'other'; qdrant.delete_collection(collection); qdrant.create_collection(collection, "
            "vectors_config=models.VectorParams(size=dimension, distance=models.Distance.DOT))",
            "cosine",
        ),
    ],
    "6.9": [
        ("few_similarities = few_vectors @ few_vectors.T * 4", "diagonal"),
        ("few_vectors = few_vectors[::-1]", "order"),
        ("few_similarities = np.corrcoef(few_vectors)", "cosine"),
        ("embed_batch = lambda texts, one=embed_batch: np.vstack([one([text]) for text in texts])", "one request"),
        ("few_vectors = few_vectors[0]", "shape"),
        ("few_similarities = few_similarities[0]", "shape"),
        ("def embed_batch(texts): return few_vectors", "embed_batch"),
    ],
    "6.10": [
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
    "6.11": [
        ("vectors = vectors[::-1]", "order"),
        ("vectors = vectors[:651]", "shape"),
        ("seconds = {'one a request': 3.0}", "seconds"),
        ("seconds = list(seconds.values())", "dictionary"),
        ("def embed_texts(texts, batch_size=32, workers=4): return embed_batch(texts)[::-1]", "order"),
        ("def embed_texts(texts, batch_size=32, workers=4): return embed_batch(texts[:batch_size])", "shape"),
    ],
    "6.12": [
        ("count_second = 2 * count_first", "twice"),
        ("count_first = 651", "count_first"),
        ("count_first = upsert_all", "number"),
        ("count_second = count_first - 100", "count_second"),
    ],
    "6.13": [
        ("stored = [stored]", "first element"),
        ("hits = class_hits", "hits"),
        ("class_hits = hits", "no classes"),
        ("hits = hits[:5]", "ten"),
        ("stored = qdrant.retrieve(collection, ids=[point_id('10.72')])[0]", "10.71"),
    ],
    "6.14": [
        ("candidates_classes = candidates_all", "no classes"),
        ("candidates_all = candidates_all[:, ::-1]", "nearest first"),
        ("candidates_all = candidates_all[:, :1]", "shape"),
        ("label_vectors = label_vectors[::-1]", "order"),
        ("recall = recall.with_columns(share=pl.col('share') * 1000)", "Retriever@1"),
        ("recall = recall.filter(k=5)", "four rows"),
        ("recall = recall.to_dicts()", "polars"),
    ],
}

RIGHT = {}
