-- Rights of the roles on the schema, and the extensions. Run in Mizan's database as a superuser; safe to repeat.
-- The application reads and writes rows, never the schema. What the sequencer and the auditors may see beyond the schema's
-- name is granted by the audit log's own migrations, and here to an auditors' login that was made after them.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO mizan_owner;
GRANT USAGE ON SCHEMA public TO mizan_app, mizan_sequencer, mizan_auditor, mizan_aml_auditor;
ALTER DEFAULT PRIVILEGES FOR ROLE mizan_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO mizan_app;
ALTER DEFAULT PRIVILEGES FOR ROLE mizan_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO mizan_app;
DO $$
BEGIN
    IF to_regnamespace('mizan_aml_auditor') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA mizan_aml_auditor TO mizan_aml_auditor;
        GRANT SELECT ON ALL TABLES IN SCHEMA mizan_aml_auditor TO mizan_aml_auditor;
    END IF;
END $$;
