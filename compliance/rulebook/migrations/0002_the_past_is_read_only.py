"""The database itself refuses to change or remove a set that was decided: cases pinned it."""

from django.db import migrations

FROZEN = """
CREATE FUNCTION rulebook_ruleset_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'draft' THEN
        RAISE EXCEPTION 'rulebook: the set % was decided and does not change', OLD.code;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.values, NEW.effective_from, NEW.code, NEW.licensee_id, NEW.base, NEW.made_by_id)
        IS DISTINCT FROM (OLD.values, OLD.effective_from, OLD.code, OLD.licensee_id, OLD.base, OLD.made_by_id) THEN
        RAISE EXCEPTION 'rulebook: a draft is decided as it was written; write another one';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rulebook_ruleset_frozen BEFORE UPDATE OR DELETE ON rulebook_ruleset
    FOR EACH ROW EXECUTE FUNCTION rulebook_ruleset_frozen();
"""
WITHOUT = """
DROP TRIGGER rulebook_ruleset_frozen ON rulebook_ruleset;
DROP FUNCTION rulebook_ruleset_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [("rulebook", "0001_initial")]
    operations = [migrations.RunSQL(FROZEN, WITHOUT)]
