"""Names of time zones: which are known, what a renamed one is called now, and how to read one that is gone. Pure.

The IANA database renames zones and keeps the old names as links ("backward"); systems may leave these links out (Debian
moved them to `tzdata-legacy`), and a few names were dropped for good. What was written down once must stay readable.
"""

from collections.abc import Collection
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

# Old name → name of the same place today (IANA tz database, file `backward`, "alternate names" and "non-zone.tab names").
RENAMED = {
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Cordoba": "America/Argentina/Cordoba",
    "America/Ensenada": "America/Tijuana",
    "America/Godthab": "America/Nuuk",
    "America/Indianapolis": "America/Indiana/Indianapolis",
    "America/Louisville": "America/Kentucky/Louisville",
    "America/Mendoza": "America/Argentina/Mendoza",
    "America/Porto_Acre": "America/Rio_Branco",
    "America/Rosario": "America/Argentina/Cordoba",
    "America/Santa_Isabel": "America/Tijuana",
    "Asia/Ashkhabad": "Asia/Ashgabat",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Dacca": "Asia/Dhaka",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Macao": "Asia/Macau",
    "Asia/Rangoon": "Asia/Yangon",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "Asia/Thimbu": "Asia/Thimphu",
    "Asia/Ujung_Pandang": "Asia/Makassar",
    "Asia/Ulan_Bator": "Asia/Ulaanbaatar",
    "Atlantic/Faeroe": "Atlantic/Faroe",
    "Brazil/Acre": "America/Rio_Branco",
    "Brazil/DeNoronha": "America/Noronha",
    "Brazil/East": "America/Sao_Paulo",
    "Brazil/West": "America/Manaus",
    "Canada/Atlantic": "America/Halifax",
    "Canada/Central": "America/Winnipeg",
    "Canada/Eastern": "America/Toronto",
    "Canada/East-Saskatchewan": "America/Regina",
    "Canada/Mountain": "America/Edmonton",
    "Canada/Newfoundland": "America/St_Johns",
    "Canada/Pacific": "America/Vancouver",
    "Chile/Continental": "America/Santiago",
    "Chile/EasterIsland": "Pacific/Easter",
    "Cuba": "America/Havana",
    "Europe/Kiev": "Europe/Kyiv",
    "Europe/Uzhgorod": "Europe/Kyiv",
    "Europe/Zaporozhye": "Europe/Kyiv",
    "GB": "Europe/London",
    "Jamaica": "America/Jamaica",
    "Japan": "Asia/Tokyo",
    "Mexico/BajaNorte": "America/Tijuana",
    "Mexico/BajaSur": "America/Mazatlan",
    "Mexico/General": "America/Mexico_City",
    "PRC": "Asia/Shanghai",
    "Pacific/Enderbury": "Pacific/Kanton",
    "Portugal": "Europe/Lisbon",
    "US/Alaska": "America/Anchorage",
    "US/Arizona": "America/Phoenix",
    "US/Central": "America/Chicago",
    "US/Eastern": "America/New_York",
    "US/Hawaii": "Pacific/Honolulu",
    "US/Mountain": "America/Denver",
    "US/Pacific": "America/Los_Angeles",
    "US/Pacific-New": "America/Los_Angeles",
}


def present_name(zone: str) -> str:
    """What a renamed zone is called today; any other name as it is."""
    return RENAMED.get(zone, zone)


def place(zone: str) -> ZoneInfo:
    """The zone to reckon with. One that is gone is read by its present name, and else as UTC: a page must still open."""
    for name in (zone, present_name(zone)):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def why_no_zone(zone: str, known: Collection[str], field: str = "zone") -> Reason | None:
    """The reason why a name cannot be used, with the nearest names that can; None when it can."""
    if present_name(zone) in known:
        return None
    near = get_close_matches(zone, sorted(known), n=3, cutoff=0.6)
    if near:
        text = N_("“%(zone)s” is no time zone of the IANA database, or no longer one. Perhaps: %(near)s.")
        return Reason("no-such-zone", text, {"zone": zone, "near": ", ".join(near)}, field)
    return Reason("no-such-zone", N_("“%(zone)s” is no time zone of the IANA database. Write it as Region/City, for example America/Lima."), {"zone": zone}, field)
