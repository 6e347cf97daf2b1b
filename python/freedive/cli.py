"""The command `freedive`: train, bench, info. Bad input is one line on stderr; exit code 2 for usage, else 1."""

from __future__ import annotations

import argparse
import os
import sys

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without repeating the whole usage."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2 and one line."""
        self.exit(USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if argv[:1] == ["bench"]:  # has options of its own
        return _guarded("bench", lambda: _bench(argv[1:]))
    try:
        parser = _parser()
        args = parser.parse_args(argv)
        if args.command == "train" and args.momentum and args.optimizer != "sgd":
            parser.error(f"argument --momentum: is for --optimizer sgd; {args.optimizer} has its own")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else USAGE
    return _guarded(args.command, lambda: args.run(args))


def _guarded(command: str, run: Callable[[], int]) -> int:
    try:
        return run()
    except KeyboardInterrupt:
        print(f"\nfreedive {command}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (OSError, ValueError, TypeError, RuntimeError, ArithmeticError, ImportError, MemoryError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        print(f"freedive {command}: {text}", file=sys.stderr)
        return FAILED


# -- train --------------------------------------------------------------------------------------------------------


def _train(args: argparse.Namespace) -> int:
    from freedive.training import recipe
    from freedive.training.trainer import Trainer

    recipe.fill_defaults(args)
    if args.threads is not None:
        fd.set_num_threads(args.threads)
    fd.manual_seed(args.seed)
    data = recipe.Images(args.data, args.batch_size, args.data_dir)
    os.makedirs(args.out, exist_ok=True)
    model = recipe.build_model(args)
    if not args.quiet:
        _announce(args, data)
    trainer = Trainer(
        args.epochs,
        device=args.device,
        checkpoint=args.checkpoint,
        checkpoint_every=args.checkpoint_every,
        resume=args.resume,
        progress=not args.quiet,
        log=os.path.join(args.out, "loss.csv"),
    )
    try:
        trainer.fit(model, data)
    except KeyboardInterrupt:
        if args.checkpoint is not None and os.path.exists(args.checkpoint):
            print(f"\n{args.checkpoint} holds the run so far: go on with --resume", file=sys.stderr)
        raise
    _leave_files(args, trainer)
    return OK


def _announce(args: argparse.Namespace, data: Any) -> None:
    if args.resume:
        there = os.path.exists(args.checkpoint)
        print(f"resuming from {args.checkpoint}" if there else f"no {args.checkpoint} yet: starting from the beginning")
    hidden = f", hidden {','.join(map(str, args.hidden))}" if args.model == "mlp" else ""
    print(
        f"{args.model} on {args.data}: {len(data.train):,} training and {len(data.val):,} held-out images; "
        f"{args.optimizer}, lr {args.lr:g}, batch {args.batch_size}{hidden}, seed {args.seed}",
        flush=True,
    )


def _leave_files(args: argparse.Namespace, trainer: Any) -> None:
    from freedive.training.recipe import save_model

    save_model(os.path.join(args.out, "model.safetensors"), trainer.model)
    written = ["loss.csv", "model.safetensors"]
    try:
        trainer.model.board.save(os.path.join(args.out, "curve.png"))
        written.append("curve.png")
    except ImportError as missing:
        print(f"no picture of the curve: {missing}")
    if trainer.history:
        print(f"validation accuracy {trainer.history[-1]['val_acc']:.4f}")
    if not args.quiet:
        print(f"wrote {', '.join(written)} to {args.out}")


# -- info and bench -----------------------------------------------------------------------------------------------


def _info(args: argparse.Namespace) -> int:
    fd.show_config()
    return OK


def _bench(argv: list[str]) -> int:
    from freedive.testing.bench import main as bench

    return bench(argv)


# -- arguments ----------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="freedive", description="Train neural networks on hand-written kernels.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"freedive {fd.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    _add_train(commands.add_parser("train", help="train a classifier of images", allow_abbrev=False))
    info = commands.add_parser("info", help="show version, instruction set, threads and devices")
    info.set_defaults(run=_info)
    commands.add_parser("bench", help="time the kernels against NumPy, PyTorch and JAX", add_help=False)
    return parser


def _add_train(train: argparse.ArgumentParser) -> None:
    from freedive.training.recipe import DATA, MODELS, OPTIMIZERS

    train.description = "Train a classifier; leaves loss.csv, curve.png and model.safetensors in the output folder."
    train.set_defaults(run=_train)
    add = train.add_argument
    add("--data", choices=DATA, default="digits", help="data set; digits comes with the package (default)")
    add("--model", choices=MODELS, default="mlp", help="linear: least squares on one-hot labels (default: mlp)")
    add("--epochs", type=_number(int, 1), help="passes over the training images")
    add("--batch-size", type=_number(int, 1), help="images per step")
    add("--lr", type=_number(float, 0, open_end=True), help="learning rate")
    add("--optimizer", choices=OPTIMIZERS, default="sgd")
    add("--momentum", type=_number(float, 0, 1), default=0.0, help="of sgd")
    add("--weight-decay", type=_number(float, 0), default=0.0, help="L2 penalty on weights; biases are spared")
    add("--hidden", type=_sizes, metavar="N[,N...]", help="units of the mlp's hidden layers")
    add("--dropout", type=_number(float, 0, 1), default=0.0, help="after each hidden layer of the mlp")
    add("--seed", type=_number(int, 0), default=0, help="the same seed gives the same parameters, bit for bit")
    add("--device", choices=("cpu", "cuda"), help="default: cpu")
    add("--threads", type=_number(int, 1), help="default: all cores, or FREEDIVE_NUM_THREADS")
    add("--data-dir", help="folder searched first for the data files, and where a download goes")
    add("--out", help="output folder (default: runs/DATA-MODEL)")
    add("--checkpoint", nargs="?", const="", metavar="FILE", help="save the run's state after each epoch")
    add("--checkpoint-every", type=_number(int, 1), metavar="STEPS", help="save it after every so many steps too")
    add("--resume", action="store_true", help="go on from the checkpoint if there is one")
    add("--quiet", action="store_true", help="print the result only")


def _number(kind: type, least: float, most: float = float("inf"), open_end: bool = False) -> Callable[[str], Any]:
    """A parser of numbers from `least` to `most`; with open_end, `least` itself is refused."""
    name = "an integer" if kind is int else "a number"
    bounds = f"{'>' if open_end else '≥'} {least:g}" + (f" and ≤ {most:g}" if most < float("inf") else "")

    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = float("nan")
        fits = least < value if open_end else least <= value
        if not (fits and value <= most and value != float("inf")):
            raise argparse.ArgumentTypeError(f"must be {name} {bounds}, got {text!r}")
        return value

    return parse


def _sizes(text: str) -> tuple[int, ...]:
    parse = _number(int, 1)
    return tuple(parse(part.strip()) for part in text.split(","))
