"""Players as the platform reads them: links and levels, never who they are."""
