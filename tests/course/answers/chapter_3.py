"""Answers to the questions of chapter 3 that differ from the official ones."""

COLD = """
import funathon.supervised.runs as _runs
from funathon.course.chapters import find_chapter, read_chapter
_newest, _runs.newest_run = _runs.newest_run, lambda *args, **options: None
try:
    exec(read_chapter(find_chapter("3")).questions["{}"].shortcut)
finally:
    _runs.newest_run = _newest
"""
"""What `catch_up` runs where MLflow has no earlier run."""

WRONG = {
    "3.1": [
        ("model_config = ModelConfig(embedding_dim=10, num_classes=value_encoder.num_classes)", "96"),
        ("model_config = ModelConfig(embedding_dim=96, num_classes=2)", "num_classes"),
        ("classifier = torchTextClassifiers", "classifier"),
        ("classifier = torchTextClassifiers(tokenizer=tokenizer, model_config=model_config)", "value_encoder"),
    ],
    "3.2": [
        ("training_config = TrainingConfig(num_epochs=1, batch_size=256, lr=5e-4)", "num_workers"),
        ("import dataclasses; training_config = dataclasses.replace(training_config, lr=0.5)", "lr"),
        ("import dataclasses; training_config = dataclasses.replace(training_config, save_path='first')", "save_path"),
        ("training_config = {'lr': 5e-4}", "TrainingConfig"),
        ("import dataclasses; training_config = dataclasses.replace(training_config, trainer_params=None)", "trainer_params"),
    ],
    "3.3": [
        ("reloaded = classifier", "reloaded"),
        (
            "reloaded = torchTextClassifiers(tokenizer=tokenizer, model_config=model_config, value_encoder=value_encoder)",
            "reloaded",
        ),
        ("reloaded = torchTextClassifiers.load(training_config.save_path)", "your own folder"),
        ("reloaded = torchTextClassifiers.load(str(training_config.save_path))", "your own folder"),
        ("with mlflow.start_run() as first_run: pass", "val_accuracy"),
        (
            "with mlflow.start_run() as first_run: mlflow.log_metric('val_accuracy', 0.1); mlflow.log_param('output_dim', 10)",
            "vocab_size",
        ),
    ],
    "3.4": [
        ("rate_id = first_run.info.run_id", "0.0005"),
        ("rows_id = rate_id", "large_tokenizer"),
        ("rate_id = rows_id", "learning rate only"),
        ("rate_id = 'larger learning rate'", "none of that id"),
        ("rate_gain = rate_gain * 100", "rate_gain"),
        ("rows_gain = rows_gain + rate_gain", "rows_gain"),
    ],
    "3.5": [
        ("best_classifier = classifier", "60 %"),
        ("best_classifier = best_id", "best_classifier"),
        ("best_id = rows_id", "another run"),
        ("best_id = 'vectors that know English'", "none of that id"),
        (
            "with mlflow.start_run() as run: mlflow.log_metric('val_accuracy', mlflow.get_run(best_id).data.metrics['val_accuracy'])\n"
            "best_id = run.info.run_id",
            "keep_model",
        ),
    ],
    "3.6": [
        ("runs = runs[['run_id', 'params.lr', 'metrics.val_accuracy']]", "all its columns"),
        ("runs = runs[runs['run_id'] != best_id]", "best_id"),
        ("runs = runs.head(1)", "lacks"),
        ("import pandas; runs = pandas.concat([runs, runs.head(1)])", "four runs"),
        ("runs = list(runs)", "search_runs"),
        ("runs_figure = plt.figure()", "nothing has been drawn"),
    ],
    "3.7": [
        ("baseline_accuracy = (baseline.predict(X_val) == y_val).sum()", "share"),
        ("baseline_accuracy = (baseline.predict(X_train[:2000]) == y_train[:2000]).mean()", "training set"),
        ("network_accuracy = mlflow.get_run(rate_id).data.metrics['val_accuracy']", "network_accuracy"),
        (
            "baseline = make_pipeline(TfidfVectorizer(), SGDClassifier(loss='log_loss', max_iter=3, tol=None, n_jobs=-1)); "
            "baseline.fit(X_train, y_train); baseline_accuracy = (baseline.predict(X_val) == y_val).mean()",
            "alpha",
        ),
    ],
}

RIGHT = {
    "3.1": [
        "classifier = torchTextClassifiers(tokenizer, model_config, value_encoder=value_encoder)",
        "model_config = ModelConfig(embedding_dim=np.int64(96), num_classes=len(value_encoder.label_encoder.classes_))",
    ],
    "3.2": [
        "import dataclasses; training_config = dataclasses.replace(training_config, save_path=str(folder / 'first'))",
        "import dataclasses; training_config = dataclasses.replace(training_config, batch_size=np.int64(256), lr=0.0005)",
    ],
    "3.3": [
        "first_run = mlflow.get_run(first_run.info.run_id)",
        "reloaded = torchTextClassifiers.load("
        "mlflow.artifacts.download_artifacts(artifact_uri=f'{first_run.info.artifact_uri}/model'), device='cpu')",
    ],
    "3.4": [
        "rate_gain, rows_gain = float(rate_gain), round(float(rows_gain), 2)",
        "rate_gain = accuracies[1] - accuracies[0]; rows_gain = np.float32(accuracies[2] - accuracies[1])",
        COLD.format("3.4"),
    ],
    "3.5": [
        "best_classifier = torchTextClassifiers.load(mlflow.artifacts.download_artifacts(run_id=best_id, artifact_path='model'))",
        COLD.format("3.5"),
    ],
    "3.6": [
        "runs = mlflow.search_runs(experiment_names=['nace-training']); "
        "runs = runs.query('run_id in @ids', local_dict={'ids': [first_run.info.run_id, rate_id, rows_id, best_id]})",
        "runs = runs.sample(frac=1); runs_figure = bars",
        "runs_figure = plt.subplots()[1]; runs_figure.bar(runs['run_id'], runs['metrics.val_accuracy'])",
    ],
    "3.7": [
        "baseline_accuracy, network_accuracy = round(float(baseline_accuracy), 3), np.float32(network_accuracy)",
        "from sklearn.pipeline import Pipeline; baseline = Pipeline(baseline.steps); baseline_accuracy = baseline.score(X_val, y_val)",
    ],
}
