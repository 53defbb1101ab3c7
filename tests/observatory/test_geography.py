"""Every country stands in one region of each level, and names are told in four languages."""

from collections import Counter

from vsm.observatory.geography import aggregate, countries, groupings, members, name_of, published_as, regions


def test_the_seven_regions_make_the_world_without_overlap() -> None:
    seven = [code for code, region in regions().items() if region.level == 1]
    times = Counter(country for code in seven for country in members(code))
    assert (len(seven), set(times.values())) == (7, {1})
    assert set(countries()) - set(times) == {"ATA"}  # nobody's region: Antarctica


def test_a_region_is_made_of_its_parts() -> None:
    assert members("central-and-southern-asia") == members("central-asia") | members("southern-asia")
    assert members("latin-america-and-the-caribbean") == members("caribbean") | members("central-america") | members("south-america")
    assert {"PER", "BRA", "MEX", "HTI"} < members("latin-america-and-the-caribbean")
    assert members("australia-and-new-zealand") == {"AUS", "NZL", "CXR", "CCK", "HMD", "NFK"}


def test_names_are_told_in_the_readers_language_and_publishers_names_are_understood() -> None:
    assert (name_of("PER", "es"), name_of("oceania", "pt-br"), name_of("SDG: Europe", "fr"), name_of("XKX", "en")) == ("Perú", "Oceania", "Europe", "XKX")
    assert (published_as("SDG: World") or regions()["oceania"]).code == "world"


def test_a_sum_comes_with_its_coverage() -> None:
    assert aggregate({"AUS": 5.0, "NZL": 2.0, "PER": 9.0}, "australia-and-new-zealand", expected=("AUS", "NZL", "NFK")) == (7.0, 2 / 3)


def test_the_finer_regions_and_the_continents_make_the_world_too() -> None:
    for grouping in ("parts", "m49"):
        times = Counter(country for code in groupings()[grouping] for country in members(code))
        assert (grouping, set(times.values()), set(countries()) - set(times)) == (grouping, {1}, {"ATA"})


def test_a_continent_has_the_countries_of_the_regions_whose_totals_make_it() -> None:
    for code, region in groupings()["m49"].items():
        assert (code, members(code)) == (code, frozenset.union(*(members(part) for part in region.of)))


def test_groups_of_the_un_overlap_and_classes_of_the_bank_wait_for_their_list() -> None:
    assert (len(members("un-ldc") & members("un-lldc")) > 0, {"HTI", "MDV"} < members("un-sids")) == (True, True)
    assert {len(members(code)) for name in ("income", "bank") for code in groupings()[name]} == {0}
