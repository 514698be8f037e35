"""The database itself refuses to change or remove what was said of a file."""

from django.db import migrations

STAYS = """
CREATE FUNCTION verification_ruling_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'verification: what was said of a file is never changed';
END $$;
CREATE TRIGGER verification_ruling_stays BEFORE UPDATE OR DELETE ON verification_ruling
    FOR EACH ROW EXECUTE FUNCTION verification_ruling_stays();
"""
WITHOUT = """
DROP TRIGGER verification_ruling_stays ON verification_ruling;
DROP FUNCTION verification_ruling_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("verification", "0004_requirements_and_rulings")]
    operations = [migrations.RunSQL(STAYS, WITHOUT)]
