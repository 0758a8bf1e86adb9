"""Training from weights that know something, in stages: first the head, then all of the network."""

from ..folders import TRAIN, VALID, ImageFolder
from ..models import NONE, shipped_names
from ..recipes import DIGIT_LR, find_schedule, plan_stages, without_valid
from ..system import InputError
from .arguments import FinetuneArguments
from .learner import find_preset
from .method import Method
from .options import (
    DEFAULTS,
    LEARNER_OPTIONS,
    chosen_options,
    chosen_rules,
    default_batch_size,
    default_epochs,
)

STAGE_OPTIONS = ("epochs", "head_epochs", "last_epochs", "lr", "lr_mult", "schedule")  # what plans the stages


class Transfer(Method):
    """What `finetune` does."""

    def __init__(self, arguments: FinetuneArguments, lasting: bool = True):
        super().__init__(arguments, lasting)
        self.backbone, self.preset = find_preset(arguments.arch)
        named = self.preset or arguments.arch in shipped_names()
        self.name = arguments.arch if named else self.backbone.file_name
        if arguments.minutes is not None and self.preset:
            raise InputError(f"--minutes cannot set the epochs of the preset {arguments.arch}; leave it out")
        if arguments.weights != NONE and arguments.scaling:
            raise InputError("--scaling comes with the weights; leave it out, or pass --weights none")
        if arguments.last_epochs is not None and not self.preset:
            raise InputError("--last-epochs are of the preset resnet50-kannada; leave them out")
        if arguments.schedule:
            find_schedule(arguments.schedule)

    def choose(self, folder: ImageFolder, record: dict) -> dict:
        options = self.learner_options(folder, record)
        planned = {name: record[name] for name in STAGE_OPTIONS}
        if not self.preset:
            planned["epochs"] = record["epochs"] or default_epochs(len(folder.split(TRAIN)), options["batch_size"])
        if record["schedule"] and VALID not in folder.splits:
            planned["schedule"] = without_valid(record["schedule"])
            if planned["schedule"] != record["schedule"]:
                print("no valid pictures: the train loss lowers the rate")

        def plan(prepared):
            return plan_stages(
                prepared.transferred,
                published=self.preset.stages if self.preset else (),
                of_digits=prepared.of_digits,
                digit_lr=DIGIT_LR if options["optimizer"].startswith(DEFAULTS["optimizer"]) else None,
                **planned,
            )

        return {"options": options, "plan": plan, "rules": chosen_rules(self.arguments, self.preset)}

    def learner_options(self, folder: ImageFolder, record: dict) -> dict:
        """Options of `prepare_learner`."""
        options = chosen_options(LEARNER_OPTIONS, record, self.preset)
        if not self.preset:
            options["batch_size"] = record["batch_size"] or default_batch_size(len(folder.split(TRAIN)))
        return options
