"""The bounded JMESPath that filters and mappings share: the library's answers, with an end."""

import contextlib
import json
import warnings

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.timing import milliseconds

from processor.domain.jmes import EvaluationError, compile_expression
from processor.errors import FilterSyntaxError

OBJECTS = {"type": "track", "items": [{"price": n % 7, "id": str(n)} for n in range(1300)]}
NUMBERS = {"n": [0] * 15_000, "s": "ab" * 8_000, "deep": json.loads("[" * 400 + "]" * 400)}
HOSTILE = [
    "to_string(@)",
    "sort_by(items, &id)[0]",
    "[@,@]" + " | [@,@]" * 60,
    "([@,@]" + " | [@,@]" * 50 + ") == ([@,@]" + " | [@,@]" * 50 + ")",
    "items" + "|[@,@][]" * 30,
    "items[*].[@,@,@,@][]|[*].[@,@,@,@][]|[*].[@,@,@,@,@,@,@][]",
    "join(join('x', items[].id), items[].id)",
    "items[].to_string(@)",
    "items[?contains(id,'1') || starts_with(id,'2') && !(price!=`3`)].{a:price,b:length(id),c:[price]}",
    "items[?" + "!" * 200 + "price]",
    "items[?" + "||".join(["type(id)=='number'"] * 100) + "]",
    "n[?type(@)=='number']",
    "map(&abs(@), n)",
    "map(&to_number('1'), n)",
    "map(&sort_by([@],&@), n)",
    "map(&max_by([@],&@), n)",
    "map(&avg([@]), n)",
    "map(&merge({a:@},{a:@}), n)",
    "[" + "s," * 3000 + "s] | sort(@)",
    "[" + "s," * 3000 + "s] | [?contains(@, 'bb')]",
    "[" + "n," * 3000 + "n] | [*][0:]",
    "[" + "n," * 3000 + "n] | [*][]",
    "map(&reverse($s), n)".replace("$s", "'" + "x" * 5000 + "'"),
    "deep == deep",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:40])
@pytest.mark.parametrize("event", [OBJECTS, NUMBERS], ids=["objects", "numbers"])
def test_no_expression_takes_50_ms(text, event):
    """Steps are counted, so that even an expression written to explode ends soon on an event of 32 KB."""
    assert len(json.dumps(event)) > 32_000
    evaluate = compile_expression(text)
    assert milliseconds(lambda: evaluate(event), EvaluationError) < 50


def test_what_runs_out_says_so():
    """Shared parts count as often as they are held, also in the answer."""
    with pytest.raises(EvaluationError, match="more than"):
        compile_expression("[@,@]" + " | [@,@]" * 30)({})


def test_an_error_shows_nothing_of_the_event():
    """A wrong type is told by the function's name and the type, because errors are logged and kept."""
    with pytest.raises(EvaluationError) as caught:
        compile_expression("length(n)")({"n": 555_123})
    assert str(caught.value) == "length() takes no value of type number"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nope(@)", "no function nope()"),
        ("length()", "takes 1 argument, not 0"),
        ("length(a, b)", "takes 1 argument, not 2"),
        ("merge()", "takes 1 or more arguments"),
        ("sort_by(a, b)", "write `&` before it"),
        ("&a", "stands only where"),
        ("to_array(&a)", "stands only where"),
        ("a[::0]", "not 0"),
        ("a == `track`", "write a text as 'text'"),
        ("a == `NaN`", "between backticks stands JSON"),
        ("a == `1e999`", "between backticks stands JSON"),
        ("!" * 5000 + "a", "levels"),
        ("a" + " || a" * 300, "levels"),
        ("[" * 65, "levels of brackets"),
        ("a" * 10_001, "at most 10000 characters"),
        ("a[", "no JMESPath expression"),
        ("", "no JMESPath expression"),
    ],
)
def test_refused_before_any_event(text, says):
    """What could only fail, or would be read differently by the next release, is refused when it is read."""
    with pytest.raises(FilterSyntaxError) as caught:
        compile_expression(text)
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to_number('5')", 5),
        ("to_number('-0.5e1')", -5.0),
        ("to_number(' 5')", None),
        ("to_number('nan')", None),
        ("to_number('1e999')", None),
        ("to_number('" + "9" * 40 + "')", 1e40),
        ("ceil(`1e300`)", 1e300),
        ("map(&(@ > 'a'), ['b', `1`, 'a'])", [True, None, False]),
        ("`1` == `true`", False),
        ("[[`1`],`2`,[`3`,`4`]][]", [1, 2, 3, 4]),
    ],
)
def test_numbers_fit_json(text, expected):
    """What comes out can be written as JSON; texts become numbers as the specification has it."""
    assert compile_expression(text)({}) == expected


NAMES = st.sampled_from(["a", "b", "@", "`1`", "`true`", "'x'", "`null`", "`[1, 2]`", "*", "[]", "[0]", "[*]"])


def _grown(inner):
    two = st.tuples(inner, inner)
    return st.one_of(
        two.map("{0[0]} || {0[1]}".format),
        two.map("{0[0]} && {0[1]}".format),
        two.map("{0[0]} | {0[1]}".format),
        two.map("({0[0]}) == ({0[1]})".format),
        two.map("({0[0]}) < ({0[1]})".format),
        two.map("[{0[0]}, {0[1]}]".format),
        two.map("{{a: {0[0]}, b: {0[1]}}}".format),
        two.map("not_null({0[0]}, {0[1]})".format),
        two.map("map(&({0[0]}), {0[1]})".format),
        two.map("sort_by({0[0]}, &({0[1]}))".format),
        two.map("contains({0[0]}, {0[1]})".format),
        inner.map("a[?{}]".format),
        inner.map("!({})".format),
        inner.map("({})[0:2]".format),
        inner.map("to_string({})".format),
        inner.map("length({})".format),
        inner.map("type({})".format),
    )


EXPRESSIONS = st.recursive(NAMES, _grown, max_leaves=6)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS, DATA)
def test_gives_what_the_library_gives(text, data):
    """Within its steps it is the library: the same value, or an error where the library raises one of its own.

    It also raises ``TypeError`` for the order of a text and a number, where JMESPath and we say null.
    """
    try:
        ours = compile_expression(text)
    except FilterSyntaxError:
        return
    try:
        expected = jmespath.search(text, data)
    except TypeError as error:
        if "not supported between instances" in str(error):
            return
        with pytest.raises(EvaluationError):
            ours(data)
        return
    except Exception:  # noqa: BLE001 - whatever the library raises
        with pytest.raises(EvaluationError):
            ours(data)
        return
    found = ours(data)
    assert json.dumps(found) == json.dumps(expected)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=20) | st.lists(st.sampled_from(list("ab.[]*?&|!`'\"(){}@:,0-=<")), max_size=14).map("".join))
def test_any_text_is_read_or_refused(text):
    """Nothing but our own errors, and no warning of the library's."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            evaluate = compile_expression(text)
        except FilterSyntaxError as error:
            assert 0 <= error.position <= len(text)  # noqa: PT017 - a text may also be read
            return
        with contextlib.suppress(EvaluationError):
            evaluate({"a": [{"b": "x"}], "b": 1})
