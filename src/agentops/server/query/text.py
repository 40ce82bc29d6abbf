"""`q`: where texts contain what was typed, in any script and letter case, as SQL.

Within one session the columns are read. Over a store they are looked up in indexes that merges build
(0052_words_without_letters.sql, 0091_words_planned_sooner.sql): words of ASCII letters and digits in their
dictionary, parts of words included; all other letters by groups of three. What an index alone cannot decide
is read and compared, and so are the spans that were not merged yet.

Attributes may hold what is looked for, too. They have no index, and words like "user" stand in most of them:
they are read only when nothing else holds the text.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from agentops.server.query.kept import kept
from agentops.server.store.client import Store

SEARCHED: Final = (
    "name",
    "source_name",
    "input",
    "output",
    "error_message",
    "error_type",
    "status_message",
)
"""Columns of spans that `q` looks into."""
ATTRIBUTES: Final = ("attributes",)
"""What it looks into when none of those holds the text."""
_BODIES: Final = ("input", "output")
LOGGED: Final = ("body", "name", "logger")
"""Columns of logs that `q` looks into."""
_JSON: Final = (*_BODIES, *ATTRIBUTES, "body")
_NOT_INDEXED: Final = ("error_type", *ATTRIBUTES)
_RUNS: Final = re.compile(r"[A-Za-z0-9]+|[^\x00-\x7f]+")
_SIGMAS: Final = re.compile("[Σσς]")
"""One letter, whose small form depends on where in a word it stands: its forms are compared as one."""
_SIGNS: Final = re.compile(r"[^\w\s]*[\"{}\[\]:,\\\\][^\w\s]*")
"""A text of signs alone, some of them JSON's own."""
_TEXT_IN_JSON: Final = r"""'"((?:[^"\\\\]|\\\\.)*)"'"""
_LONGEST_GROUP: Final = 3
_UNMERGED: Final = "match(_part, '^[^_]+_[0-9]+_[0-9]+_0(_|$)')"
"""Rows of parts as inserts write them, without indexes: a part's name ends with how often it was merged."""
_MOST_RUNS: Final = 4
_MINE: Final = "project = {project:String}"
_MIXED: Final = "SELECT session_id FROM session_traces WHERE project = {project:String} AND NOT whole"
"""Sessions with a trace that holds several."""
_MOST_COMPARED: Final = 2_000
"""Events whose texts are read to see that the groups of letters they hold stand together: beyond so many,
that all groups are there is taken for it."""


def searched(text: str, values: dict[str, Any], columns: tuple[str, ...] = SEARCHED) -> str:
    """Return SQL for "a span's names, bodies or errors contain the text", and put it into the parameters.

    Bodies are JSON as it was received, so that quotes, line ends and often every letter beyond ASCII are
    escaped there: the text is looked for in each way that it may be written.
    """
    values["q"] = text
    written_so = _escaped(text)
    values |= written_so
    of_json = written_so if _SIGNS.fullmatch(text) and written_so else {"q": text, **written_so}
    return " OR ".join(
        _reads(column, name, text, written)
        for column in columns
        for name, written in (of_json if column in _JSON else {"q": text}).items()
    )


def _reads(column: str, name: str, text: str, written: str) -> str:
    """Return SQL that compares a column with one way that a text may be written, `written`.

    Signs that JSON is made of are looked for in its texts: else they stood in each.
    """
    if not _SIGNS.fullmatch(text) or column not in _JSON:
        return contains(column, name, written)
    said = f"arrayExists(said -> {contains('said', name, written)}, extractAll({column}, {_TEXT_IN_JSON}))"
    if column in ATTRIBUTES:
        return said
    return f"if({column}_format = 'text', {contains(column, 'q', text)}, {said})"


def contains(column: str, needle: str, text: str) -> str:
    """Return SQL for "column contains the text of parameter `needle`, in any letter case"."""
    # The byte-wise function is several times faster and knows the case of ASCII letters, which is all that
    # most texts and every script without case need.
    if _SIGMAS.search(text):
        return f"position({_one_sigma(column)}, {_one_sigma(f'{{{needle}:String}}')}) > 0"
    cased = any(letter.lower() != letter.upper() for letter in text if not letter.isascii())
    function = "positionCaseInsensitiveUTF8" if cased else "positionCaseInsensitive"
    return f"{function}({column}, {{{needle}:String}}) > 0"


def _one_sigma(given: str) -> str:
    return f"replaceAll(lowerUTF8({given}), 'ς', 'σ')"


