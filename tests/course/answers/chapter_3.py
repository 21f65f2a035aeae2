"""Answers to the questions of chapter 3 that differ from the official ones."""

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
        ("training_config = {'lr': 5e-4}", "TrainingConfig"),
        ("import dataclasses; training_config = dataclasses.replace(training_config, trainer_params=None)", "trainer_params"),
    ],
    "3.3": [
        ("reloaded = classifier", "reloaded"),
        (
            "reloaded = torchTextClassifiers(tokenizer=tokenizer, model_config=model_config, value_encoder=value_encoder)",
            "reloaded",
        ),
        ("with mlflow.start_run() as first_run: pass", "val_accuracy"),
    ],
    "3.4": [
        ("best_classifier = classifier", "60 %"),
        ("runs = runs[['run_id', 'params.lr', 'metrics.val_accuracy']]", "all its columns"),
        ("runs = runs.assign(**{'params.lr': '0.003'})", "ten times as large"),
        ("best_classifier = best_id", "best_classifier"),
        ("runs = runs.head(1)", "three"),
        ("runs = list(runs)", "search_runs"),
    ],
    "3.5": [
        ("baseline_accuracy = (baseline.predict(X_val) == y_val).sum()", "share"),
        ("baseline_accuracy = (baseline.predict(X_train[:2000]) == y_train[:2000]).mean()", "training set"),
        ("network_accuracy = first_accuracy", "network_accuracy"),
    ],
}

RIGHT = {}
