"""Training from weights that know something, in stages: first the head, then all of the network."""

from ..folders import TRAIN, VALID, ImageFolder
from ..models import NONE
from ..recipes import DIGIT_LR, default_batch_size, default_epochs, find_schedule, plan_stages, without_valid
from ..system import InputError
from .arguments import FinetuneArguments
from .folder import check_valid
from .learner import find_preset, run_name
from .options import DEFAULTS, LEARNER_OPTIONS, chosen_options, chosen_rules
from .run import Training

STAGE_OPTIONS = ("epochs", "head_epochs", "last_epochs", "lr", "lr_mult", "schedule")  # what plans the stages


class Transfer:
    """What `finetune` does with its arguments, which are checked here as far as they need no data.

    Attributes
    ----------
    name : str
        Of the run directory, unless the user names it.
    draw : bool
        Whether a run gets its figures.
    """

    def __init__(self, arguments: FinetuneArguments, draw: bool = True):
        self.arguments, self.draw = arguments, draw
        self.backbone, self.preset = find_preset(arguments.arch)
        self.name = run_name(arguments.arch)
        if arguments.minutes is not None and self.preset:
            raise InputError(f"--minutes cannot set the epochs of the preset {arguments.arch}; leave it out")
        if arguments.weights != NONE and arguments.scaling:
            raise InputError("--scaling comes with the weights; leave it out, or pass --weights none")
        if arguments.last_epochs is not None and not self.preset:
            raise InputError("--last-epochs are of the preset resnet50-kannada; leave them out")
        if arguments.schedule:
            find_schedule(arguments.schedule)

    def training(self, folder: ImageFolder, **changes) -> Training:
        """What is trained on a folder; `changes` to the arguments, such as a fold's number, are recorded with them."""
        arguments, preset = self.arguments, self.preset
        check_valid(folder, arguments)
        record = arguments.record() | changes
        options = chosen_options(LEARNER_OPTIONS, record, preset)
        planned = {name: record[name] for name in STAGE_OPTIONS}
        if not preset:
            rows = len(folder.split(TRAIN))
            options["batch_size"] = arguments.batch_size or default_batch_size(rows)
            planned["epochs"] = arguments.epochs or default_epochs(rows, options["batch_size"])
        if arguments.schedule and VALID not in folder.splits:
            planned["schedule"] = without_valid(arguments.schedule)
            if planned["schedule"] != arguments.schedule:
                print("no valid pictures: the train loss lowers the rate")
        return Training(
            folder,
            self.backbone,
            record,
            options,
            plan=lambda prepared: plan_stages(
                prepared.transferred,
                published=preset.stages if preset else (),
                of_digits=prepared.of_digits,
                digit_lr=DIGIT_LR if options["optimizer"].startswith(DEFAULTS["optimizer"]) else None,
                **planned,
            ),
            rules=chosen_rules(arguments, preset),
            on_epoch=arguments.on_epoch,
            draw=self.draw,
        )
