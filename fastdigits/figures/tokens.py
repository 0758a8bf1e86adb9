"""Design tokens: the colours of light and dark pages, spaces and sizes of type, by name, and as CSS variables."""

from types import MappingProxyType

LIGHT = MappingProxyType(
    {
        "paper": "#ffffff",
        "field": "#f3f5f8",
        "text": "#191c21",
        "quiet": "#535a65",
        "line": "#c9ced6",
        "edge": "#868d98",
        "accent": "#1b5cb0",
        "on-accent": "#ffffff",
        "doubt": "#a33200",
        "good": "#1d6b3a",
    }
)
DARK = MappingProxyType(
    {
        "paper": "#14171b",
        "field": "#1f242a",
        "text": "#e9ebee",
        "quiet": "#a9b0ba",
        "line": "#414852",
        "edge": "#6b7480",
        "accent": "#82b4f2",
        "on-accent": "#0e2038",
        "doubt": "#ffb287",
        "good": "#8fd3a5",
    }
)
SPACES = MappingProxyType({"s1": ".25rem", "s2": ".5rem", "s3": "1rem", "s4": "1.5rem", "s5": "2.5rem"})
TYPE = MappingProxyType(
    {
        "small": ".875rem",
        "normal": "1rem",
        "large": "1.25rem",
        "larger": "1.6rem",
        "sans": 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
        "mono": "ui-monospace, SFMono-Regular, Menlo, monospace",
        "radius": ".5rem",
    }
)


def tokens_css() -> str:
    """The tokens as CSS variables of the root, such as `--accent`, dark ones where the reader wants dark pages."""
    light = _variables({**LIGHT, **SPACES, **TYPE})
    return (
        f":root {{ color-scheme: light dark; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}\n"
        # paper is light, and so is what is printed on it
        f"@media print {{ :root {{ color-scheme: light; {_variables(LIGHT)} }} }}\n"
    )


def luminance(colour: tuple[float, ...]) -> float:
    """Relative luminance of red, green and blue 0..1, as WCAG 2 defines it: 0 black, 1 white."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _variables(tokens: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in tokens.items())
