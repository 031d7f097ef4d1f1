"""`hmnet`: the multi-task model that follows the clusters, next to its baselines."""

from cli import analysis
from cli.add_task import add_task
from cli.answering import predict
from cli.app import new_app, run
from cli.commands import command
from cli.curves import curves
from cli.export import export
from cli.pretrain import pretrain
from cli.probe import probe
from cli.push import push
from cli.scoring import compare, evaluate
from cli.submit import submit
from cli.training import count, train

app = new_app(
    "hmnet", "Train the model whose layers follow the clusters, score it, ask it, export it."
)


def main() -> None:
    """Entry point of `hmnet`."""
    run(app, "hmnet")


for each in (
    train,
    evaluate,
    predict,
    export,
    compare,
    count,
    add_task,
    pretrain,
    probe,
    push,
    submit,
    analysis.diagnose,
    analysis.attention,
    curves,
    analysis.similarity,
    analysis.sweep,
):
    command(app)(each)
