"""Counted transactions are never changed, whatever name they are reached by: default privileges gave the application
UPDATE and DELETE on each month's own table. It reaches them through the whole table alone."""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION transactions_add_month(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    start date := date_trunc('month', month)::date;
    part text := 'transactions_transaction_' || to_char(date_trunc('month', month), '"y"YYYY"m"MM');
BEGIN
    IF start < '2000-01-01' OR start > now() + interval '1 year' THEN
        RAISE EXCEPTION 'No transactions of % are kept', start;
    END IF;
    IF to_regclass('public.' || part) IS NOT NULL THEN RETURN false; END IF;
    PERFORM pg_advisory_xact_lock(hashtext('transactions_add_month'));
    IF to_regclass('public.' || part) IS NOT NULL THEN RETURN false; END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.transactions_transaction INCLUDING ALL)', part);
    EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, mizan_app', part);
    EXECUTE format('ALTER TABLE public.transactions_transaction ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        part, start::timestamp AT TIME ZONE 'UTC', (start + interval '1 month') AT TIME ZONE 'UTC');
    RETURN true;
END $$;
"""

PARTS = """
DO $$
DECLARE part regclass;
BEGIN
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'public.transactions_transaction'::regclass LOOP
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, mizan_app', part);
    END LOOP;
END $$;
"""

# Not asked of the rows that are there: an update must not end because of one of them.
KINDS = """
ALTER TABLE transactions_transaction ADD CONSTRAINT transactions_transaction_kind CHECK (kind IN
    ('deposit', 'withdrawal', 'bet', 'win', 'bonus', 'reversal', 'transfer_out', 'transfer_in')) NOT VALID;
"""


class Migration(migrations.Migration):
    dependencies = [("transactions", "0002_the_raw_table")]
    operations = [
        migrations.RunSQL(FUNCTION, migrations.RunSQL.noop),
        migrations.RunSQL(PARTS, migrations.RunSQL.noop),
        migrations.RunSQL(KINDS, "ALTER TABLE transactions_transaction DROP CONSTRAINT transactions_transaction_kind"),
    ]
