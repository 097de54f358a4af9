import importlib.util
import pathlib
import sys

# The tests of this folder share `children`; with importmode=importlib nothing puts the folder on the path.
_spec = importlib.util.spec_from_file_location("children", pathlib.Path(__file__).parent / "children.py")
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules["children"] = _module
_spec.loader.exec_module(_module)
