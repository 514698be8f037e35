"""The one formatter of dates, times, lengths of time, numbers, money and sizes: CLDR data through Babel.

Django's own formats disagree with CLDR in some languages, so nothing else formats a value: templates use the filters of
`compliance.look`, texts to players call these functions with the player's language and zone. Unless told otherwise the
active language and the active time zone decide, which a middleware sets to those of the person who looks.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, get_timezone_location
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision
from babel.units import format_unit
from django.utils import timezone
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

# Plain English is American: dates such as 11/21/2026 that nobody else reads right. Staff get British dates.
LOCALES = {"en": "en_GB", "zh-hans": "zh_Hans"}
MINUTE, HOUR, DAY = 60, 3600, 86400


@lru_cache(maxsize=64)
def locale_of(language: str | None) -> Locale:
    """The CLDR locale of a language code as Django writes it ("tr", "zh-hans"); English when CLDR does not know it."""
    code = language or "en"
    try:
        return Locale.parse(LOCALES.get(code, to_locale(code)))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en_GB")


def _locale(language: str | None = None) -> Locale:
    return locale_of(language or get_language())


def _local(moment: datetime, zone: tzinfo | None = None) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("moment: a time without a zone cannot be shown. Store it in UTC with its zone.")
    return moment.astimezone(zone or timezone.get_current_timezone())


def day(value: date | datetime, *, zone: tzinfo | None = None, language: str | None = None) -> str:
    """A calendar day: "21 Kas 2026". A moment is taken to its day in the zone."""
    shown = _local(value, zone).date() if isinstance(value, datetime) else value
    return str(format_date(shown, "medium", locale=_locale(language)))


def clock(moment: datetime, *, zone: tzinfo | None = None, language: str | None = None) -> str:
    """The time of day as the language writes it: "17:05"."""
    shown = _local(moment, zone)
    return str(format_time(shown, "short", tzinfo=shown.tzinfo, locale=_locale(language)))


def full_moment(moment: datetime, *, zone: tzinfo | None = None, language: str | None = None) -> str:
    """Day, time and the zone by name, for anything that may be read elsewhere: "21 Kas 2026 17:05 İstanbul (UTC+3)"."""
    shown = _local(moment, zone)
    parts = (day(moment, zone=zone, language=language), clock(moment, zone=zone, language=language))
    return " ".join((*parts, zone_name(shown, language=language)))


def near_moment(moment: datetime, *, now: datetime) -> str:
    """As people say it: "Bugün 12:50", "Dün 18:00", "23 Kas Pzt 11:00", and the year when it is another one."""
    shown, today = _local(moment), _local(now).date()
    at = {"time": clock(moment)}
    away = (shown.date() - today).days
    if away == 0:
        return _("Today %(time)s") % at
    if away == 1:
        return _("Tomorrow %(time)s") % at
    if away == -1:
        return _("Yesterday %(time)s") % at
    if shown.year != today.year:
        return f"{day(moment)} {at['time']}"
    return f"{format_skeleton('MMMEd', shown.replace(tzinfo=None), locale=_locale())} {at['time']}"


def near_day(value: date | datetime, *, now: datetime) -> str:
    """The heading of a day in a history: "Bugün, 21 Kas 2026"."""
    shown = _local(value).date() if isinstance(value, datetime) else value
    away = (shown - _local(now).date()).days
    words = {0: _("Today, %(day)s"), -1: _("Yesterday, %(day)s"), 1: _("Tomorrow, %(day)s")}
    return words.get(away, "%(day)s") % {"day": day(shown)}


def iso(moment: datetime) -> str:
    """UTC to the second, for the `datetime` of <time> and for files: "2026-11-21T14:05:00Z"."""
    return _local(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def zone_name(moment: datetime | None = None, *, zone: tzinfo | None = None, language: str | None = None) -> str:
    """The zone by its city and its distance from UTC on that day: "İstanbul (UTC+3)"."""
    if moment is not None and zone is None:
        zone = moment.tzinfo
    zone = zone or timezone.get_current_timezone()
    shown = (moment or datetime.now(UTC)).astimezone(zone)
    key = getattr(zone, "key", "UTC")
    if key == "UTC":
        return "UTC"
    minutes = int((shown.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes >= 0 else "\N{MINUS SIGN}"
    offset = f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")
    city = get_timezone_location(ZoneInfo(key), locale=_locale(language), return_city=True)
    return f"{city} ({offset})"


def length(span: timedelta, *, language: str | None = None) -> str:
    """A length of time in its two largest units, one from two days on: "16 sa. 42 dk.", "3 gün". Never negative."""
    seconds = abs(int(span.total_seconds()))
    days, hours, minutes = seconds // DAY, seconds % DAY // HOUR, seconds % HOUR // MINUTE
    if days >= 2:
        parts = [(days, "day")]
    elif days:
        parts = [(days, "day"), (hours, "hour")]
    elif hours:
        parts = [(hours, "hour"), (minutes, "minute")]
    else:
        parts = [(minutes, "minute")]
    shown = [part for part in parts if part[0]] or parts[-1:]
    locale = _locale(language)
    return " ".join(_short(count, unit, locale) for count, unit in shown)


@lru_cache(maxsize=4096)
def _short(count: int, unit: str, locale: Locale) -> str:
    """A list shows the same few lengths over and over."""
    return str(format_unit(count, f"duration-{unit}", length="short", locale=locale))


def duration(count: int, unit: str, *, language: str | None = None) -> str:
    """So many hours, days, months or years, in full: (8, "year") is "8 yıl"."""
    # Where the long words are those of the short ones, as "gün" in Turkish, Babel has none and names the unit's code.
    forms = (
        format_unit(count, f"duration-{unit}", length=size, locale=_locale(language)) for size in ("long", "short")
    )
    return next(words for words in forms if "duration-" not in words)


COUNTED = 1000  # counts of cases stop here and say "1,000+": counting on would cost more than it tells


def number(value: int | float, *, language: str | None = None) -> str:
    return str(format_decimal(value, locale=_locale(language)))


def percent(share: float, *, language: str | None = None) -> str:
    """A share of one as per cent: 0.25 is "%25" in Turkish."""
    return str(format_percent(share, locale=_locale(language)))


def money(minor: int, currency: str, *, language: str | None = None) -> str:
    """Integer minor units and an ISO 4217 code: (123456750, "TRY") is "₺1.234.567,50" in Turkish."""
    value = minor / 10 ** get_currency_precision(currency)
    return str(format_currency(value, currency, locale=_locale(language)))


def amount(value: Decimal, currency: str, *, language: str | None = None) -> str:
    """An amount in the currency's main unit, as policies write it: (Decimal("185000.00"), "TRY") is "₺185.000,00"."""
    return str(format_currency(value, currency, locale=_locale(language)))


def size(count: int, *, language: str | None = None) -> str:
    """Bytes in decimal units, as file managers count them: 2_100_000 is "2,1 MB"."""
    for unit, step in (("gigabyte", 10**9), ("megabyte", 10**6), ("kilobyte", 10**3)):
        if count >= step:
            rounded = round(count / step, 1 if count < 100 * step else 0)
            return format_unit(rounded, f"digital-{unit}", length="short", locale=_locale(language))
    return format_unit(count, "digital-byte", length="short", locale=_locale(language))


def listed(items: list[str], *, language: str | None = None) -> str:
    """Words in a row with the language's "and": "ad, doğum tarihi ve adres"."""
    return str(format_list(items, locale=_locale(language)))


def stamp(moment: datetime, *, zone: tzinfo | None = None) -> str:
    """Digits only, for the log, where order and width matter more than habit: "2026-11-21 07:42:18"."""
    return _local(moment, zone).strftime("%Y-%m-%d %H:%M:%S")
