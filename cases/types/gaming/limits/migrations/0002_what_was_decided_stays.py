"""The database itself refuses to change what was decided when a limit was asked for, and events that were reported."""

from django.db import migrations

FIXED = """
CREATE FUNCTION limits_change_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'limits: the change % is kept', OLD.receipt;
    END IF;
    IF (NEW.account_id, NEW.imposed, NEW.measure, NEW.span, NEW."window", NEW.basis, NEW.amount, NEW.currency, NEW.zone,
        NEW.anchor_at, NEW.raises, NEW.step, NEW.requires, NEW.requested_at, NEW.confirmable_at, NEW.lapses_at,
        NEW.policy_version, NEW.rule, NEW.receipt)
       IS DISTINCT FROM
       (OLD.account_id, OLD.imposed, OLD.measure, OLD.span, OLD."window", OLD.basis, OLD.amount, OLD.currency, OLD.zone,
        OLD.anchor_at, OLD.raises, OLD.step, OLD.requires, OLD.requested_at, OLD.confirmable_at, OLD.lapses_at,
        OLD.policy_version, OLD.rule, OLD.receipt) THEN
        RAISE EXCEPTION 'limits: the change % stays as it was asked for', OLD.receipt;
    END IF;
    IF OLD.state IN ('superseded', 'lapsed', 'cancelled', 'blocked') AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'limits: the change % is over', OLD.receipt;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER limits_change_fixed BEFORE UPDATE OR DELETE ON limits_limitchange
    FOR EACH ROW EXECUTE FUNCTION limits_change_fixed();
CREATE FUNCTION limits_event_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'limits: an event that was reported stays as it is';
END $$;
CREATE TRIGGER limits_event_fixed BEFORE UPDATE OR DELETE ON limits_moneyevent
    FOR EACH ROW EXECUTE FUNCTION limits_event_fixed();
"""
WITHOUT = """
DROP TRIGGER limits_event_fixed ON limits_moneyevent;
DROP FUNCTION limits_event_fixed();
DROP TRIGGER limits_change_fixed ON limits_limitchange;
DROP FUNCTION limits_change_fixed();
"""


class Migration(migrations.Migration):
    dependencies = [("limits", "0001_initial")]
    operations = [migrations.RunSQL(FIXED, WITHOUT)]
