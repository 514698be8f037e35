-- Who may sign in to this database, the one that it is run in; safe to repeat.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO mizan_app, mizan_sequencer, mizan_auditor, mizan_aml_auditor', current_database());
END $$;
