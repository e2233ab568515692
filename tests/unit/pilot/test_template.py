"""Templates: what is rendered, what is refused, and that nothing else ever happens."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vr.pilot.template import TemplateError, render

VARIABLES = {"A": "x", "LIST": "1,2,3", "EMPTY": "", "a-b": "dash", "QUOTE": 'say "hi"\n'}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("no action", "no action"),
        ("{{.A}}", "x"),
        ("{{ .A }}{{.MISSING}}!", "x!"),
        ('{{index . "a-b"}}', "dash"),
        ('{{.MISSING | default "v"}}', "v"),
        ('{{.A | default "v"}}', "x"),
        ('{{.EMPTY | default "v"}}', "v"),
        ('{{default "v" .MISSING}}', "v"),
        (
            "{{.M | default 100}} {{.M | default 10.1}} {{.M | default true}}",
            "100 10.1 true",
        ),
        ("{{if .EMPTY}}a{{else if .A}}b{{else}}c{{end}}", "b"),
        ("{{if .EMPTY}}a{{else if .EMPTY}}b{{else}}c{{end}}", "c"),
        ("{{if not .EMPTY}}yes{{end}}", "yes"),
        ('{{if and .A (eq .A "x") (ne .A "y")}}yes{{end}}', "yes"),
        ('{{or .EMPTY .MISSING "last"}}', "last"),
        ("{{with .A}}<{{.}}>{{else}}none{{end}}", "<x>"),
        ("{{with .EMPTY}}<{{.}}>{{else}}none{{end}}", "none"),
        ('{{range split "," .LIST}}[{{.}}]{{end}}', "[1][2][3]"),
        (
            '{{range $i, $v := .LIST | split ","}}{{if $i}}, {{end}}{{$v}}{{end}}',
            "1, 2, 3",
        ),
        ('{{range split "," .EMPTY}}x{{else}}nothing{{end}}', "nothing"),
        ("{{range $name, $v := .}}{{$name}};{{end}}", "A;EMPTY;LIST;QUOTE;a-b;"),
        ('{{.LIST | split "," | join "-"}}', "1-2-3"),
        ('{{.LIST | replaceAll "," ""}}', "123"),
        (r'{{.LIST | regexReplaceAll "([0-9])," "<$1>"}}', "<1><2>3"),
        (r'{{.LIST | regexReplaceAll `(?P<d>\d)` "${d}0"}}', "10,20,30"),
        ("{{$v := .A}}{{$v}}{{$.A}}", "xx"),
        ("{{$n := 1}}{{if true}}{{$n = 2}}{{end}}{{$n}}", "2"),
        ("a {{- .A -}} b", "axb"),
        ("a {{- /* why */ -}} b", "ab"),
        ("{{/* why */}}b", "b"),
        ('{{`raw "text"`}}', 'raw "text"'),
        (r'{{"a\tb\u00e9\x41"}}', "a\tbéA"),
        ("{{1}} {{-2}} {{0x1F}} {{1.50}} {{1e21}} {{1e3}} {{'a'}}", "1 -2 31 1.5 1e+21 1000 97"),
        ('{{print 1 2 "a" "b" 3}}', "1 2ab3"),
        ('{{println "a" 1}}', "a 1\n"),
        (
            '{{printf "%05d|%-4s|%4s|%q|%.2f|%x|%%|%v" 42 "ab" "ab" "q" 3.14159 255 true}}',
            '00042|ab  |  ab|"q"|3.14|ff|%|true',
        ),
        ('{{printf "%d" "x"}}', "%!d(string=x)"),
        ('{{printf "%d"}}', "%!d(MISSING)"),
        ("{{len .LIST}}{{len (split `,` .LIST)}}", "53"),
        ("{{lt 1 2}} {{ge 1.5 2.5}} {{gt `b` `a`}} {{le 2 2}}", "true false true true"),
        ('{{eq .A "y" "x"}}', "true"),
        ('{{html `<a href="b">`}}', "&lt;a href=&#34;b&#34;&gt;"),
        ("{{js `it's`}}", "it\\'s"),
        ('{{urlquery "a b&c"}}', "a+b%26c"),
        ("{{json .QUOTE}}", '"say \\"hi\\"\\n"'),
        ('{{index (split "," .LIST) 1}}', "2"),
        ("{{.A}} }} {{.A}}", "x }} x"),
    ],
)
def test_renders(template, expected):
    assert render(template, VARIABLES) == expected


@pytest.mark.parametrize(
    ("template", "line", "column", "message"),
    [
        ("{{.A", 1, 1, "unclosed action"),
        ("ok\n  {{nope .A}}", 2, 5, 'function "nope" not defined'),
        ("{{.A.B}}", 1, 3, "can't evaluate field B in type string"),
        ("{{if .A}}", 1, 10, "unexpected EOF, expected {{end}}"),
        ("{{end}}", 1, 3, "unexpected {{end}}"),
        ("{{else}}", 1, 3, "unexpected {{else}}"),
        ("{{}}", 1, 3, "missing value for command"),
        ("{{$nope}}", 1, 3, 'undefined variable "$nope"'),
        ("{{if true}}{{$v := 1}}{{end}}{{$v}}", 1, 32, 'undefined variable "$v"'),
        ('{{"a}}', 1, 3, "unterminated quoted string"),
        ("{{1x}}", 1, 3, "bad number syntax"),
        ("{{.A | 3}}", 1, 8, "non executable command in pipeline"),
        ("{{/* }}", 1, 1, "unclosed comment"),
        ("{{template `x`}}", 1, 3, "{{template}} is not supported"),
        ("{{eq 1 `a`}}", 1, 3, "incompatible types for comparison: int and string"),
        ("{{index (split `,` .LIST) 9}}", 1, 3, "index out of range: 9"),
        ("{{range .A}}{{end}}", 1, 9, "range can't iterate over x"),
        ("{{len 3}}", 1, 3, "len of type int"),
        ("{{split `,`}}", 1, 3, "wrong number of args for split: want 2 got 1"),
        ("{{.A 1}}", 1, 3, "can't give argument to non-function"),
        ("{{regexReplaceAll `(` `` .A}}", 1, 3, "error parsing regexp"),
        ('{{printf "%999999d" 1}}', 1, 3, "a width of 999999 is too much"),
        ("{{" + "(" * 300 + "1" + ")" * 300 + "}}", 1, 104, "nested too deeply"),
        ("{{if true}}" * 300, 1, 1114, "nested too deeply"),
    ],
)
def test_refuses_with_the_place(template, line, column, message):
    with pytest.raises(TemplateError, match=r"^template: line") as caught:
        render(template, VARIABLES)
    assert message in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)


PIECES = st.sampled_from(
    [
        *("{{", "}}", "{{-", "-}}", "if", "else", "end", "range", "with", "$v", ":=", "=", "|"),
        *("(", ")", ".", ".A", ".LIST", ".MISSING", ".A.B", '"text"', "`raw`", "1", "-2.5", "'c'"),
        *("eq", "index", "len", "split", "join", "printf", "default", "json", "and", "not"),
        *(" ", "\n", "/*", "*/", "\\", '"', "é", "true", "nil", ","),
    ]
)


WRITTEN = st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=60)


@settings(max_examples=300, deadline=None)
@given(WRITTEN)
def test_anything_renders_or_is_refused(template):
    render_or_refuse(template)


@pytest.mark.scale
@settings(max_examples=20_000, deadline=None)
@given(WRITTEN)
def test_twenty_thousand_templates(template):
    render_or_refuse(template)


def render_or_refuse(template):
    """Whatever is written between the braces: text, or an error with its place."""
    for text in (template, "{{" + template + "}}"):
        try:
            assert isinstance(render(text, VARIABLES), str)
        except TemplateError as error:
            assert 1 <= error.line <= text.count("\n") + 1
            assert error.column >= 1
