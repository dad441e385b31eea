# SPDX-License-Identifier: BSD-2-Clause
"""Mutants of configuration files: what hands and editors do to them. The same seed gives the same mutants."""

import random
import re

_NUMBER = re.compile(rb"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
_WORD = re.compile(rb"[A-Za-z_][A-Za-z_]+")
_NUMBERS = (b"0", b"1", b"2", b"-1", b"99", b"255", b"256", b"65535", b"65536", b"4294967295", b"4294967296", b"0.5", b"1.5", b"")


def _live(lines):
    """The indices of lines that say something."""
    return [index for index, line in enumerate(lines) if line.strip() and not line.lstrip().startswith((b"#", b"!"))]


def _delete_line(lines, rng):
    del lines[rng.choice(_live(lines))]


def _duplicate_line(lines, rng):
    index = rng.choice(_live(lines))
    lines.insert(index, lines[index])


def _swap_lines(lines, rng):
    one, other = rng.choice(_live(lines)), rng.choice(_live(lines))
    lines[one], lines[other] = lines[other], lines[one]


def _move_line(lines, rng):
    line = lines.pop(rng.choice(_live(lines)))
    lines.insert(rng.choice(_live(lines) or [0]), line)


def _change_number(lines, rng):
    indices = [index for index in _live(lines) if _NUMBER.search(lines[index])]
    if not indices:
        return _delete_line(lines, rng)
    index = rng.choice(indices)
    found = rng.choice(list(_NUMBER.finditer(lines[index])))
    lines[index] = lines[index][: found.start()] + rng.choice(_NUMBERS) + lines[index][found.end() :]


def _drop_word(lines, rng):
    index = rng.choice(_live(lines))
    words = lines[index].split()
    del words[rng.randrange(len(words))]
    lines[index] = b"    " + b" ".join(words)


def _double_word(lines, rng):
    index = rng.choice(_live(lines))
    words = lines[index].split()
    words.insert(rng.randrange(len(words)), rng.choice(words))
    lines[index] = b"    " + b" ".join(words)


def _misspell(lines, rng):
    indices = [index for index in _live(lines) if _WORD.search(lines[index])]
    if not indices:
        return _delete_line(lines, rng)
    index = rng.choice(indices)
    found = rng.choice(list(_WORD.finditer(lines[index])))
    word = bytearray(found.group())
    place = rng.randrange(len(word) - 1)
    word[place], word[place + 1] = word[place + 1], word[place]
    if bytes(word) == found.group():
        del word[place]
    lines[index] = lines[index][: found.start()] + bytes(word) + lines[index][found.end() :]


def _drop_brace(lines, rng):
    indices = [index for index in _live(lines) if b"{" in lines[index] or b"}" in lines[index]]
    if not indices:
        return _delete_line(lines, rng)
    index = rng.choice(indices)
    brace = rng.choice([brace for brace in (b"{", b"}") if brace in lines[index]])
    lines[index] = lines[index].replace(brace, b"", 1)


def _cut_off(lines, rng):
    del lines[rng.choice(_live(lines)) + 1 :]


def _blocks(lines):
    """(first, last) of each block whose braces stand at the ends of lines."""
    opened = []
    for index in _live(lines):
        code = lines[index].split(b"#")[0].strip()
        if code.endswith(b"{") and b"}" not in code:
            opened.append(index)
        elif code == b"}" and opened:
            yield opened.pop(), index


def _move_block(lines, rng):
    blocks = list(_blocks(lines))
    if not blocks:
        return _move_line(lines, rng)
    first, last = rng.choice(blocks)
    block = lines[first : last + 1]
    del lines[first : last + 1]
    place = rng.randrange(len(lines) + 1)
    lines[place:place] = block


def _duplicate_block(lines, rng):
    blocks = list(_blocks(lines))
    if not blocks:
        return _duplicate_line(lines, rng)
    first, last = rng.choice(blocks)
    lines[last + 1 : last + 1] = lines[first : last + 1]


MUTATORS = (_delete_line, _duplicate_line, _swap_lines, _move_line, _change_number, _change_number, _drop_word, _double_word,
            _misspell, _misspell, _drop_brace, _cut_off, _move_block, _duplicate_block)


def mutant(text, seed):
    """One mutant of a file's bytes: one change, the one that `seed` chooses. A file that says nothing comes back as it is."""
    rng = random.Random(seed)
    lines = text.split(b"\n")
    if _live(lines):
        rng.choice(MUTATORS)(lines, rng)
    return b"\n".join(lines)
