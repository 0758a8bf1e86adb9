"""Packaging from settings.ini, the one home of name, version and requirements."""

from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
config = ConfigParser()
config.read(here / "settings.ini", encoding="utf-8")
settings = config["DEFAULT"]


def lines(name: str) -> list[str]:
    return [line for line in settings[name].splitlines() if line.strip()]


USERS_EXTRAS = ("track", "tune", "distributed", "onnx", "serve")
extras = {extra: lines(f"{extra}_requirements") for extra in (*USERS_EXTRAS, "docs")}
everything = [line for extra in USERS_EXTRAS for line in extras[extra]]

setup(
    name=settings["lib_name"],
    version=settings["version"],
    description=settings["description"],
    long_description=(here / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author=settings["author"],
    license_expression=settings["license"],
    keywords=settings["keywords"],
    packages=find_packages(include=["fastdigits", "fastdigits.*"]),
    package_data={
        "fastdigits": ["reports/*.html", "figures/*.mplstyle", "sources/*.npz", "models/weights/*/*", "pages/assets/*"]
    },
    python_requires=f">={settings['min_python']},<{settings['max_python']}",
    install_requires=lines("requirements"),
    extras_require={**extras, "all": everything, "dev": lines("dev_requirements") + everything + extras["docs"]},
    entry_points={"console_scripts": lines("console_scripts")},
)
