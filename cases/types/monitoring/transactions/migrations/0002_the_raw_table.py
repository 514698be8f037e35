"""Counted transactions, partitioned by month. The application may add and erase rows, and have months made; nothing else."""

from django.db import migrations

TABLE = """
CREATE TABLE transactions_transaction (
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    licensee_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    account_id uuid NOT NULL,
    source_id varchar(64) NOT NULL,
    kind varchar(12) NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    currency varchar(3) NOT NULL,
    instrument uuid,
    instrument_kind varchar(8) NOT NULL DEFAULT '',
    instrument_country varchar(2) NOT NULL DEFAULT '',
    holder_match smallint,
    device uuid,
    network uuid,
    ip_country varchar(2) NOT NULL DEFAULT '',
    proxy boolean NOT NULL DEFAULT false,
    counterparty uuid,
    covered smallint,
    income bigint,
    nationality varchar(2) NOT NULL DEFAULT '',
    risk varchar(10) NOT NULL DEFAULT '',
    facts smallint NOT NULL DEFAULT 0,
    label varchar(24) NOT NULL DEFAULT '',
    nth integer NOT NULL,
    shared_device smallint NOT NULL DEFAULT 0,
    shared_instrument smallint NOT NULL DEFAULT 0,
    shared_network smallint NOT NULL DEFAULT 0,
    counted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE INDEX transactions_transaction_by_customer ON transactions_transaction (customer_id, at);
"""

# Attached rather than created in place, which would stop every writer for a moment. Months are those of UTC.
FUNCTION = """
CREATE FUNCTION transactions_add_month(month date) RETURNS boolean
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
    EXECUTE format('ALTER TABLE public.transactions_transaction ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        part, start::timestamp AT TIME ZONE 'UTC', (start + interval '1 month') AT TIME ZONE 'UTC');
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION transactions_add_month(date) FROM PUBLIC;
"""

# Rows are never changed: what was counted stays as it was, or is erased when its period is over.
RIGHTS = """
REVOKE ALL ON transactions_transaction FROM PUBLIC, mizan_app;
GRANT SELECT, INSERT, DELETE ON transactions_transaction TO mizan_app;
GRANT EXECUTE ON FUNCTION transactions_add_month(date) TO mizan_app;
"""


class Migration(migrations.Migration):
    dependencies = [("transactions", "0001_initial")]
    operations = [
        migrations.RunSQL(TABLE, "DROP TABLE transactions_transaction"),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION transactions_add_month(date)"),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
    ]
