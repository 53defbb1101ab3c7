"""Every country stands in one region of each level, and names are told in four languages."""

from collections import Counter

from vsm.observatory.geography import aggregate, countries, members, name_of, published_as, regions


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
