"""The shape of the source tree: rooms of a readable size, no import circles, one name for one thing."""

import ast
import collections
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "oomtop"
MOST_MODULES = 15
MOST_LINES = 400
LARGE = {"host", "commands"}


def sources() -> dict[str, Path]:
    return {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}


def imports(path: Path, modules: dict[str, Path]) -> set[str]:
    """Return the modules of the package that a module imports, wherever in it the statement stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & modules.keys()


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return the modules that are left when all that import nothing of the rest are taken away again and again."""
    left = dict(graph)
    while leaves := [name for name, wanted in left.items() if not wanted & left.keys() - {name}]:
        for name in leaves:
            del left[name]
    return sorted(left)


def test_a_package_has_at_most_fifteen_modules() -> None:
    sizes = {
        str(folder.relative_to(PACKAGE)): len([path for path in folder.glob("*.py") if path.name != "__init__.py"])
        for folder in (PACKAGE, *(path.parent for path in PACKAGE.rglob("__init__.py")))
    }
    assert {name: size for name, size in sizes.items() if size > MOST_MODULES and name not in LARGE} == {}


def test_a_module_has_at_most_four_hundred_lines() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in sources().items()}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_import_circle() -> None:
    modules = sources()
    graph = {name: imports(path, modules) - {name} for name, path in modules.items()}
    assert circle(graph) == []
    assert circle({"a": {"b"}, "b": {"a"}, "c": {"a"}, "d": set()}) == ["a", "b", "c"]


def test_no_public_class_name_twice() -> None:
    places = collections.defaultdict(list)
    for module, path in sources().items():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
