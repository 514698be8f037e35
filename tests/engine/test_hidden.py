"""What a case tells of another one that is restricted or was merged into it, and what a merged case still does."""

import base64
import itertools
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, WrongState
from cases import restricting
from cases import services as engine
from cases.models import Case, CaseUserPermission
from cases.permissions import DECIDE, VIEW, WORK, may
from cases.relations import merging
from cases.relations import services as relations
from cases.relations.models import Link
from cases.tags import services as tags
from cases.types.verification import deadlines
from cases.types.verification import services as verification
from cases.types.verification.models import Verification, VerificationFacts
from compliance.outbox.models import OutboxRow
from tests.cases.test_api import platform
from tests.engine.test_pages import fresh, page, post
from tests.papers import a_file, bring

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def case(world):
    return world.verification("L1")


@pytest.fixture
def hidden(world):
    """A case that only Bob sees."""
    return restricting.restrict(world.verification("L1"), to=[], by=world.bob, because="sensitive")


def held(case, right):
    rows = CaseUserPermission.objects.filter(content_object_id=case.pk, permission__codename=right)
    return {row.user for row in rows.select_related("user")}


def told_of(case, what):
    return OutboxRow.objects.filter(kind="cases.happened", payload__what=what, payload__case_id=str(case.pk)).count()


def lines(case, action):
    return Entry.objects.filter(action=action, matter=case.number).count()


@pytest.mark.parametrize("from_the_hidden_one", [True, False])
def test_only_the_restricted_side_of_a_link_tells_of_it(from_the_hidden_one, world, client, case, hidden):
    one, other = (hidden, case) if from_the_hidden_one else (case, hidden)
    assert post(client, world.bob, "link", one.number, other=other.number, kind="see").status_code == 302
    made = Link.objects.get()
    assert (lines(case, "relations.link"), lines(hidden, "relations.link")) == (0, 1)
    assert (told_of(case, "linked"), told_of(hidden, "linked")) == (0, 1)
    assert hidden.number not in page(client, world.bob, case).split('id="links"')[-1].split("</section>")[0]
    assert relations.links_of(fresh(case), user=world.bob) == []
    assert case.number in page(client, world.bob, hidden)
    assert post(client, world.bob, "unlink", case.number, made.pk).status_code == 404
    assert post(client, world.bob, "unlink", hidden.number, made.pk).status_code == 302
    assert (lines(case, "relations.unlink"), lines(hidden, "relations.unlink")) == (0, 1)


def test_the_count_of_a_tag_leaves_out_cases_one_does_not_see(world, client, case, hidden):
    tag = tags.make(world.licensee, "Proof of funds", by=world.bob)
    for each in (case, hidden):
        tags.put(each, tag, by=world.bob)
    counted = {}
    for user in (world.alice, world.bob):
        client.force_login(user)
        shown = client.get(reverse("cases:tags")).content.decode()
        counted[user] = int(re.search(r"Proof of funds</a>\s*</td><td[^>]*>(\d+)", shown)[1])
    assert counted == {world.alice: 1, world.bob: 2}