def found(
    store: Store, project: str, text: str, values: dict[str, Any], columns: tuple[str, ...] = SEARCHED
) -> str:
    """Return SQL for the ids of sessions one of whose spans contains the text, as `searched` but indexed."""
    read = searched(text, values, columns)
    ways = {"q": text, **_escaped(text)}
    signs = _SIGNS.fullmatch(text)
    said: dict[bool, list[str]] = {True: [], False: []}
    compared: list[str] = []
    for name, written in ways.items():
        for column in columns:
            if signs and column in _JSON:
                continue
            if name != "q" and column not in _JSON:
                continue
            candidates, decides = _looked_up(column, name, written, values)
            if decides:
                said[column in _BODIES or written.isascii()].append(candidates)
            else:
                reads = _compared(column, name, written, candidates)
                compared.append(f"PREWHERE {candidates} AND NOT {_UNMERGED} WHERE {_MINE} AND {reads}")
    if signs:
        said[True] += [f"({read})"]
    # What must be read stands in a SELECT of its own: in one condition with what indexes say more than the
    # candidates' texts would be read. What is merged while this is asked is found twice: asked in the other
    # order it could be missed.
    selects = [f"WHERE {_MINE} AND {_UNMERGED} AND ({read})"]
    selects += [
        f"WHERE {_MINE} AND NOT {_UNMERGED} AND ({' OR '.join(some)})" for some in said.values() if some
    ]
    spans = " UNION ALL ".join(f"SELECT DISTINCT trace_id FROM spans {one}" for one in (*selects, *compared))
    sessions = f"""
        SELECT session_id FROM session_traces FINAL
        WHERE project = {{project:String}} AND whole AND NOT deleted AND trace_id IN ({spans})
    """
    if not kept(store, ("mixed", project), lambda: store.answer(f"{_MIXED} LIMIT 1", {"project": project})):
        return sessions
    # Few traces hold several sessions: their spans are read.
    mixed = f"""
        SELECT trace_id FROM session_traces FINAL
        WHERE project = {{project:String}} AND session_id IN ({_MIXED}) AND NOT whole AND NOT deleted
    """
    return f"""
        {sessions}
        UNION ALL
        SELECT if(found.declared_session != '', found.declared_session, own.session_id) AS session_id
        FROM (
            SELECT trace_id, span_id, declared_session FROM spans
            WHERE {_MINE} AND trace_id IN ({mixed}) AND ({read})
        ) AS found
        LEFT JOIN (
            SELECT trace_id, span_id, session_id FROM span_sessions FINAL
            WHERE project = {{project:String}} AND trace_id IN ({mixed})
        ) AS own ON own.trace_id = found.trace_id AND own.span_id = found.span_id
    """


def _ascii(column: str) -> str:
    """Return what is indexed by words, in small letters: a text with a blank for its letters beyond ASCII."""
    return (
        f"if(lengthUTF8({column}) = length({column}), {column}, "
        f"replaceRegexpAll({column}, '[^\\\\x00-\\\\x7F]+', ' '))"
    )


def _letters(column: str) -> str:
    """Return the expression that is indexed by groups of letters: those of a text's runs beyond ASCII."""
    runs = (
        f"if(lengthUTF8({column}) = length({column}), '', "
        f"replaceRegexpAll(lowerUTF8({column}), '[\\\\x00-\\\\x7F]+', ' '))"
    )
    groups = ", ".join(f"ngrams({runs}, {length})" for length in range(1, _LONGEST_GROUP + 1))
    return f"arrayConcat({groups})"


def _escaped(text: str) -> dict[str, str]:
    """Return how else a text may stand in JSON, by the parameter that it goes into."""
    found: dict[str, str] = {}
    for name, written in (
        ("q_kept", json.dumps(text, ensure_ascii=False)[1:-1]),
        ("q_escaped", json.dumps(text)[1:-1]),
    ):
        if written != text and written not in found.values():
            found[name] = written
    return found


def _looked_up(column: str, name: str, text: str, values: dict[str, Any]) -> tuple[str, bool]:
    """Return SQL for "column may contain the text of parameter `name`", and whether that decides it."""
    # As the indexed texts are: words are those of letters that are ASCII before they are lowered (the small
    # letter of a large one may be several, some of them ASCII), the others those that are none after it.
    lowered = text.lower()
    runs = [run.lower() for run in _RUNS.findall(text) if run.isascii()]
    runs += [run for run in _RUNS.findall(lowered) if not run.isascii()]
    alone = runs == [lowered]
    if column not in _BODIES:
        # These are short: reading them costs no more than looking them up.
        if column in _NOT_INDEXED or not alone or not text.isascii():
            return contains(column, name, text), True
        values[f"{name}_0"] = f"%{lowered}%"
        return f"lower({column}) LIKE {{{name}_0:String}}", True
    clauses: list[str] = []
    decides = alone
    for number, run in enumerate(sorted(set(runs), key=len, reverse=True)[:_MOST_RUNS]):
        key = f"{name}_{number}"
        if run.isascii():
            values[key] = f"%{run}%"
            clauses.append(f"lower({_ascii(column)}) LIKE {{{key}:String}}")
            continue
        groups = _groups(run)
        decides = decides and groups == [run]
        if groups:
            values[key] = groups
            clauses.append(f"hasAllTokens({_letters(column)}, {{{key}:Array(String)}})")
    if not clauses:
        return contains(column, name, text), True
    return f"({' AND '.join(clauses)})", decides


def _groups(run: str) -> list[str]:
    """Return the groups of letters that a text holds if it holds the run."""
    return list(
        dict.fromkeys(
            letters[start : start + _LONGEST_GROUP]
            for letters in _SIGMAS.split(run)
            if letters
            for start in range(max(1, len(letters) - _LONGEST_GROUP + 1))
        )
    )


def _compared(column: str, name: str, text: str, candidates: str) -> str:
    """Return SQL that compares the candidates' texts, unless they are many and their letters say enough."""
    read = contains(column, name, text)
    if _RUNS.findall(text) != [text] or _SIGMAS.search(text):
        return read
    many = (
        f"(SELECT count() FROM spans WHERE project = {{project:String}} AND NOT {_UNMERGED} AND {candidates})"
    )
    return f"({many} > {_MOST_COMPARED} OR {read})"
