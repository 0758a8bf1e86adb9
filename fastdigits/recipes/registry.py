"""Recipes by name: the published ones and our own."""

import difflib
from dataclasses import replace

from ..system import InputError
from .definition import Recipe
from .own import OWN_RECIPES
from .published import PUBLISHED_RECIPES

RECIPES = PUBLISHED_RECIPES | OWN_RECIPES


def find_recipe(name: str, command: str | None = None) -> Recipe:
    """The recipe called `name`; InputError when there is none, or it belongs to another command than `command`.

    Settings of its network may follow, as `conv5x5:filters=64-128`; whether they are right, the network knows.
    """
    name, _, settings = name.partition(":")
    if name not in RECIPES:
        known = [key for key, recipe in RECIPES.items() if command in (None, recipe.command)]
        near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
        hint = f"near are {', '.join(near)}; " if near else ""
        raise InputError(f"{name!r} is no recipe; {hint}there are {', '.join(known)}")
    recipe = RECIPES[name]
    if command and recipe.command != command:
        raise InputError(f"{name} is a recipe of `fastdigits {recipe.command}`; run that")
    return replace(recipe, arch=f"{recipe.arch}:{settings}") if settings else recipe