class TestMerged:
    @pytest.fixture
    def three(self, world):
        """Two cases that were withdrawn and the one that goes on; due in 5, 3 and 10 hours."""
        account, now = world.account(), timezone.now()
        made = []
        for hours in (5, 3, 10):
            case = verification.open(account, level="L1", by=world.alice)
            if hours != 10:
                verification.withdraw(case, by=world.alice)
            made.append(case)
            Case.objects.filter(pk=case.pk).update(due_at=now + hours * HOUR)
        return [fresh(case) for case in made], now

    @pytest.fixture
    def pair(self, three, world):
        """The first of them merged into the one that goes on."""
        (source, _second, target), _now = three
        merging.merge(source, target, by=world.alice, because="goes_on")
        return Verification.objects.get(pk=source.pk), Verification.objects.get(pk=target.pk)

    def test_both_halves_are_restricted_and_opened_together_with_the_same_grants(self, world, pair):
        restricting.restrict(pair[1], to=[world.alice], by=world.bob, because="sensitive")
        for right in (VIEW, WORK, DECIDE):
            assert len({frozenset(held(half, right)) for half in pair}) == 1
        assert set(held(pair[0], VIEW)) == {world.alice, world.bob}
        assert not Case.objects.visible_to(world.erin).filter(pk__in=[half.pk for half in pair]).exists()
        assert [lines(half, "cases.restrict") for half in pair] == [1, 1]
        merging.unmerge(merging.taken_in(pair[1])[0], by=world.bob)
        assert may(world.alice, WORK, pair[0])
        assert not may(world.erin, VIEW, pair[0])
        merging.merge(fresh(pair[0]), fresh(pair[1]), by=world.alice, because="goes_on")
        restricting.unrestrict(fresh(pair[1]), by=world.bob)
        assert Case.objects.visible_to(world.erin).filter(pk__in=[half.pk for half in pair]).count() == 2
        assert not any(held(half, VIEW) for half in pair)

    @pytest.mark.parametrize("shown", [0, 1])
    def test_the_other_number_is_for_who_may_see_the_other(self, shown, world, client, pair):
        seen, other = pair[shown], pair[1 - shown]
        engine.write_message(other, "received", by=world.alice, text="Of the other half.")
        assert other.number in page(client, world.erin, seen)
        Case.objects.filter(pk=other.pk).update(restricted=True)
        told = page(client, world.erin, seen)
        assert other.number not in told
        assert "another case" in told
        assert "Of the other half." not in told

    def test_a_merged_case_takes_no_file_and_says_where_it_belongs(self, world, client, pair):
        source, target = pair
        with pytest.raises(ConditionsNotMet, match=target.number):
            bring(source, "identity_front", "passport", by=world.alice, inspected=False)
        with pytest.raises(Denied):
            bring(source, "identity_front", "passport", by=world.mallory, inspected=False)
        document = bring(target, "identity_front", "passport", by=world.alice, inspected=False).document
        with pytest.raises(ConditionsNotMet, match=target.number):  # the door of misfiled files and of letters
            engine.attach(source, document, purpose="address", document_type="utility_bill", by=world.alice)
        Case.objects.filter(pk=target.pk).update(restricted=True)
        with pytest.raises(ConditionsNotMet, match="merged into another one"):
            bring(source, "identity_front", "passport", by=world.alice, inspected=False)
        assert not source.evidence.exists()

    def test_what_the_platform_brings_goes_to_the_case_that_goes_on(self, world, client, pair):
        source, target = pair
        api = platform(world, client)
        handed = api.hand_in(source.number, a_file())
        assert handed.status_code == 201, handed.content
        assert (source.evidence.count(), target.evidence.count()) == (0, 1)
        back = {
            "purpose": "identity_back",
            "document_type": "national_id",
            "filename": "b.jpg",
            "filetype": "image/jpeg",
        }
        data, tus = a_file(), api.headers | {"Tus-Resumable": "1.0.0"}
        said = ",".join(f"{key} {base64.b64encode(word.encode()).decode()}" for key, word in back.items())
        begun = client.post(
            f"/api/v1/cases/{source.number}/uploads",
            headers=tus | {"Upload-Length": str(len(data)), "Upload-Metadata": said},
        )
        piece = {"data": data, "content_type": "application/offset+octet-stream"}
        sent = client.patch(begun["Location"], headers=tus | {"Upload-Offset": "0"}, **piece)
        assert (begun.status_code, sent.status_code) == (201, 204), sent.content
        assert (source.evidence.count(), target.evidence.count()) == (0, 2)
        Case.objects.filter(pk=target.pk).update(restricted=True)
        refused = api.hand_in(source.number, a_file())
        assert refused.status_code == 422
        assert target.number not in refused.content.decode()

    def test_a_merged_case_does_not_lapse(self, world):
        waiting, target = world.verification("L1"), world.verification("L1")
        verification.review(waiting, by=world.alice)
        evidence = bring(waiting, "identity_front", "passport", by=world.alice, inspected=False)
        engine.ask_again(evidence, by=world.alice, reasons=["image_glare"])
        waiting = verification.ask(waiting, by=world.alice)
        VerificationFacts.objects.filter(case=waiting).update(answer_due_at=timezone.now() - HOUR)
        Case.objects.filter(pk=waiting.pk).update(merged_into=target)
        assert deadlines.lapse_overdue() == 0
        with pytest.raises(WrongState, match="merged"):
            deadlines.lapse(waiting)
        assert fresh(waiting).state == "waiting"
        Case.objects.filter(pk=waiting.pk).update(merged_into=None)
        assert deadlines.lapse_overdue() == 1

    @pytest.mark.parametrize("order", list(itertools.permutations([0, 1])))
    @pytest.mark.parametrize("merged_in", list(itertools.permutations([0, 1])))
    def test_of_two_merges_each_can_be_undone_first(self, merged_in, order, world, three):
        (*sources, target), now = three
        # A player has one open verification; other kinds know no such rule, and an open source's due time counts.
        Case.objects.filter(customer=target.customer).update(kind="made_up", closed_at=None, outcome="")
        done = {}
        for index in merged_in:
            done[index] = merging.merge(sources[index], target, by=world.alice, because="goes_on")
        assert fresh(target).due_at == now + 3 * HOUR
        merging.unmerge(done[order[0]], by=world.bob)
        assert fresh(target).due_at == now + (3 if order[0] == 0 else 5) * HOUR
        merging.unmerge(done[order[1]], by=world.bob)
        assert fresh(target).due_at == now + 10 * HOUR
        assert [fresh(one).due_at for one in sources] == [one.due_at for one in sources]
