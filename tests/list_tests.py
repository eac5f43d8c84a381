"""Names the Python tests of a folder for ctest, one line each:

    module.Class.method;seconds allowed;serial or parallel
"""

import ast
import pathlib
import sys

USUAL_LIMIT_SECONDS = 120


def marks(method):
    """What the decorators of a test ask for."""
    seconds, mode = USUAL_LIMIT_SECONDS, "parallel"
    for decorator in method.decorator_list:
        if isinstance(decorator, ast.Name) and decorator.id == "serial":
            mode = "serial"
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "limit":
            seconds = ast.literal_eval(decorator.args[0])
    return seconds, mode


for path in sorted(pathlib.Path(sys.argv[1]).glob("test_*.py")):
    for node in ast.parse(path.read_text()).body:
        for method in node.body if isinstance(node, ast.ClassDef) else []:
            if isinstance(method, ast.FunctionDef) and method.name.startswith("test_"):
                print(f"{path.stem}.{node.name}.{method.name}", *marks(method), sep=";")
