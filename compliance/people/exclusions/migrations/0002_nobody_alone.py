"""The database refuses whatever would end an exclusion early: by any program, any person, a superuser of the product.

What opens it: its own end by this database's clock while nobody moved it, a return that two people accepted in the same
transaction and whose wait is over, an annulment that two people decided in the same transaction.
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION exclusions_two_decided(subject uuid, which text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM proposals_proposal
        WHERE subject_id = subject AND act = which AND state = 'performed'
          AND decided_at = transaction_timestamp() AND maker_human_id <> checker_human_id)
$$;

CREATE FUNCTION exclusions_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'exclusions: % of % is refused', TG_OP, TG_TABLE_NAME;
END $$;

CREATE FUNCTION exclusions_keep() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := clock_timestamp();
BEGIN
    IF (NEW.id, NEW.person_id, NEW.licensee_id, NEW.restriction_id, NEW.kind, NEW.asked_by, NEW.scope, NEW.starts_at,
        NEW.carried_from_id)
        IS DISTINCT FROM
       (OLD.id, OLD.person_id, OLD.licensee_id, OLD.restriction_id, OLD.kind, OLD.asked_by, OLD.scope, OLD.starts_at,
        OLD.carried_from_id) THEN
        RAISE EXCEPTION 'exclusions: whom it keeps out, and since when, does not change';
    END IF;
    IF coalesce(NEW.ends_at, 'infinity') < coalesce(OLD.ends_at, 'infinity')
       OR coalesce(NEW.term_ends_at, 'infinity') < coalesce(OLD.term_ends_at, 'infinity')
       OR coalesce(NEW.return_from, 'infinity') < coalesce(OLD.return_from, 'infinity') THEN
        RAISE EXCEPTION 'exclusions: an end may only move later';
    END IF;
    IF NEW.state = OLD.state THEN
        IF (NEW.cooling_ends_at, NEW.confirm_until) IS DISTINCT FROM (OLD.cooling_ends_at, OLD.confirm_until) THEN
            RAISE EXCEPTION 'exclusions: the time to reflect does not change';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.state = 'annulled' AND OLD.state <> 'ended' AND exclusions_two_decided(OLD.id, 'gaming.annul') THEN
        RETURN NEW;
    END IF;
    IF NEW.state = 'active' AND OLD.state IN ('return_requested', 'cooling') THEN
        RETURN NEW;
    END IF;
    IF NEW.state = 'persisting' AND OLD.state = 'active' THEN
        RETURN NEW;
    END IF;
    IF NEW.state = 'return_requested' AND OLD.state IN ('active', 'persisting') AND OLD.return_from <= at THEN
        RETURN NEW;
    END IF;
    IF NEW.state = 'cooling' AND OLD.state = 'return_requested' AND NEW.cooling_ends_at > at
       AND exclusions_two_decided(OLD.id, 'gaming.accept_return') THEN
        RETURN NEW;
    END IF;
    IF NEW.state = 'ended' AND OLD.state = 'cooling' AND OLD.cooling_ends_at <= at
       AND (OLD.confirm_until IS NULL OR OLD.confirm_until > at) THEN
        RETURN NEW;
    END IF;
    IF NEW.state = 'ended' AND OLD.state IN ('active', 'persisting') AND OLD.ends_at <= at
       AND EXISTS (SELECT 1 FROM exclusions_clockmark
                   WHERE seen_at BETWEEN at - interval '1 day' AND at + interval '1 day') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'exclusions: from % to % is not possible now, by nobody alone', OLD.state, NEW.state;
END $$;

CREATE FUNCTION exclusions_keep_duplicate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.person_id, NEW.customer_id, NEW.restriction_id)
        IS DISTINCT FROM (OLD.id, OLD.person_id, OLD.customer_id, OLD.restriction_id) THEN
        RAISE EXCEPTION 'exclusions: whom it is about does not change';
    END IF;
    IF NEW.state = OLD.state OR (NEW.state = 'confirmed' AND OLD.state = 'open') THEN
        RETURN NEW;
    END IF;
    IF NEW.state = 'cleared' AND OLD.state = 'open' AND exclusions_two_decided(OLD.id, 'gaming.clear_duplicate') THEN
        RETURN NEW;
    END IF;
    IF NEW.state = 'over' AND OLD.state IN ('open', 'confirmed') AND NOT exclusions_is_out(OLD.person_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'exclusions: a probable duplicate is cleared by two persons';
END $$;

CREATE FUNCTION exclusions_is_out(who uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM exclusions_exclusion WHERE person_id = who AND state NOT IN ('ended', 'annulled'))
$$;

CREATE FUNCTION exclusions_keep_suppressed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR exclusions_is_out(OLD.person_id) THEN
        RAISE EXCEPTION 'exclusions: what an excluded person is known by stays';
    END IF;
    RETURN OLD;
END $$;

CREATE FUNCTION exclusions_keep_restriction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM exclusions_exclusion
                   WHERE restriction_id = OLD.id AND state NOT IN ('ended', 'annulled'))
       AND NOT EXISTS (SELECT 1 FROM exclusions_duplicate
                       WHERE restriction_id = OLD.id AND state IN ('open', 'confirmed')) THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' OR NEW.lifted_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.starts_at > OLD.starts_at
       OR coalesce(NEW.until, 'infinity') < coalesce(OLD.until, 'infinity')
       OR (OLD.stops_sign_in AND NOT NEW.stops_sign_in) OR (OLD.stops_deposit AND NOT NEW.stops_deposit)
       OR (OLD.stops_play AND NOT NEW.stops_play) OR (OLD.stops_withdraw AND NOT NEW.stops_withdraw)
       OR (OLD.stops_marketing AND NOT NEW.stops_marketing)
       OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.account_id IS DISTINCT FROM OLD.account_id
       OR (NEW.customer_id IS DISTINCT FROM OLD.customer_id AND NOT EXISTS (
              SELECT 1 FROM people_customer now, people_customer before
              WHERE now.id = NEW.customer_id AND before.id = OLD.customer_id AND now.person_id = before.person_id)) THEN
        RAISE EXCEPTION 'exclusions: what keeps an excluded person out is not weakened';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION exclusions_keep_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.person_id <> OLD.person_id AND EXISTS (
        SELECT 1 FROM exclusions_exclusion one
        WHERE one.person_id = OLD.person_id AND one.state NOT IN ('ended', 'annulled') AND NOT EXISTS (
            SELECT 1 FROM exclusions_exclusion other
            WHERE other.person_id = NEW.person_id AND other.state NOT IN ('ended', 'annulled')
              AND coalesce(other.ends_at, 'infinity') >= coalesce(one.ends_at, 'infinity')
              AND coalesce(other.return_from, 'infinity') >= coalesce(one.return_from, 'infinity'))) THEN
        RAISE EXCEPTION 'exclusions: an excluded person does not become another one';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER exclusions_keep BEFORE UPDATE ON exclusions_exclusion
    FOR EACH ROW EXECUTE FUNCTION exclusions_keep();
CREATE TRIGGER exclusions_refuse BEFORE DELETE ON exclusions_exclusion
    FOR EACH ROW EXECUTE FUNCTION exclusions_refuse();
CREATE TRIGGER exclusions_refuse_whole BEFORE TRUNCATE ON exclusions_exclusion
    FOR EACH STATEMENT EXECUTE FUNCTION exclusions_refuse();
CREATE TRIGGER exclusions_keep BEFORE UPDATE ON exclusions_duplicate
    FOR EACH ROW EXECUTE FUNCTION exclusions_keep_duplicate();
CREATE TRIGGER exclusions_refuse BEFORE DELETE ON exclusions_duplicate
    FOR EACH ROW EXECUTE FUNCTION exclusions_refuse();
CREATE TRIGGER exclusions_refuse_whole BEFORE TRUNCATE ON exclusions_duplicate
    FOR EACH STATEMENT EXECUTE FUNCTION exclusions_refuse();
CREATE TRIGGER exclusions_keep BEFORE UPDATE OR DELETE ON exclusions_suppressed
    FOR EACH ROW EXECUTE FUNCTION exclusions_keep_suppressed();
CREATE TRIGGER exclusions_refuse_whole BEFORE TRUNCATE ON exclusions_suppressed
    FOR EACH STATEMENT EXECUTE FUNCTION exclusions_refuse();
CREATE TRIGGER exclusions_refuse BEFORE UPDATE OR DELETE ON exclusions_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION exclusions_refuse();
CREATE TRIGGER exclusions_refuse_whole BEFORE TRUNCATE ON exclusions_ledgerentry
    FOR EACH STATEMENT EXECUTE FUNCTION exclusions_refuse();
CREATE TRIGGER exclusions_keep BEFORE UPDATE OR DELETE ON people_restriction
    FOR EACH ROW EXECUTE FUNCTION exclusions_keep_restriction();
CREATE TRIGGER exclusions_refuse_whole BEFORE TRUNCATE ON people_restriction
    FOR EACH STATEMENT EXECUTE FUNCTION exclusions_refuse();
CREATE TRIGGER exclusions_keep_person BEFORE UPDATE OF person_id ON people_customer
    FOR EACH ROW EXECUTE FUNCTION exclusions_keep_person();
"""
WITHOUT = """
DROP TRIGGER exclusions_keep_person ON people_customer;
DROP TRIGGER exclusions_refuse_whole ON people_restriction;
DROP TRIGGER exclusions_keep ON people_restriction;
DROP TRIGGER exclusions_refuse_whole ON exclusions_ledgerentry;
DROP TRIGGER exclusions_refuse ON exclusions_ledgerentry;
DROP TRIGGER exclusions_refuse_whole ON exclusions_suppressed;
DROP TRIGGER exclusions_keep ON exclusions_suppressed;
DROP TRIGGER exclusions_refuse_whole ON exclusions_duplicate;
DROP TRIGGER exclusions_refuse ON exclusions_duplicate;
DROP TRIGGER exclusions_keep ON exclusions_duplicate;
DROP TRIGGER exclusions_refuse_whole ON exclusions_exclusion;
DROP TRIGGER exclusions_refuse ON exclusions_exclusion;
DROP TRIGGER exclusions_keep ON exclusions_exclusion;
DROP FUNCTION exclusions_keep_person(), exclusions_keep_restriction(), exclusions_keep_suppressed(),
    exclusions_keep_duplicate(), exclusions_is_out(uuid), exclusions_keep(), exclusions_refuse(),
    exclusions_two_decided(uuid, text);
"""


class Migration(migrations.Migration):
    dependencies = [("exclusions", "0001_initial"), ("proposals", "0004_aml_log")]
    operations = [migrations.RunSQL(GUARDS, WITHOUT)]
