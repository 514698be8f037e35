"""One formatter: CLDR in every language, the zone of the person who looks, and the words of a due time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.template import engines
from django.utils import timezone, translation

from audit.forms import DayBox
from compliance import formats, look

NOON = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)  # 12:00 in Istanbul
ISTANBUL = ZoneInfo("Europe/Istanbul")


@pytest.fixture(autouse=True)
def in_turkish_in_istanbul():
    with translation.override("tr"), timezone.override(ISTANBUL):
        yield


def test_turkish_numbers_money_and_percent_follow_cldr():
    assert formats.percent(0.25) == "%25"
    assert formats.money(123456750, "TRY") == "₺1.234.567,50"
    assert formats.number(1204902) == "1.204.902"
    assert formats.size(2_100_000) == "2,1 MB"


def test_money_knows_how_many_minor_units_a_currency_has():
    assert formats.money(1500, "JPY", language="en") == "JP¥1,500"
    assert formats.money(1500, "KWD", language="en") == "KWD1.500"


def test_plain_english_is_british():
    assert formats.day(NOON, language="en") == "21 Nov 2026"


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("tr", "21 Kas 2026"),
        ("de", "21.11.2026"),
        ("ru", "21 нояб. 2026 г."),
        ("zh-hans", "2026年11月21日"),
    ],
)
def test_a_day_is_written_as_the_language_writes_it(language, shown):
    assert " ".join(formats.day(NOON, language=language).split()) == shown


def test_a_box_for_a_day_holds_what_a_browser_reads_in_every_language():
    assert 'type="date"' in DayBox().render("on", NOON.date()) and 'value="2026-11-21"' in DayBox().render(
        "on", NOON.date()
    )


def test_every_box_for_a_day_is_that_one():
    others = [
        str(file)
        for package in ("audit", "cases", "compliance", "documents")
        for file in (settings.BASE_DIR / package).rglob("*.py")
        if "DateInput(" in file.read_text().replace("class DayBox(forms.DateInput)", "")
    ]
    assert others == []


def test_a_moment_in_full_names_its_zone():
    assert formats.full_moment(NOON) == "21 Kas 2026 12:00 İstanbul (UTC+3)"
    assert formats.full_moment(NOON, zone=UTC).endswith("09:00 UTC")


def test_a_zone_off_the_hour_says_its_minutes():
    assert formats.zone_name(NOON, zone=ZoneInfo("Asia/Kolkata"), language="en") == "Kolkata (UTC+5:30)"


@pytest.mark.parametrize(
    ("hours", "shown"),
    [
        (1, "Bugün 13:00"),
        (-13, "Dün 23:00"),
        (24, "Yarın 12:00"),
        (48, "23 Kas Pzt 12:00"),
        (24 * 60, "20 Oca 2027 12:00"),
    ],
)
def test_a_near_moment_is_said_as_people_say_it(hours, shown):
    assert formats.near_moment(NOON + timedelta(hours=hours), now=NOON) == shown


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        formats.clock(datetime(2026, 11, 21, 9, 0))  # noqa: DTZ001


def test_an_unknown_language_falls_back_to_english():
    assert formats.day(NOON, language="xx") == "21 Nov 2026"


@pytest.mark.parametrize(
    ("minutes", "tone", "shape"),
    [(-1, "bad", "late"), (0, "bad", "late"), (60, "soon", "due"), (150, "soon", "due"), (151, "", "due")],
)
def test_a_due_time_turns_amber_in_its_last_quarter_and_red_when_it_has_passed(minutes, tone, shape):
    due_at = NOON + timedelta(minutes=minutes)
    shown = look.due(due_at, since=due_at - timedelta(hours=10), now=NOON)
    assert (shown["tone"], shown["shape"]) == (tone, shape)


def test_a_due_time_says_how_late_it_is():
    assert look.due(NOON - timedelta(hours=16, minutes=42), now=NOON)["words"] == "16 sa. 42 dk. gecikti"
    assert look.due(NOON + timedelta(days=2, hours=3), now=NOON)["words"] == "2 gün kaldı"


def test_a_paused_clock_is_never_late():
    assert look.due(NOON - timedelta(days=9), paused=True, now=NOON)["tone"] == ""


def test_without_a_due_time_there_is_nothing_to_say():
    assert look.due(None) is None


@pytest.mark.parametrize("language", ["en", "tr", "de", "ru", "ar", "zh-hans"])
def test_a_length_of_time_has_words_in_every_language(language):
    shown = formats.length(timedelta(hours=3, minutes=8), language=language)
    assert "3" in shown and "8" in shown and "duration" not in shown


@pytest.mark.parametrize("language", ["en", "tr", "de", "ru", "ar", "zh-hans"])
@pytest.mark.parametrize("unit", ["minute", "hour", "day", "week", "month", "year"])
def test_a_period_has_words_in_every_language(language, unit):
    shown = formats.duration(6, unit, language=language)
    assert "6" in shown and "duration" not in shown


def test_a_period_is_in_full_where_there_are_words_for_it():
    assert [formats.duration(6, unit, language="tr") for unit in ("hour", "day", "month")] == [
        "6 saat",
        "6 gün",
        "6 ay",
    ]
    assert formats.duration(6, "month", language="en") == "6 months"


def render(source, **context):
    return engines["django"].from_string(source).render(context)


def test_a_number_stays_left_to_right_and_is_escaped():
    assert render("{% number_name n %}", n="KYC-26-004813-9") == '<bdi dir="ltr">KYC-26-004813-9</bdi>'
    assert "<b>" not in render("{{ n|ltr }}", n="<b>")


def test_a_long_value_may_break_and_a_short_one_may_not():
    assert render("{{ n|ltr }}", n="bob@example.com") == '<bdi dir="ltr">bob@example.com</bdi>'
    assert render("{{ n|ltr }}", n="key_ends_soon: bob@long.example.com").startswith('<bdi dir="ltr" class="long">')


def test_a_time_carries_utc_for_machines_and_its_zone_for_people():
    shown = render("{{ at|clock }}", at=NOON)
    assert 'datetime="2026-11-21T09:00:00Z"' in shown
    assert 'title="21 Kas 2026 12:00 İstanbul (UTC+3)"' in shown
    assert ">12:00<" in shown


def test_an_icon_that_does_not_exist_is_refused_by_name():
    with pytest.raises(ValueError, match="'skull' is not in static/icons.svg"):
        look.icon("skull")


def test_a_file_that_leaves_the_house_shows_utc_whoever_made_it():
    assert render("{{ at|utc }}", at=NOON) == "2026-11-21 09:00:00"
    assert ">2026-11-21 12:00:00<" in render("{{ at|stamp }}", at=NOON)
