"""Letter case and apostrophes: how a word was written, carried over to the answer."""


def match_case(written: str, answer: str) -> str:
    """The answer, given in its usual letter case, in the case pattern of what was written.

    All capitals make an answer all capitals; a first capital gives a lower-case answer one; a word with capitals of its
    own keeps them. Any other mixture ("REcieve", "recIeve") is a slip of the hand and goes by its first letter.

    >>> [match_case(written, "receive") for written in ("recieve", "Recieve", "RECIEVE", "REcieve", "recIeve")]
    ['receive', 'Receive', 'RECEIVE', 'Receive', 'receive']
    >>> [match_case(written, "London") for written in ("londn", "Londn", "LONDN")], match_case("Iphnoe", "iPhone")
    (['London', 'London', 'LONDON'], 'iPhone')
    """
    cased = [letter for letter in written if letter.islower() or letter.isupper() or letter.istitle()]
    if len(cased) > 1 and all(letter.isupper() for letter in cased):
        return answer.upper()
    if cased and not cased[0].islower() and answer == answer.lower():
        return _capitalise(answer)
    return answer


def match_apostrophe(written: str, answer: str) -> str:
    """The answer with the apostrophe that what was written has.

    >>> match_apostrophe("dosn’t", "doesn't"), match_apostrophe("dosn't", "doesn't"), match_apostrophe("dont", "don't")
    ('doesn’t', "doesn't", "don't")
    """
    return answer.replace("'", "’") if "’" in written else answer


def _capitalise(word: str) -> str:
    """The word with its first letter in title case, past whatever has no case: "'tis" as "'Tis"."""
    for place, letter in enumerate(word):
        if letter.islower():
            return word[:place] + letter.title() + word[place + 1 :]
    return word
