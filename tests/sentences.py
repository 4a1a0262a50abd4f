"""Finds sentences that reach people and do not come from the catalogs."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser

# What a person reads has letters, and either Chinese or a space between two words.
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_SENTENCE = re.compile(r"[A-Za-z’']{2,}[,.:;!?]? +[A-Za-z{]|^[A-Z][a-z]+$")
# HTTP's and CSP's own words.
_PROTOCOL = re.compile(r"'(none|self)'|max-age|charset=|^(event|id): |^bytes |^Accept-")
_TRANSLATES = {"_", "N_", "gettext", "ngettext", "lazy_gettext", "in_both", "is_label"}
# Spoken to programs and operators: logs, errors, SQL, patterns.
_NOT_SPOKEN = {
    "debug", "info", "warning", "error", "exception", "critical", "get_logger", "getLogger",
    "compile", "fullmatch", "match", "search", "sub", "text", "literal", "literal_column",
    "removeprefix", "removesuffix", "replace", "startswith", "endswith", "split", "strftime",
    "namedtuple", "TypeVar", "NewType", "join", "StatesGroup", "Router", "getattr", "Literal",
    "add_argument", "execute", "get_template", "format_datetime", "format_date",
    "format_skeleton", "lookup", "create_task", "Withheld", "fit_text",
}  # fmt: skip
_MARKS = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_TRANS = re.compile(r"\{%-?\s*trans\b.*?endtrans\s*-?%\}", re.DOTALL)
_SHOWN_ATTRIBUTES = {"alt", "aria-label", "aria-description", "placeholder", "title", "value"}


def sentences_in_python(source: str) -> list[str]:
    """String literals that look like a sentence and are not given to gettext.

    Not counted: docstrings, what is raised, logged, matched or compared, keys
    of a dict, and annotations.
    """
    found: list[str] = []
    _walk(ast.parse(source), found)
    return found


def _walk(node: ast.AST, found: list[str]) -> None:
    for child in _spoken_children(node):
        if isinstance(child, ast.Constant):
            if isinstance(child.value, str) and _is_sentence(child.value):
                found.append(child.value)
        elif isinstance(child, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in child.values
            )
            if _is_sentence(text):
                found.append(text)
        else:
            _walk(child, found)


def _spoken_children(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Call) and _name(node.func) in _TRANSLATES | _NOT_SPOKEN:
        # What stands before the dot, as in `_("Hi {n}").format(n="…")`, is looked at.
        if isinstance(node.func, ast.Attribute):
            yield node.func.value
        return
    if isinstance(node, ast.Raise | ast.Assert | ast.Compare | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.Subscript):
        yield node.value
        return
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list"} or (
            isinstance(node, ast.Dict) and name == "keys"
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_docstring(node, child):
                yield child


def _is_docstring(node: ast.AST, child: ast.AST) -> bool:
    return (
        isinstance(child, ast.Expr)
        and isinstance(child.value, ast.Constant)
        and hasattr(node, "body")
    )


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _is_sentence(text: str) -> bool:
    if _CHINESE.search(text):
        return True
    return bool(_SENTENCE.search(text) and not _PROTOCOL.search(text))


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style"}:
            self._silent += 1
        for name, value in attrs:
            if name in _SHOWN_ATTRIBUTES and value and tag != "meta":
                self._keep(value)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._keep(data)

    def _keep(self, text: str) -> None:
        if re.search(r"[A-Za-z\u4e00-\u9fff]{2,}", text):
            self.found.append(" ".join(text.split()))


def sentences_in_template(source: str) -> list[str]:
    """Words that stand bare in a Jinja template, in its text or in an attribute people read."""
    parser = _Text()
    parser.feed(_MARKS.sub("", _TRANS.sub("", source)))
    parser.close()
    return parser.found


_JS_TEXT = re.compile(r"""(["'`])((?:\\.|(?!\1).)*)\1""")
_JS_COMMENT = re.compile(r"^\s*(//|\*|/\*).*$|\s//\s.*$", re.MULTILINE)


def sentences_in_script(source: str) -> list[str]:
    """Strings of a script that look like a sentence: the page is handed its words."""
    texts = [match[2] for match in _JS_TEXT.finditer(_JS_COMMENT.sub("", source))]
    return [
        text
        for text in texts
        if _CHINESE.search(text) or re.search(r"[A-Z][a-z’']+ [a-z]+|[a-z]+ [a-z]+ [a-z]+", text)
    ]
