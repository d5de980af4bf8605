"""Filters, mappings, templates and events by chance: of the language, of its edges, and of what is beside it.

Everything comes from one ``Random``, so that a seed names a whole run.
"""

from random import Random
from typing import Any

__all__ = ["Chance"]

_FIELDS = [
    "type", "event", "name", "userId", "properties.a", "traits.a.b", "context.x.y", "properties", "messageId",
    "traits.items\\[0\\]", "properties.a\\.b", "properties.and", "context.app.name", "traits.\\0", "event.a",
    "properties.items.length", "properties.x-y", "traits.a b",
]  # fmt: skip
_LITERALS = [
    '"track"', '"A"', "'A'", "5", "-1.5", "+3", "null", "true", "false", "TRUE", '""', '"a b"', '"A*"', '"*A"', "0",
    '"*A*"', "1e5", ".5", '"5"', '"it\'s"',
]  # fmt: skip
_OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "contains", "starts_with", "not_exists", "is_true", "number_equals"]
_JOINERS = [" and ", " or ", ", ", " AND ", " OR ", " ", ","]
_SCALARS: list[Any] = [None, True, False, 0, 1, 5, -1.5, "", "A", "track", "bA", "Ab", "a b", "5", "null", "'A'"]
_NAMES = ["a", "b", "x", "y", "items", "and", "0", "properties", "app", "name", "x-y", "a b", "length"]

_PATHS = [
    "$.a", "$.a.b", "a[0].b", "$.", "", "$", "$.items", "$.items[0]", "$.items[0].name", "$.n", "$.s", "$.s.length",
    "$.t", "$.nul", "$.f", "$.e", "$.z", "$.items.length", "$.a['b c']", "x.$.a", "$.$.a", "$.a..b", "$.deep.a.b.c",
    "$.items.0.name", "$.s.0", "$.items[9]", "$.emptyo", "$.emptya",
]  # fmt: skip
_TEXTS = [
    "x", "", "{{a.b}}", "{{ s }} y", "{{{s}}}", "{{n}}-{{t}}", "$.a", "{{items}}", "{{nul}}|{{missing}}", "{{a}}",
    "é ß", "{{tpl}}", "{{{tpl}}}", "{{ $.s }}",
]  # fmt: skip
_DIRECTIVES = [
    "@path", "@path", "@path", "@template", "@template", "@literal", "@if", "@if", "@case", "@replace", "@replace",
    "@arrayPath", "@merge", "@transform", "@flatten", "@json", "@excludeWhenNull", "@liquid",
]  # fmt: skip

