"""Training a recipe from nothing, or going on from weights of the same network, in one stage."""

from dataclasses import replace

from ..folders import VALID, ImageFolder
from ..models import NONE, file_part, find_backbone
from ..recipes import Stage, find_recipe, peak_of, without_valid
from ..system import InputError
from .arguments import TrainArguments
from .folder import check_valid
from .options import LEARNER_OPTIONS, Rules, chosen_options, chosen_rules
from .run import Training


class Scratch:
    """What `train` does with its arguments, which are checked here as far as they need no data.

    Attributes
    ----------
    name : str
        Of the run directory, unless the user names it.
    draw : bool
        Whether a run gets its figures.
    """

    def __init__(self, arguments: TrainArguments, draw: bool = True):
        if arguments.weights != NONE and arguments.scaling:
            raise InputError("--scaling comes with the weights that training goes on from; leave it out")
        self.arguments, self.draw = arguments, draw
        self.recipe = find_recipe(arguments.recipe, arguments.command)
        self.backbone = find_backbone(self.recipe.arch)
        self.name = file_part(arguments.recipe)
        self.stage = self._stage(self.recipe.stages[0])

    def training(self, folder: ImageFolder, **changes) -> Training:
        """What is trained on a folder; `changes` to the arguments, such as a fold's number, are recorded with them."""
        arguments = self.arguments
        check_valid(folder, arguments)
        rules, stage = chosen_rules(arguments, self.recipe), self.stage
        if VALID not in folder.splits:
            rules, stage = _trained_blindly(rules, stage)
        record = arguments.record() | changes
        return Training(
            folder,
            self.backbone,
            record,
            options={**chosen_options(LEARNER_OPTIONS, record, self.recipe), "whole": True},
            plan=lambda prepared: [stage],
            rules=rules,
            on_epoch=arguments.on_epoch,
            draw=self.draw,
        )

    def _stage(self, published: Stage) -> Stage:
        """The one stage of a recipe, with the user's changes."""
        arguments = self.arguments
        schedule = arguments.schedule or published.schedule
        peak = peak_of(schedule)
        lr = arguments.lr
        if lr is None:
            lr = peak or published.lr[1]
        return replace(published, epochs=arguments.epochs or published.epochs, lr=(lr, lr), schedule=schedule)


def _trained_blindly(rules: Rules, stage: Stage) -> tuple[Rules, Stage]:
    """A recipe's rules and stage for a folder without valid pictures: nothing in them looks at valid."""
    schedule = without_valid(stage.schedule)
    if schedule != stage.schedule or rules.early_stopping or rules.keep != "last":
        rate = ", train loss lowers the rate" if schedule != stage.schedule else ""
        print(f"no valid pictures: all epochs are trained, the last one's weights kept{rate}")
    return replace(rules, early_stopping=None, keep="last"), replace(stage, schedule=schedule)
