"""Finding an earlier training in MLflow, so that it need not be done again."""

import mlflow


def newest_run(
    experiment: str, name: str, *, with_model: bool = False, least_accuracy: float | None = None, **params: object
) -> str | None:
    """The id of the newest finished run called `name` in an experiment, or None.

    It has each of `params` as logged; where `least_accuracy` is given, a `val_accuracy` (share of the validation set coded rightly)
    above it; and, if `with_model`, files in its folder `model` that can still be fetched.
    """
    conditions = [
        f"attributes.run_name = '{name}'",
        "attributes.status = 'FINISHED'",
        *(f"params.{key} = '{value}'" for key, value in params.items()),
    ]
    if least_accuracy is not None:
        conditions.append(f"metrics.val_accuracy > {least_accuracy}")
    runs = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=" and ".join(conditions),
        order_by=["attributes.start_time DESC"],
        output_format="list",
    )
    client = mlflow.MlflowClient()
    ids = (run.info.run_id for run in runs)
    return next((run_id for run_id in ids if not with_model or client.list_artifacts(run_id, "model")), None)