_VARIABLES = [
    "s", "n", "f", "t", "a", "a.b", "items", "items[0]", "items[0].name", "items.first.name", "items.size", "nul",
    "missing", "e", "z", "tpl", "deep.a.b.c[1].d", "emptyo", "emptya", "name", "s.size", "items.last", "'lit'", "5",
    "-1.5", "true", "false", "nil", "empty", "blank", "(1..3)", "(1..n)", "a['b c']", "items[-1]", "s[0]",
]  # fmt: skip
_FILTERS = [
    "upcase", "downcase", "capitalize", "strip", "lstrip", "rstrip", "size", "first", "last", "reverse", "join",
    "join: '-'", "sort", "sort_natural", "uniq", "compact", "map: 'name'", "where: 'name', 'x'", "plus: 1", "minus: 2",
    "times: 3", "divided_by: 2", "divided_by: 0", "modulo: 3", "abs", "ceil", "floor", "round", "round: 2",
    "append: 'z'", "prepend: n", "replace: 'a', 'b'", "replace_first: 'a','b'", "remove: 'a'", "remove_first: 'b'",
    "split: ','", "split: ''", "slice: 1", "slice: 0, 2", "slice: -2, 2", "truncate: 3", "truncate: 5, '..'",
    "truncatewords: 1", "default: 'd'", "default: 'd', allow_false: true", "json", "escape", "escape_once",
    "url_encode", "url_decode", "strip_html", "strip_newlines", "newline_to_br", "at_least: 3", "at_most: 1",
    "concat: items", "concat: emptya", "sum", "push: 1", "pop", "shift", "unshift: 0", "find: 'name','x'",
    "group_by: 'name'", "to_integer", "inspect", "base64_encode", "base64_decode", "raw", "cgi_escape", "xml_escape",
    "normalize_whitespace", "number_of_words", "array_to_sentence_string", "slugify", "has: 'name','x'",
    "reject: 'name','x'", "md5", "sha256", "hmac_sha256: 'k'", "nofilter", "slice",
]  # fmt: skip
_DATES = ["'%Y-%m-%d'", "'%H:%M:%S.%L %j %B %e'", "'%a %-d %b %y %I %p'", "'%s %u %w %U'"]
_TAGS = [
    "{% echo s | upcase %}", "{% # c %}", "{% liquid\nassign q = n\necho q %}", "{% render 'x' %}",
    "{% tablerow i in items cols:2 %}{{i.name}}{% endtablerow %}", "{% cycle 'a','b' %}{% increment c %}",
    "{% comment %}x{% endcomment %}{% raw %}{{ s }}{% endraw %}", "{{ s", "{% if %}", "{{ | upcase }}",
    "{% nosuchtag %}", "{{ s..b }}", "{{ 'x }}", "{% endif %}",
]  # fmt: skip


