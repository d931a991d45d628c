"""What pages say: every message in both languages, none of it English in Chinese, nothing left over."""

import re

import pytest
from babel.messages.pofile import read_po

from app.core.i18n import FOLDERS, LANGUAGES, LOCALES, catalog, text
from tests.web.messages import all_messages


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_of_a_page_is_translated(language):
    assert sorted(all_messages() - set(catalog(language))) == []


def test_english_says_what_its_message_says():
    assert [one for one in all_messages() if catalog("en")[one] != one] == []


def test_chinese_is_written_as_chinese():
    texts = {one: catalog("zh-CN")[one] for one in all_messages() if re.search(r"[a-z]{2}", re.sub(r"{\w+}", "", one))}
    assert [one for one, words in texts.items() if not re.search(r"[一-鿿]", words)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogs_hold_nothing_that_no_page_says(language):
    kept = {one for _, one, _ in pages_own(language)}
    assert {one for one in kept if not one.startswith("web.")} - all_messages() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_is_told_alike_wherever_it_is_kept(language):
    told: dict[str, set[str]] = {}
    for _, message, words in pages_own(language):
        told.setdefault(message, set()).add(words)
    assert {message for message, words in told.items() if len(words) > 1} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_found_is_named_whatever_its_fact_is_called(language):
    for code, name in (("area.not_found", "area"), ("courier.not_found", "courier"), ("site.not_found", "key")):
        assert "NOPE" in text(code, {name: "NOPE"}, language)


def pages_own(language) -> list[tuple[str, str, str]]:
    """The pages' own catalogs, `web.po` and one for each audience: file, message, words."""
    found = []
    for path in sorted((LOCALES / FOLDERS[language]).glob("web*.po")):
        with path.open("rb") as source:
            found += [(path.name, str(one.id), str(one.string)) for one in read_po(source) if one.id]
    return found
