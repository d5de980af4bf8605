"""Keys of merge rules: what counts as the same person."""

from processor.domain.directory.effect_keys import effect_key
from processor.domain.directory.matching import lookup_keys, stored_keys

RULES = (("email", "phone"), ("email",))


def test_compares_trimmed_and_without_regard_to_case() -> None:
    assert lookup_keys([("email",)], {"email": " Ann@X.example "}) == lookup_keys(
        [("email",)], {"email": "ann@x.example"}
    )


def test_skips_a_rule_with_an_empty_field() -> None:
    assert len(lookup_keys(RULES, {"email": "a@x", "phone": " "})) == 1
    assert len(lookup_keys(RULES, {"email": "a@x", "phone": "1"})) == 2


def test_ext_ref_is_the_last_rule_only_when_none_is_complete() -> None:
    assert lookup_keys([("extRef",)], {"extRef": "u"}) == lookup_keys(RULES, {"extRef": "u"})
    assert lookup_keys(RULES, {"extRef": "u", "email": "a@x"}) == lookup_keys(RULES, {"email": "a@x"})
    assert lookup_keys(RULES, {"firstName": "Ann", "unsubscribed": True}) == []


def test_a_contact_can_be_found_by_each_complete_rule_and_by_ext_ref() -> None:
    values = {"extRef": "u", "email": "a@x", "phone": "1"}
    assert len(stored_keys(RULES, values)) == 3
    assert len(stored_keys([("extRef",)], values)) == 1


def test_keys_go_by_names_not_by_the_rule_s_position_and_fields_do_not_run_together() -> None:
    assert set(stored_keys(RULES, {"email": "a", "phone": "b"})) == set(
        stored_keys(RULES[::-1], {"email": "a", "phone": "b"})
    )
    assert lookup_keys([("email", "phone")], {"email": "a", "phone": "b"}) != lookup_keys(
        [("email", "phone")], {"email": "a\x1fb", "phone": "c"}
    )


def test_an_effect_key_tells_kinds_sources_mappings_and_messages_apart() -> None:
    keys = {
        effect_key(*parts)
        for parts in (("run", "a", "b", "c"), ("call", "a", "b", "c"), ("run", "x", "b", "c"), ("run", "a", "b", "y"))
    }
    assert len(keys) == 4
    assert all(len(key) == 16 for key in keys)