class Chance(Random):
    """Each method makes one thing; deeper ones are smaller."""

    def often(self, share: float) -> bool:
        return self.random() < share

    def filter_case(self) -> dict[str, Any]:
        return {"filter": self.filter(), "event": self._filtered_event()}

    def mapping_case(self) -> dict[str, Any]:
        mapping = self.directive(0) if self.often(0.7) else {"p": self.directive(1), "q": self._value(1)}
        return {"mapping": mapping, "event": self._mapped_event()}

    def liquid_case(self) -> dict[str, Any]:
        return {"mapping": {"@liquid": self.template(0)}, "event": self._mapped_event()}

    def filter(self) -> str:
        text = self._level(0)
        if self.often(0.08):
            at = self.randint(0, len(text))
            text = text[:at] + self.choice(['"', "'", "(", ")", "!", "\\", " ", "=", "\n", "[", "]", "."]) + text[at:]
        if self.often(0.03):
            at = self.randint(0, len(text))
            text = text[:at] + text[at + self.randint(1, 4) :]
        return text

    def _level(self, depth: int) -> str:
        out = ""
        for index in range(self.randint(1, 4)):
            out += self.choice(_JOINERS) if index else ""
            out += f"({self._level(depth + 1)})" if depth < 2 and self.often(0.25) else self._term()
        return out

    def _term(self) -> str:
        space = self.choice(["", " ", " ", " "])
        if self.often(0.65):
            return f"{self.choice(_FIELDS)}{space}{self.choice(_OPERATORS)}{space}{self.choice(_LITERALS)}"
        if self.often(0.9):
            name = self.choice(["contains", "match", "!contains", "!match", "! match", "not contains"])
            return f"{name}({self.choice(_FIELDS)}{self.choice([', ', ',', ' '])}{self.choice(_LITERALS)})"
        return self.choice([*_FIELDS, *_LITERALS, "and", "or", "not", "(", ")", ","])

    def _filtered_event(self) -> dict[str, Any]:
        event = {}
        for name in ("type", "event", "name", "userId", "properties", "traits", "context", "messageId"):
            if self.often(0.8):
                deep = name in ("properties", "traits", "context") and self.often(0.9)
                event[name] = self._object(0) if deep else self._scalar()
        return event

    def _object(self, depth: int) -> dict[str, Any]:
        names = self.sample(_NAMES, self.randint(0, 6))
        return {n: self._object(depth + 1) if depth < 3 and self.often(0.35) else self._scalar() for n in names}

    def _scalar(self) -> Any:
        return self.choice([*_SCALARS, [], ["A", 5], {"a": 1}, {"length": 3}])

    def directive(self, depth: int) -> dict[str, Any]:
        name = self.choice(_DIRECTIVES)
        made: dict[str, Any] = {name: self._options(name, depth)}
        if self.often(0.02):
            made[name] = self.choice([None, 5, True, [], {}, "x"])
        if self.often(0.03):
            made[self.choice(["y", "_metadata"])] = {"label": "x"}
        return made

    def _options(self, name: str, depth: int) -> Any:
        match name:
            case "@path":
                return self.choice(_PATHS) if self.often(0.92) else self._text(depth)
            case "@template":
                return self.choice(_TEXTS) if self.often(0.92) else self._text(depth)
            case "@literal" | "@excludeWhenNull":
                return self._value(depth)
            case "@liquid":
                return self.template(3)  # no tags: in liquidjs `increment` writes into the event
            case "@arrayPath":
                shapes = [{"n": {"@path": "$.name"}}, {"n": {"@template": "{{name}}!"}, "c": 1}, self._value(depth)]
                return [self.choice(_PATHS), *([self.choice(shapes)] if self.often(0.7) else [])]
        return self._members(name, depth)

    def _members(self, name: str, depth: int) -> Any:
        match name:
            case "@merge":
                some = [self.directive(depth + 1), {"p": self._value(depth + 1)}, {"@path": "$.a"}, {"@path": "$."}]
                objects = [self.choice(some) for _ in range(self.randint(0, 3))]
                return self._some({"direction": self.choice(["left", "right", "Left"]), "objects": objects})
            case "@transform":
                apply = self.choice([{"p": self._value(depth + 1)}, self.directive(depth + 1)])
                mappings = [{"@path": "$.p"}, {"z": {"@template": "{{p}}"}}, self.directive(depth + 1)]
                return self._some({"apply": apply, "mapping": self.choice(mappings)})
            case "@flatten":
                value = self.choice([{"@path": "$."}, {"@path": "$.a"}, self._value(depth)])
                separator = self.choice([".", "_", "--", ""])
                return self._some({"value": value, "separator": separator}, omitArrays=self.choice([True, False]))
            case "@json":
                mode = self.choice(["encode", "decode", "ENCODE", "x"])
                return self._some({"mode": mode, "value": self._value(depth)})
            case "@case":
                operator = self.choice(["upper", "lower", "lower", "title", ""])
                return self._some({"operator": operator, "value": self._text(depth)})
            case "@replace":
                return self._replace(depth)
        then, other = self._value(depth), self._value(depth)
        return self._some({self.choice(["exists", "blank"]): self._value(depth), "then": then, "else": other})

    def _replace(self, depth: int) -> dict[str, Any]:
        options = {"pattern": self.choice(["a", "x", "", "1", " ", ".", "é", "$"]), "value": self._text(depth)}
        return self._some(
            options,
            replacement=self.choice(["", "z", "$&", "$`", "$$", "$1", "QQ"]),
            ignorecase=self.choice([True, False]),
            **{"global": self.choice([True, False]), "pattern2": self.choice(["b", "y"]), "replacement2": "w"},
        )

    def _some(self, options: dict[str, Any], **optional: Any) -> dict[str, Any]:
        """The options, rarely one of them left out, each optional one by a toss."""
        made = {key: value for key, value in options.items() if self.often(0.96)}
        return made | {key: value for key, value in optional.items() if self.often(0.4)}

    def _text(self, depth: int) -> Any:
        return self.directive(depth + 1) if self.often(0.6) and depth < 4 else self.choice(_TEXTS)

    def _value(self, depth: int) -> Any:
        if depth > 3 or self.often(0.25):
            return self.choice([None, True, False, 0, 1, -2.5, "x", "", "a b", 5, [], {}])
        if self.often(0.6):
            return self.directive(depth + 1)
        if self.often(0.5):
            return {self.choice(["p", "q", "r", "10", "9"]): self._value(depth + 1) for _ in range(self.randint(0, 3))}
        return [self._value(depth + 1) for _ in range(self.randint(0, 3))]

    def _mapped_event(self) -> dict[str, Any]:
        items = [[{"name": "x"}, {"name": "y", "p": None}], [], {"name": "solo"}, [1, "s", None, [2]], None, "z"]
        event = {
            "a": self.choice([{"b": 1, "b c": 2}, {"b": {"c": "x"}}, "str", None, 5, [1, 2], {"b": ""}]),
            "items": self.choice(items),
            "n": self.choice([0, 5, -2.5, 1e21, 1.0]),
            "s": self.choice(["abc", "", "a b", "É", "{{n}}"]),
            "t": self.choice([True, False]),
            "f": self.choice([1.25, 0.1, 3.0]),
            "tpl": self.choice(["{{n}}", "{{{s}}}", "{% raw %}"]),
            "d": self.choice(["2024-05-06T07:08:09Z", "2024-02-29", "nope", 1714979289, None]),
            "deep": {"a": {"b": {"c": [1, {"d": 2}]}}},
            "nul": None, "e": "", "z": 0, "emptyo": {}, "emptya": [], "name": "top", "2": 1, "10": {"b": 1, "1": 2},
        }  # fmt: skip
        return {name: value for name, value in event.items() if self.often(0.85)}

    def template(self, depth: int) -> str:
        return "".join(self._piece(depth) for _ in range(self.randint(1, 3)))

    def _piece(self, depth: int) -> str:
        left, right = self.choice([("{%", "%}"), ("{%", "%}"), ("{%-", "-%}")])
        if depth > 2 or self.often(0.5):
            if self.often(0.1):
                return f"{{{{ {self.choice(['d', 'd', 'n', 'nul'])} | date: {self.choice(_DATES)} }}}}"
            return self.choice(["{{ %s }}", "{{%s}}", "{{- %s -}}", " %s\n"]).replace("%s", self._expression())
        inner, condition, variable = self.template(depth + 1), self._condition(), self.choice(_VARIABLES)
        return self.choice(
            [
                f"{left} if {condition} {right}{inner}{left} else {right}{{{{ n }}}}{left} endif {right}",
                f"{left} if {condition} {right}{inner}{left} elsif {self._condition()} {right}2{left} endif {right}",
                f"{left} unless {condition} {right}{inner}{left} endunless {right}",
                f"{left} assign v = {self._expression()} {right}{{{{ v }}}}",
                f"{left} capture w {right}{inner}{left} endcapture {right}[{{{{w}}}}]",
                f"{left} case {variable} {right}{left} when s, 5 {right}W{left} else {right}E{left} endcase {right}",
                (
                    f"{left} for i in {variable}{self.choice(['', ' limit: 2', ' offset: 1', ' reversed'])} {right}"
                    f"{self.choice(['{{i}}', '{{i.name}}{{forloop.index}}', '{{forloop.last}}', '{% break %}'])}"
                    f"{left} else {right}none{left} endfor {right}"
                ),
                self.choice(_TAGS),
            ]
        )

    def _expression(self) -> str:
        return self.choice(_VARIABLES) + "".join(
            f" | {self.choice(_FILTERS)}" for _ in range(self.choice([0, 1, 1, 3]))
        )

    def _condition(self) -> str:
        operator = self.choice(["==", "!=", "<", ">", "<=", ">=", "contains"])
        first = self.choice(_VARIABLES)
        second = f" {operator} {self.choice(_VARIABLES)}" if self.often(0.6) else ""
        third = f" {self.choice(['and', 'or'])} {self.choice(_VARIABLES)}" if self.often(0.3) else ""
        return f"{first}{second}{third}"
