"""Training a recipe from nothing, or going on from weights of the same network, in one stage."""

from dataclasses import replace

from ..folders import TRAIN, VALID, ImageFolder
from ..models import NONE, file_part, find_backbone
from ..recipes import Stage, find_recipe, peak_of, without_valid
from ..system import InputError
from .arguments import TrainArguments
from .method import Method
from .options import LEARNER_OPTIONS, Rules, chosen_options, chosen_rules, enough_steps


class Scratch(Method):
    """What `train` does."""

    def __init__(self, arguments: TrainArguments, lasting: bool = True):
        super().__init__(arguments, lasting)
        if arguments.weights != NONE and arguments.scaling:
            raise InputError("--scaling comes with the weights that training goes on from; leave it out")
        self.recipe = find_recipe(arguments.recipe, arguments.command)
        self.backbone = find_backbone(self.recipe.arch)
        self.name = file_part(arguments.recipe)
        self.stage = self._stage(self.recipe.stages[0])

    def choose(self, folder: ImageFolder, record: dict) -> dict:
        rules, stage = chosen_rules(self.arguments, self.recipe), self.stage
        if VALID not in folder.splits:
            rules, stage = _trained_blindly(rules, stage)
        options = {**chosen_options(LEARNER_OPTIONS, record, self.recipe), "whole": True}
        if self.recipe.published is None:  # so that no published numbers hold it to its steps
            enough = enough_steps(self.recipe, len(folder.split(TRAIN)), record["batch_size"])
            options["batch_size"] = enough["batch_size"]
            stage = stage if self.arguments.epochs else replace(stage, epochs=enough["epochs"])
        return {"options": options, "plan": lambda prepared: [stage], "rules": rules}

    def _stage(self, published: Stage) -> Stage:
        """The one stage of a recipe, with the user's changes."""
        arguments = self.arguments
        schedule = arguments.schedule or published.schedule
        peak, lr = peak_of(schedule), arguments.lr
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
