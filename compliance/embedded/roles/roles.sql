-- The five roles of Mizan, on one PostgreSQL server. Run as a superuser; safe to repeat. A role made here has no password
-- yet, so nobody signs in with it: `manage.py audit roles` gives them one, `ALTER ROLE` does by hand.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['mizan_owner', 'mizan_app', 'mizan_sequencer', 'mizan_auditor', 'mizan_aml_auditor'] LOOP
        IF to_regrole(name) IS NULL THEN
            EXECUTE format('CREATE ROLE %I LOGIN', name);
        END IF;
    END LOOP;
END $$;
